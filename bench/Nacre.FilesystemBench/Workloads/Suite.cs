using Nacre.FilesystemBench.Metadata;

namespace Nacre.FilesystemBench.Workloads;

/// <summary>All workloads, in the order of the report.</summary>
internal static class Suite
{
    private const int Kib = 1 << 10;
    private const int Mib = 1 << 20;

    public static IReadOnlyList<Workload> All(WorkerPool workers, string scratch) =>
    [
        .. Fio(FioKind.Read),
        new FioWorkload(FioKind.Reread, random: false, Mib, 1),
        new FioWorkload(FioKind.Reread, random: true, 4 * Kib, 1),
        .. Fio(FioKind.Write),
        new FioWorkload(FioKind.SyncedWrite, random: false, Mib, 1),
        new MetadataWorkload(workers, 1, shared: false),
        new MetadataWorkload(workers, 4, shared: false),
        new MetadataWorkload(workers, 16, shared: false),
        new MetadataWorkload(workers, 16, shared: true),
        new SourceTreeWorkload(scratch),
    ];

    private static IEnumerable<FioWorkload> Fio(FioKind kind) =>
        from random in (bool[])[false, true]
        from block in (int[])[4 * Kib, 64 * Kib, Mib]
        from jobs in (int[])[1, 4]
        select new FioWorkload(kind, random, block, jobs);
}
