using Nacre.FilesystemBench.FileSystems;
using Nacre.FilesystemBench.Processes;
using Nacre.FilesystemBench.Workloads;

namespace Nacre.FilesystemBench.Measurement;

/// <summary>Runs the workloads on all file systems, a row on each in turn.</summary>
/// <param name="folder">Where all of them keep their data.</param>
internal sealed class Runner(
    IReadOnlyList<FileSystemUnderTest> fileSystems, IReadOnlyList<Workload> workloads, Settings settings, string folder, Results results)
{
    private int _places;

    public async Task RunAsync(CancellationToken ct)
    {
        if (settings.WarmUp)
        {
            Console.Error.WriteLine("warm-up");
            await RunRoundAsync(0, Settings.Quick(1), new Results(), ct);
        }

        for (var round = 1; round <= settings.Rounds; round++)
        {
            Console.Error.WriteLine($"round {round} of {settings.Rounds}, {DateTime.UtcNow:HH:mm} UTC");
            await RunRoundAsync(round, settings, results, ct);
        }
    }

    private async Task RunRoundAsync(int round, Settings how, Results into, CancellationToken ct)
    {
        // Who comes first is no advantage over the rounds.
        var shift = round % Math.Max(fileSystems.Count, 1);
        var order = fileSystems.Skip(shift).Concat(fileSystems.Take(shift)).ToList();
        foreach (var workload in workloads) await RunAsync(workload, order, how, into, ct);
    }

    private async Task RunAsync(Workload workload, List<FileSystemUnderTest> order, Settings how, Results into, CancellationToken ct)
    {
        var name = $"bench{_places++}";
        var runs = order.ConvertAll(fileSystem => new WorkloadRun(fileSystem, workload.RunAsync(new Place(fileSystem, name, how), ct).GetAsyncEnumerator(ct)));
        try
        {
            while (runs.Any(static run => run.GoesOn))
            {
                foreach (var run in runs.Where(static run => run.GoesOn)) await StepAsync(run, workload, into);
            }
        }
        finally
        {
            foreach (var run in runs) await run.Rows.DisposeAsync();
        }

        foreach (var fileSystem in order) await RemoveAsync(Path.Combine(fileSystem.Mount, name), fileSystem, into, ct);
        // What is still on its way to the disk would be paid for by those who come next.
        await Tool.RunAsync("sync", ["--file-system", folder], how.Patience, ct);
    }

    private static async Task StepAsync(WorkloadRun run, Workload workload, Results into)
    {
        try
        {
            run.GoesOn = await run.Rows.MoveNextAsync();
            if (!run.GoesOn) return;
            var figure = run.Rows.Current;
            into.Add(run.FileSystem.Name, figure);
            Console.Error.WriteLine(FormattableString.Invariant($"  {figure.Row,-22} {run.FileSystem.Name,-10} {figure.Value,12:F2} {figure.Unit.Text()}"));
        }
        catch (Exception e) when (e is ToolException or IOException or UnauthorizedAccessException)
        {
            run.GoesOn = false;
            Fail(into, $"{run.FileSystem.Name}, {workload.Name}: {e.Message}");
        }
    }

    private async Task RemoveAsync(string path, FileSystemUnderTest fileSystem, Results into, CancellationToken ct)
    {
        try
        {
            await Tool.RunAsync("rm", ["-rf", path], settings.Patience, ct);
        }
        catch (ToolException e)
        {
            Fail(into, $"{fileSystem.Name}: {e.Message}");
        }
    }

    private static void Fail(Results into, string what)
    {
        Console.Error.WriteLine("  " + what);
        into.Fail(what);
    }

    /// <summary>A workload on one file system, stopped between two of its rows.</summary>
    private sealed class WorkloadRun(FileSystemUnderTest fileSystem, IAsyncEnumerator<Figure> rows)
    {
        public FileSystemUnderTest FileSystem => fileSystem;

        public IAsyncEnumerator<Figure> Rows => rows;

        public bool GoesOn { get; set; } = true;
    }
}
