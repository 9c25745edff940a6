using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>Rules about metadata IOPS, for what is ordered and for what an update makes of it.</summary>
internal static class MetadataRules
{
    private static readonly int[] Tiering = [6_000, 12_000];
    private static readonly int[] Ssd = [1_500, 3_000, 6_000, 12_000];

    /// <param name="of">The configuration there is going to be, null for none, and the storage type.</param>
    public static IEnumerable<Rule<T>> OfMode<T>(Func<T, (MetadataConfiguration? Metadata, string StorageType)> of) =>
    [
        new(
            o => of(o) is ({ Mode: MetadataMode.Automatic }, not StorageType.Ssd),
            o => $"MetadataConfiguration Mode AUTOMATIC is not available with StorageType {of(o).StorageType}. Allowed: USER_PROVISIONED."),
        new(
            o => of(o).Metadata is { Mode: MetadataMode.Automatic, Iops: not null },
            o => $"MetadataConfiguration Iops {of(o).Metadata!.Iops} cannot be set with Mode AUTOMATIC."),
        new(
            o => of(o).Metadata is { Mode: MetadataMode.UserProvisioned, Iops: null },
            o => $"MetadataConfiguration Iops is required with Mode USER_PROVISIONED. Allowed: {Allowed(of(o).StorageType)}."),
        new(
            o => of(o).Metadata is { Mode: MetadataMode.UserProvisioned, Iops: { } iops } && !IsOffered(iops, of(o).StorageType),
            o => $"Invalid MetadataConfiguration Iops: {of(o).Metadata!.Iops}. Must be {Allowed(of(o).StorageType)}."),
    ];

    /// <param name="of">The configuration there is going to be, and the capacity in GiB; null for none.</param>
    public static IEnumerable<Rule<T>> OfBaseline<T>(Func<T, (MetadataConfiguration? Metadata, int? Capacity)> of) =>
    [
        new(
            o => of(o) is ({ Mode: MetadataMode.UserProvisioned, Iops: { } iops }, { } capacity) && iops < Sizing.AutomaticMetadataIops(capacity),
            o => $"MetadataConfiguration Iops {of(o).Metadata!.Iops} is below what a storage capacity of {of(o).Capacity} GiB needs: "
                + $"{Sizing.AutomaticMetadataIops(of(o).Capacity!.Value)}."),
    ];

    private static bool IsOffered(int iops, string storageType) => storageType == StorageType.IntelligentTiering
        ? Tiering.Contains(iops)
        : Ssd.Contains(iops) || iops % 12_000 == 0;

    private static string Allowed(string storageType) => storageType == StorageType.IntelligentTiering
        ? string.Join(", ", Tiering)
        : $"{string.Join(", ", Ssd)} or a multiple of 12000 up to 192000";
}
