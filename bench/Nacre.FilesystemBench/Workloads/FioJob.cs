using System.Text.Json;
using Nacre.FilesystemBench.Measurement;
using Nacre.FilesystemBench.Processes;

namespace Nacre.FilesystemBench.Workloads;

/// <summary>One run of fio: synchronous calls, each job a process with a file of its own.</summary>
internal sealed record FioJob
{
    private const double Mib = 1 << 20;

    public required string Folder { get; init; }

    public required bool Writes { get; init; }

    public required bool Random { get; init; }

    public required int BlockBytes { get; init; }

    public required int Jobs { get; init; }

    /// <summary>Of all jobs together.</summary>
    public required long Bytes { get; init; }

    /// <summary>After which it ends before it has done all; 0 for never.</summary>
    public int Seconds { get; init; }

    /// <summary>Whether fsync belongs to it.</summary>
    public bool Syncs { get; init; }

    /// <summary>Whether it writes over files that are there, which fio makes before if need be.</summary>
    public bool Overwrites { get; init; }

    /// <exception cref="ToolException">It failed.</exception>
    public async Task<Amount> RunAsync(TimeSpan patience, CancellationToken ct)
    {
        var output = await Tool.RunAsync("fio", [.. Arguments()], patience, ct);
        return Parse(output);
    }

    private IEnumerable<string> Arguments()
    {
        yield return "--name=job";
        yield return "--directory=" + Folder;
        yield return $"--rw={(Random ? "rand" : "")}{(Writes ? "write" : "read")}";
        yield return $"--bs={BlockBytes}";
        yield return $"--size={Bytes / Jobs}";
        yield return $"--numjobs={Jobs}";
        yield return "--group_reporting";
        yield return "--ioengine=psync";
        yield return "--fallocate=none";
        // Else fio asks the kernel to forget the file first, and on the local file system the disk would be measured.
        yield return "--invalidate=0";
        yield return "--output-format=json";
        yield return "--eta=never";
        if (Seconds > 0) yield return $"--runtime={Seconds}";
        if (Syncs) yield return "--end_fsync=1";
        if (Overwrites) yield return "--overwrite=1";
    }

    private Amount Parse(string output)
    {
        try
        {
            // Warnings may stand before it.
            using var report = JsonDocument.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..]);
            var job = report.RootElement.GetProperty("jobs")[0];
            if (job.GetProperty("error").GetInt32() is not 0 and var error) throw new ToolException($"fio met error {error}");
            var direction = job.GetProperty(Writes ? "write" : "read");
            var bytes = direction.GetProperty("io_bytes").GetInt64();
            return new Amount(bytes / Mib, bytes / direction.GetProperty("bw_bytes").GetDouble());
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or ArgumentOutOfRangeException)
        {
            throw new ToolException($"fio's report is not as expected: {e.Message}", e);
        }
    }
}
