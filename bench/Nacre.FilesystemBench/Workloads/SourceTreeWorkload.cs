using System.Diagnostics;
using System.Runtime.CompilerServices;
using Nacre.FilesystemBench.Measurement;
using Nacre.FilesystemBench.Processes;

namespace Nacre.FilesystemBench.Workloads;

/// <summary>Work with a tree of small files: unpack it, search it with and without caches, build it, remove it.</summary>
/// <param name="scratch">Folder on the local disk, where the archive is made once.</param>
internal sealed class SourceTreeWorkload(string scratch) : Workload
{
    private const string Made = "made";
    private const string Prepared = "prepared";

    public override string Name => "source-tree";

    public override string? Missing => Tool.Missing("tar make gcc", "tar", "make", "gcc");

    public override async IAsyncEnumerable<Figure> RunAsync(Place place, [EnumeratorCancellation] CancellationToken ct)
    {
        var archive = await ArchiveAsync(place.Settings, ct);
        var made = Path.Combine(place.Folder, Made);
        Directory.CreateDirectory(made);
        yield return await MeasureAsync(place, "unpack", () => UnpackAsync(place, archive, made, ct));
        yield return await MeasureAsync(place, "grep", () => GrepAsync(place, made, ct));
        yield return await MeasureAsync(place, "build", () => BuildAsync(place, made, ct));
        yield return await MeasureAsync(place, "remove", () => RunAsync(place, null, "rm", ["-r", made], ct));

        await place.PrepareAsync(folder => UnpackAsync(place, archive, Directory.CreateDirectory(Path.Combine(folder, Prepared)).FullName, ct), ct);
        yield return await MeasureAsync(place, "grep-uncached", () => GrepAsync(place, Path.Combine(place.Folder, Prepared), ct));
    }

    private static Task<Figure> MeasureAsync(Place place, string row, Func<Task> work) => place.MeasureAsync(
        "source-" + row,
        Unit.Seconds,
        async () =>
        {
            var started = Stopwatch.GetTimestamp();
            await work();
            return new Amount(1, Stopwatch.GetElapsedTime(started).TotalSeconds);
        });

    private static Task UnpackAsync(Place place, string archive, string folder, CancellationToken ct) =>
        RunAsync(place, folder, "tar", ["-xf", archive], ct);

    private static async Task GrepAsync(Place place, string folder, CancellationToken ct)
    {
        var found = await RunAsync(place, folder, "grep", ["-rl", SourceTree.Needle, "."], ct);
        if (found.Trim().Split('\n').Length != 1) throw new ToolException($"grep found the word in: {found}");
    }

    private static async Task BuildAsync(Place place, string folder, CancellationToken ct)
    {
        await RunAsync(place, folder, "make", ["-s", "-j2"], ct);
        await RunAsync(place, folder, Path.Combine(folder, SourceTree.Program), [], ct);
    }

    private static Task<string> RunAsync(Place place, string? folder, string program, string[] arguments, CancellationToken ct) =>
        Tool.RunAsync(program, arguments, folder, place.Settings.Patience, ct);

    private async Task<string> ArchiveAsync(Settings settings, CancellationToken ct)
    {
        var archive = Path.Combine(scratch, $"source-{settings.SourceFolders}.tar");
        if (File.Exists(archive)) return archive;
        var tree = Path.Combine(scratch, $"source-{settings.SourceFolders}");
        SourceTree.Generate(tree, settings.SourceFolders);
        await Tool.RunAsync("tar", ["-cf", archive, "-C", tree, "."], settings.Patience, ct);
        return archive;
    }
}
