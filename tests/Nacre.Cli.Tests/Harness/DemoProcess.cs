using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Nacre.Cli.Tests.Harness;

/// <summary>A <c>nacre demo</c> of its own, below a folder of the test's.</summary>
internal sealed partial class DemoProcess : IAsyncDisposable
{
    private const int Terminate = 15;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(180);

    private readonly Process _process;
    private readonly Task<string> _error;
    private readonly List<string> _lines = [];

    private DemoProcess(Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
    }

    public string Output => string.Join('\n', _lines);

    /// <summary>Started, and ready to be used.</summary>
    public static async Task<DemoProcess> StartAsync(string mount)
    {
        var demo = Start(mount);
        while (await demo._process.StandardOutput.ReadLineAsync().WaitAsync(Limit) is { } line)
        {
            demo._lines.Add(line);
            if (line.StartsWith("ready", StringComparison.Ordinal)) return demo;
        }

        var error = await demo._error;
        await demo.DisposeAsync();
        throw new InvalidOperationException($"nacre demo did not start: {demo.Output}{error}");
    }

    /// <summary>Started in vain: its exit status and what it says is wrong.</summary>
    public static async Task<(int Status, string Error)> FailAsync(string mount)
    {
        await using var demo = Start(mount);
        await demo._process.WaitForExitAsync().WaitAsync(Limit);
        return (demo._process.ExitCode, (await demo._error).TrimEnd('\n'));
    }

    /// <summary>SIGTERM; the exit status.</summary>
    public async Task<int> StopAsync()
    {
        Assert.Equal(0, Signal(_process.Id, Terminate));
        await _process.WaitForExitAsync().WaitAsync(Limit);
        return _process.ExitCode;
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(Limit);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await StopAsync();
        _process.Dispose();
    }

    private static DemoProcess Start(string mount)
    {
        var nacre = Path.Combine(AppContext.BaseDirectory, "nacre");
        return new DemoProcess(Process.Start(
            new ProcessStartInfo(nacre, ["demo", "--mount", mount]) { RedirectStandardOutput = true, RedirectStandardError = true })!);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}

/// <summary>Needs <c>/dev/fuse</c> and the right to mount.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FuseFactAttribute : FactAttribute
{
    public FuseFactAttribute()
    {
        if (!File.Exists("/dev/fuse")) Skip = "this machine has no /dev/fuse";
        else if (!Environment.IsPrivilegedProcess) Skip = "only root mounts without a helper";
    }
}
