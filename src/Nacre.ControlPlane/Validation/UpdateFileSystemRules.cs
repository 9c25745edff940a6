using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>What can be changed of a file system. All refusals are BadRequest: UpdateFileSystem has no code for throughput.</summary>
internal static class UpdateFileSystemRules
{
    public static readonly IReadOnlyList<Rule<FileSystemChange>> All =
    [
        .. State(), .. Throughput(), .. Metadata(), .. Tiering(), .. Capacity(), .. Version(), .. Backups(), .. Rest(),
    ];

    private static IEnumerable<Rule<FileSystemChange>> State() =>
    [
        new(
            c => c.FileSystem.Lifecycle is FileSystemLifecycle.Creating or FileSystemLifecycle.Deleting or FileSystemLifecycle.Failed,
            c => $"Cannot update file system {c.FileSystem.FileSystemId} while in {c.FileSystem.Lifecycle} state."),
        new(
            c => FamilyRules.Foreign(c.Request) is not null,
            c => $"{FamilyRules.Foreign(c.Request)} cannot be applied to update a LUSTRE file system."),
        new(c => c.Request.StorageType is not null, "StorageType of a LUSTRE file system cannot be changed."),
        new(c => c.Request.NetworkType is not null, "NetworkType of a LUSTRE file system cannot be changed."),
        new(
            c => c.ChangesNothing,
            "The request changes nothing: it names none of StorageCapacity, FileSystemTypeVersion and LustreConfiguration's members."),
        new(
            c => Actions.AreTooMany(c.FileSystem.AdministrativeActions),
            "Unable to perform the update. There are too many updates in progress already."),
    ];

    private static IEnumerable<Rule<FileSystemChange>> Throughput() =>
    [
        new(
            c => c.Lustre.PerUnitStorageThroughput is not null && (c.IsScratch || c.FileSystem.StorageType != StorageType.Ssd),
            c => "PerUnitStorageThroughput can be changed of persistent file systems with StorageType SSD only; "
                + $"this one is {c.Present.DeploymentType} {c.FileSystem.StorageType}."),
        new(
            c => c.Lustre.PerUnitStorageThroughput is not null && c.Present.EfaEnabled == true,
            "PerUnitStorageThroughput of EFA-enabled file systems cannot be changed."),
        new(
            c => c.Lustre.PerUnitStorageThroughput is { } throughput && !c.Offer.Throughputs.Contains(throughput),
            c => $"Invalid PerUnitStorageThroughput: {c.Lustre.PerUnitStorageThroughput}. "
                + $"Allowed for {c.Present.DeploymentType} {c.FileSystem.StorageType}: {string.Join(", ", c.Offer.Throughputs)}."),
        new(
            c => c.Lustre.PerUnitStorageThroughput is { } throughput && throughput == c.Present.PerUnitStorageThroughput,
            c => $"PerUnitStorageThroughput is {c.Present.PerUnitStorageThroughput} already."),
        .. Scaling(
            "throughput capacity", c => c.Lustre.PerUnitStorageThroughput is not null || c.Lustre.ThroughputCapacity is not null,
            target => target.LustreConfiguration is { PerUnitStorageThroughput: not null } or { ThroughputCapacity: not null },
            c => c.Entry.LastThroughputRequest),
    ];

    private static IEnumerable<Rule<FileSystemChange>> Metadata() =>
    [
        new(
            c => c.Lustre.MetadataConfiguration is not null && c.Present.MetadataConfiguration is null,
            "MetadataConfiguration can be changed only of file systems that were created with one."),
        .. MetadataRules.OfMode<FileSystemChange>(c => (c.Lustre.MetadataConfiguration is null ? null : c.MetadataAfter, c.FileSystem.StorageType)),
        new(
            c => c.Lustre.MetadataConfiguration is not null && IopsAfter(c) < c.Present.MetadataConfiguration!.Iops,
            c => $"Metadata IOPS cannot be lowered from {c.Present.MetadataConfiguration!.Iops} to {IopsAfter(c)}."),
        .. Scaling(
            "metadata", c => c.Lustre.MetadataConfiguration is not null,
            target => target is { LustreConfiguration.MetadataConfiguration: not null } or { StorageCapacity: not null },
            c => c.Entry.LastMetadataRequest),
    ];

    private static IEnumerable<Rule<FileSystemChange>> Tiering() =>
    [
        new(
            c => c.Lustre.ThroughputCapacity is not null && !c.Offer.IsElastic,
            c => $"ThroughputCapacity is allowed with StorageType INTELLIGENT_TIERING only; StorageType is {c.FileSystem.StorageType}."),
        new(
            c => c.Lustre.DataReadCacheConfiguration is not null && !c.Offer.IsElastic,
            c => "DataReadCacheConfiguration is allowed with StorageType INTELLIGENT_TIERING only; "
                + $"StorageType is {c.FileSystem.StorageType}."),
        .. TieringRules.OfValues<FileSystemChange>(c =>
            c.Lustre is { ThroughputCapacity: null, DataReadCacheConfiguration: null } ? (null, null) : (c.ThroughputCapacityAfter, c.CacheAfter)),
        new(
            c => c.Lustre.ThroughputCapacity is { } throughput && throughput <= c.Present.ThroughputCapacity,
            c => $"ThroughputCapacity can only grow: {c.Lustre.ThroughputCapacity} is not above {c.Present.ThroughputCapacity}."),
        new(
            c => c.Lustre.DataReadCacheConfiguration?.SizeGiB is { } size && c.Present.DataReadCacheConfiguration?.SizeGiB is { } present
                && Math.Abs((long)size - present) * 10 < present,
            c => $"Invalid DataReadCacheConfiguration SizeGiB: {c.Lustre.DataReadCacheConfiguration!.SizeGiB}. "
                + $"It must differ from the present {c.Present.DataReadCacheConfiguration!.SizeGiB} by 10 percent or more."),
        .. Scaling(
            "read cache", c => c.Lustre.DataReadCacheConfiguration is not null,
            target => target.LustreConfiguration?.DataReadCacheConfiguration is not null,
            c => c.Entry.LastReadCacheRequest),
    ];

    private static IEnumerable<Rule<FileSystemChange>> Capacity() =>
    [
        new(
            c => c.Request.StorageCapacity is not null && c.Offer.IsElastic,
            "StorageCapacity cannot be set with StorageType INTELLIGENT_TIERING, whose capacity is elastic."),
        new(
            c => c.Request.StorageCapacity is not null && c.Present.DeploymentType == DeploymentType.Scratch1,
            "StorageCapacity of file systems with DeploymentType SCRATCH_1 cannot be changed."),
        // First of what depends on the present capacity: a driver that repeats its request after a time-out looks for this answer.
        .. Scaling(
            "storage capacity", c => c.Request.StorageCapacity is not null,
            target => target is { StorageCapacity: not null } or { LustreConfiguration.MetadataConfiguration: not null },
            c => c.Entry.LastCapacityRequest),
        new(
            c => c.Request.StorageCapacity <= c.FileSystem.StorageCapacity,
            c => $"Invalid Lustre FS storage capacity: {c.Request.StorageCapacity}. It can only grow; "
                + $"it is {c.FileSystem.StorageCapacity}."),
        new(
            c => c.Request.StorageCapacity is { } capacity && !c.Steps.IsMultiple(capacity),
            c => $"Invalid Lustre FS storage capacity: {c.Request.StorageCapacity}. Must be {c.Steps.Growth}."),
        .. MetadataRules.OfBaseline<FileSystemChange>(c => (c.Request.StorageCapacity is null ? null : c.MetadataAfter, c.CapacityAfter)),
    ];

    private static IEnumerable<Rule<FileSystemChange>> Version() =>
    [
        new(
            c => c.Request.FileSystemTypeVersion is not null and not ("2.12" or "2.15"),
            c => $"FileSystemTypeVersion {c.Request.FileSystemTypeVersion} is not available. Allowed: 2.12, 2.15."),
        new(
            c => c.Request.FileSystemTypeVersion is { } version && !LustreVersions.IsNewer(version, c.FileSystem.FileSystemTypeVersion),
            c => $"FileSystemTypeVersion can only rise: {c.Request.FileSystemTypeVersion} is not newer than "
                + $"{c.FileSystem.FileSystemTypeVersion}."),
        new(
            c => c.Request.FileSystemTypeVersion is not null && c.IsUnderWay(target => target.FileSystemTypeVersion is not null),
            "Unable to perform the file system type version update. There is an update already in progress."),
    ];

    private static IEnumerable<Rule<FileSystemChange>> Backups() =>
    [
        new(
            c => c.Lustre.AutoImportPolicy is not null && c.Present.DataRepositoryConfiguration is null,
            "AutoImportPolicy can be changed only of file systems that were created with an ImportPath."),
        new(
            c => c.Lustre.AutomaticBackupRetentionDays > 0 && c.IsScratch,
            c => $"AutomaticBackupRetentionDays {c.Lustre.AutomaticBackupRetentionDays} is allowed with persistent "
                + $"deployment types only; DeploymentType is {c.Present.DeploymentType}."),
        new(
            c => c.Lustre.AutomaticBackupRetentionDays > 0 && c.Present.DataRepositoryConfiguration is not null,
            "AutomaticBackupRetentionDays is not allowed: file systems linked to S3 have no backups."),
    ];

    private static IEnumerable<Rule<FileSystemChange>> Rest() =>
    [
        .. LogRules.Of<FileSystemChange>(c => (c.Lustre.LogConfiguration, c.FileSystem.OwnerId, c.Settings)),
        .. RootSquashRules.Of<FileSystemChange>(c => c.Lustre.RootSquashConfiguration),
    ];

    /// <summary>Rules of everything that is scaled: one at a time, and not too often. The first text is matched by tools word for word.</summary>
    private static IEnumerable<Rule<FileSystemChange>> Scaling(
        string what, Func<FileSystemChange, bool> isAsked, Func<TargetFileSystemValues, bool> excludes, Func<FileSystemChange, double?> last) =>
    [
        new(
            c => isAsked(c) && c.IsUnderWay(excludes),
            $"Unable to perform the {what} update. There is an update already in progress."),
        new(
            c => isAsked(c) && c.IsTooSoon(last(c)),
            c => $"Unable to perform the {what} update. The last one was requested less than "
                + $"{c.Settings.ScalingInterval.TotalHours:0.##} hours ago."),
    ];

    private static int? IopsAfter(FileSystemChange change) => change.MetadataAfter switch
    {
        { Mode: MetadataMode.Automatic } => Sizing.AutomaticMetadataIops(change.CapacityAfter ?? 0),
        var after => after?.Iops,
    };
}
