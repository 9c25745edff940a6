using System.Diagnostics;
using System.Globalization;

namespace Nacre.EndToEnd.FileOperations;

/// <summary>
/// A run of Nacre.FileOperations: a process of its own, as it maps files. Where a page cannot be had it ends by a signal, and where it hangs, nobody but it waits
/// in the kernel.
/// </summary>
internal sealed class FileProgram : IDisposable
{
    /// <summary>An operation may wait for locks and write-back, this long at most.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(60);

    private readonly TimeSpan _time;
    private readonly Process _process;
    private readonly Task<string> _output;

    private FileProgram(TimeSpan time, Process process)
    {
        _time = time;
        _process = process;
        _output = process.StandardOutput.ReadToEndAsync();
    }

    public static FileProgram Start(string operations, int seed, int seconds, string[] paths)
    {
        string[] arguments = [operations, seed.ToString(CultureInfo.InvariantCulture), seconds.ToString(CultureInfo.InvariantCulture), .. paths];
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Nacre.FileOperations"), arguments) { RedirectStandardOutput = true };
        return new FileProgram(TimeSpan.FromSeconds(seconds), Process.Start(start)!);
    }

    /// <returns>How far it came.</returns>
    public async Task<string> RunAsync(MountedFolders at)
    {
        await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(_time + Slack).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        bool hangs = !_process.HasExited;
        if (hangs)
        {
            // Else nothing would ever end what waits there.
            at.CutOff();
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        string output = await _output;
        Assert.False(hangs, $"an operation hangs:\n{output}");
        Assert.True(_process.ExitCode == 0, $"it ended with {_process.ExitCode}:\n{output}");
        return output.TrimEnd().Split('\n')[^1];
    }

    public void Dispose() => _process.Dispose();
}
