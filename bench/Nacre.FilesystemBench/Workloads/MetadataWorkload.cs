using System.Globalization;
using System.Runtime.CompilerServices;
using Nacre.FilesystemBench.Measurement;
using Nacre.FilesystemBench.Metadata;

namespace Nacre.FilesystemBench.Workloads;

/// <summary>What mdtest measures: many empty files, made, looked at, listed and removed by several processes.</summary>
/// <param name="shared">Whether all work in one folder; else each has its own.</param>
internal sealed class MetadataWorkload(WorkerPool workers, int processes, bool shared) : Workload
{
    private const string Made = "made";

    /// <summary>Files that the measured mount has not seen: a set for each row, as each brings its files into the caches.</summary>
    private const string ForStat = "for-stat";
    private const string ForList = "for-list";
    private const string ForListAndStat = "for-list-and-stat";

    public override string Name => $"metadata-{processes}" + (shared ? "-shared" : "");

    public override string? Missing => null;

    public override async IAsyncEnumerable<Figure> RunAsync(Place place, [EnumeratorCancellation] CancellationToken ct)
    {
        MakeFolders(place.Folder, Made);
        yield return await MeasureAsync(place, "create", MetadataOperation.Create, Made, ct);
        yield return await MeasureAsync(place, "stat-warm", MetadataOperation.StatRepeatedly, Made, ct);
        if (!shared)
        {
            await PrepareAsync(place, ct);
            yield return await MeasureAsync(place, "stat-uncached", MetadataOperation.Stat, ForStat, ct);
            yield return await MeasureAsync(place, "list", MetadataOperation.List, ForList, ct);
            yield return await MeasureAsync(place, "list-stat", MetadataOperation.ListAndStat, ForListAndStat, ct);
        }

        yield return await MeasureAsync(place, "unlink", MetadataOperation.Unlink, Made, ct);
    }

    private Task PrepareAsync(Place place, CancellationToken ct) => place.PrepareAsync(
        async folder =>
        {
            foreach (var files in (string[])[ForStat, ForList, ForListAndStat])
            {
                MakeFolders(folder, files);
                await RunAsync(place, folder, MetadataOperation.Create, files, ct);
            }
        },
        ct);

    private Task<Figure> MeasureAsync(Place place, string row, MetadataOperation operation, string files, CancellationToken ct) => place.MeasureAsync(
        $"{row}-{processes}" + (shared ? "-shared" : ""), Unit.OperationsPerSecond, () => RunAsync(place, place.Folder, operation, files, ct));

    private Task<Amount> RunAsync(Place place, string folder, MetadataOperation operation, string files, CancellationToken ct)
    {
        var each = place.Settings.Files / processes;
        var tasks = Enumerable.Range(0, processes).Select(i => new MetadataTask(operation, FolderOf(folder, files, i), FirstOf(i, each), each));
        return workers.RunAsync([.. tasks], place.Settings.Patience, ct);
    }

    private void MakeFolders(string folder, string files)
    {
        for (var i = 0; i < processes; i++) Directory.CreateDirectory(FolderOf(folder, files, i));
    }

    private string FolderOf(string folder, string files, int process) =>
        Path.Combine(folder, files, shared ? "all" : process.ToString(CultureInfo.InvariantCulture));

    /// <summary>Names in one folder do not collide.</summary>
    private int FirstOf(int process, int each) => shared ? process * each : 0;
}
