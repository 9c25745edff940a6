using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>A change that is asked for, and the file system it is asked of. The request's shape has been checked, nothing else.</summary>
internal sealed record FileSystemChange(FileSystemEntry Entry, UpdateFileSystemRequest Request, DateTimeOffset Now, ControlPlaneSettings Settings)
{
    private static readonly UpdateLustreConfiguration Nothing = new();

    public FileSystem FileSystem => Entry.Description;

    public LustreFileSystemConfiguration Present => FileSystem.LustreConfiguration;

    public UpdateLustreConfiguration Lustre { get; } = Request.LustreConfiguration ?? Nothing;

    public Offer Offer => Offer.Find(Present.DeploymentType!, FileSystem.StorageType)
        ?? throw new InvalidOperationException($"{FileSystem.FileSystemId} has a type that does not exist");

    public bool IsScratch => !Offer.IsPersistent;

    /// <summary>Steps of growth under the throughput there is going to be.</summary>
    public CapacitySteps Steps =>
        CapacitySteps.For(Offer, Lustre.PerUnitStorageThroughput ?? Present.PerUnitStorageThroughput ?? 0, Present.EfaEnabled ?? false);

    public int? CapacityAfter => Request.StorageCapacity ?? FileSystem.StorageCapacity;

    public int? ThroughputCapacityAfter => Lustre.ThroughputCapacity ?? Present.ThroughputCapacity;

    public DataReadCacheConfiguration? CacheAfter => Lustre.DataReadCacheConfiguration ?? Present.DataReadCacheConfiguration;

    /// <summary>As if it were ordered anew: without the IOPS that mode AUTOMATIC gives.</summary>
    public MetadataConfiguration? MetadataAfter
    {
        get
        {
            string? mode = Lustre.MetadataConfiguration?.Mode ?? Present.MetadataConfiguration?.Mode;
            int? iops = Lustre.MetadataConfiguration?.Iops
                ?? (mode == MetadataMode.UserProvisioned ? Present.MetadataConfiguration?.Iops : null);
            return mode is null ? null : new MetadataConfiguration { Mode = mode, Iops = iops };
        }
    }

    public bool ChangesNothing => Request is { StorageCapacity: null, FileSystemTypeVersion: null } && Lustre == Nothing;

    /// <summary>Whether an earlier update is under way that changes what <paramref name="concerns"/> tells.</summary>
    public bool IsUnderWay(Func<TargetFileSystemValues, bool> concerns) => (FileSystem.AdministrativeActions ?? []).Any(action =>
        action.AdministrativeActionType == ActionType.FileSystemUpdate && Actions.IsUnsettled(action)
        && action.TargetFileSystemValues is { } target && concerns(target));

    /// <summary>Whether an earlier request was so short ago that the next has to wait.</summary>
    /// <param name="last">When it was, epoch seconds; null for never.</param>
    public bool IsTooSoon(double? last) => last is { } time && Actions.Epoch(Now) < time + Settings.ScalingInterval.TotalSeconds;
}
