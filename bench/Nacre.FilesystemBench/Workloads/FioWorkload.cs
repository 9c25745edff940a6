using System.Runtime.CompilerServices;
using Nacre.FilesystemBench.Measurement;
using Nacre.FilesystemBench.Processes;

namespace Nacre.FilesystemBench.Workloads;

/// <summary>What is measured of a file's data.</summary>
internal enum FioKind
{
    /// <summary>Files that another mount wrote: not in the client's caches, but in the server's.</summary>
    Read,

    /// <summary>The same again, from the client's caches.</summary>
    Reread,

    /// <summary>New files in sequence, without fsync; random blocks of files that are there, with fsync.</summary>
    Write,

    /// <summary>New files with fsync.</summary>
    SyncedWrite,
}

/// <summary>One row of fio.</summary>
internal sealed class FioWorkload(FioKind kind, bool random, int blockBytes, int jobs) : Workload
{
    private const int PrepareBlockBytes = 1 << 20;

    /// <summary>From this size on blocks count as large.</summary>
    private const int LargeBlock = 64 << 10;

    public override string Name { get; } = string.Concat(
        kind switch
        {
            FioKind.Read => "read",
            FioKind.Reread => "reread",
            FioKind.Write => "write",
            _ => "write-fsync",
        },
        random ? "-rand" : "-seq",
        blockBytes >= 1 << 20 ? $"-{blockBytes >> 20}m" : $"-{blockBytes >> 10}k",
        jobs > 1 ? $"-x{jobs}" : "");

    public override string? Missing => Tool.Missing("fio", "fio");

    public override async IAsyncEnumerable<Figure> RunAsync(Place place, [EnumeratorCancellation] CancellationToken ct)
    {
        var settings = place.Settings;
        var job = new FioJob
        {
            Folder = place.Folder,
            Writes = kind is FioKind.Write or FioKind.SyncedWrite,
            Random = random,
            BlockBytes = blockBytes,
            Jobs = jobs,
            Bytes = blockBytes >= LargeBlock ? settings.LargeBytes : settings.SmallBytes,
            Seconds = settings.Seconds,
            Syncs = kind == FioKind.SyncedWrite || random,
            Overwrites = random && kind == FioKind.Write,
        };
        if (job.Writes) Directory.CreateDirectory(place.Folder);
        else await PrepareAsync(place, job, ct);

        if (kind == FioKind.Reread)
        {
            await (job with { Random = false, BlockBytes = PrepareBlockBytes, Seconds = 0 }).RunAsync(settings.Patience, ct);
        }

        yield return await place.MeasureAsync(Name, Unit.MibPerSecond, () => job.RunAsync(settings.Patience, ct));
    }

    private static Task PrepareAsync(Place place, FioJob job, CancellationToken ct) => place.PrepareAsync(
        folder => (job with
        {
            Folder = folder,
            Writes = true,
            Random = false,
            BlockBytes = PrepareBlockBytes,
            Seconds = 0,
            Syncs = false,
        }).RunAsync(place.Settings.Patience, ct),
        ct);
}
