using System.ComponentModel;
using System.Diagnostics;

namespace Nacre.FilesystemBench.Processes;

/// <summary>A program that could not be run, failed, or did not end in time; the message is for the report.</summary>
internal sealed class ToolException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Runs programs of the machine to their end.</summary>
internal static class Tool
{
    private const int ShownCharacters = 300;

    /// <summary>The full path of a program, looked for where root's shell looks; null when it is not installed.</summary>
    public static string? Find(string name)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return path.Append("/usr/sbin").Append("/sbin").Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }

    /// <summary>Null when all are installed, else what to do.</summary>
    public static string? Missing(string package, params ReadOnlySpan<string> programs)
    {
        foreach (var program in programs)
        {
            if (Find(program) is null) return $"no {program} here: apt-get install --no-install-recommends {package}";
        }

        return null;
    }

    /// <returns>The standard output.</returns>
    /// <exception cref="ToolException">It did not start, did not end within the patience (it is killed then), or failed.</exception>
    public static Task<string> RunAsync(string program, IReadOnlyList<string> arguments, TimeSpan patience, CancellationToken ct) =>
        RunAsync(program, arguments, null, patience, ct);

    /// <param name="folder">Working folder; null for that of this process.</param>
    public static async Task<string> RunAsync(
        string program, IReadOnlyList<string> arguments, string? folder, TimeSpan patience, CancellationToken ct)
    {
        var start = new ProcessStartInfo(Find(program) ?? program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        };
        using var process = Start(start);
        process.StandardInput.Close();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            // A daemon that the program left behind may hold its outputs; those here let go of them.
            var (text, words) = (await output, await errors);
            return process.ExitCode == 0 ? text : throw new ToolException($"{program} ended with exit code {process.ExitCode}: {End(words + text)}");
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new ToolException($"{program} did not end within {patience.TotalSeconds:0} s");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    /// <exception cref="ToolException">It cannot be started.</exception>
    public static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new ToolException($"{start.FileName} cannot be started: {e.Message}", e);
        }
    }

    /// <summary>Awaits that something is so, which nobody announces.</summary>
    /// <exception cref="ToolException">It did not become so in time.</exception>
    public static async Task UntilAsync(string what, TimeSpan patience, Func<bool> isSo, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        while (!isSo())
        {
            if (Stopwatch.GetElapsedTime(started) > patience) throw new ToolException($"not within {patience.TotalSeconds:0} s: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), ct);
        }
    }

    private static string End(string words)
    {
        words = words.Trim().ReplaceLineEndings("; ");
        return words.Length > ShownCharacters ? "..." + words[^ShownCharacters..] : words;
    }
}
