using System.Diagnostics;
using System.Globalization;
using Nacre.FilesystemBench.Measurement;
using Nacre.FilesystemBench.Processes;

namespace Nacre.FilesystemBench.Metadata;

/// <summary>
/// The processes of the metadata workloads. They stay for the whole run and serve all file systems, so that none of them pays for their start.
/// </summary>
internal sealed class WorkerPool : IDisposable
{
    private readonly List<Process> _workers = [];

    /// <summary>Does the tasks, each in a process of its own, all at the same time: from the begin of the first to the end of the last.</summary>
    /// <exception cref="ToolException">One failed, or they did not end in time. The processes are replaced then.</exception>
    public async Task<Amount> RunAsync(IReadOnlyList<MetadataTask> tasks, TimeSpan patience, CancellationToken ct)
    {
        while (_workers.Count < tasks.Count) _workers.Add(Start());
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(patience);
        try
        {
            return await RunAsync(tasks, limit.Token);
        }
        catch (Exception e)
        {
            // It is not known what they are at.
            Dispose();
            if (e is not OperationCanceledException || ct.IsCancellationRequested) throw;
            throw new ToolException($"{tasks[0].Operation} by {tasks.Count} processes did not end within {patience.TotalSeconds:0} s");
        }
    }

    public void Dispose()
    {
        foreach (var worker in _workers)
        {
            if (!worker.HasExited) worker.Kill();
            worker.Dispose();
        }

        _workers.Clear();
    }

    private static Process Start()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        // Under `dotnet nacre-fsbench.dll` the program is an argument of the host.
        if (Path.GetFileName(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(WorkerPool).Assembly.Location);
        start.ArgumentList.Add(MetadataWorker.Command);
        return Tool.Start(start);
    }

    private async Task<Amount> RunAsync(IReadOnlyList<MetadataTask> tasks, CancellationToken ct)
    {
        foreach (var (worker, task) in _workers.Zip(tasks)) await worker.StandardInput.WriteLineAsync(task.ToString());
        foreach (var worker in _workers.Take(tasks.Count)) await ReadAsync(worker, ct);
        foreach (var worker in _workers.Take(tasks.Count)) await worker.StandardInput.WriteLineAsync("go");
        var answers = new List<string>();
        foreach (var worker in _workers.Take(tasks.Count)) answers.Add(await ReadAsync(worker, ct));
        return Sum(answers);
    }

    private static async Task<string> ReadAsync(Process worker, CancellationToken ct) =>
        await worker.StandardOutput.ReadLineAsync(ct) ?? throw new ToolException("a process of the metadata workload died");

    private static Amount Sum(List<string> answers)
    {
        if (answers.Find(static answer => answer.StartsWith(MetadataWorker.Failed, StringComparison.Ordinal)) is { } failed) throw new ToolException(failed);
        var numbers = answers.ConvertAll(static answer => Array.ConvertAll(answer.Split(' '), static part => long.Parse(part, CultureInfo.InvariantCulture)));
        var elapsed = Stopwatch.GetElapsedTime(numbers.Min(static n => n[1]), numbers.Max(static n => n[2]));
        return new Amount(numbers.Sum(static n => n[0]), elapsed.TotalSeconds);
    }
}
