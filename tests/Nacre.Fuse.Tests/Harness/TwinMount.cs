using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.Fuse.Tests.Twin;
using Nacre.Testing;

namespace Nacre.Fuse.Tests.Harness;

/// <summary>A twin mounted in a folder of its own. Disposing it checks that everything was given back.</summary>
internal sealed class TwinMount : IAsyncDisposable
{
    private readonly string _folder;

    private TwinMount(TwinVfs vfs, FuseMount mount, string folder)
    {
        Vfs = vfs;
        Mount = mount;
        _folder = folder;
    }

    public TwinVfs Vfs { get; }

    public FuseMount Mount { get; }

    public string Root => Mount.MountPoint;

    public static async Task<TwinMount> StartAsync(FuseOptions? options = null)
    {
        string folder = Directory.CreateTempSubdirectory("nacre-fuse-").FullName;
        var vfs = new TwinVfs();
        var mount = await FuseMount.MountAsync(
            vfs, "twin", folder, options ?? new FuseOptions { AllowOther = true }, NullLogger.Instance, CancellationToken.None).Within();
        return new TwinMount(vfs, mount, folder);
    }

    public string Path(string name) => System.IO.Path.Combine(Root, name);

    /// <summary>Runs a shell command in the mount.</summary>
    /// <returns>What it printed, without the last newline; its exit status.</returns>
    public Task<(string Output, int Status)> TryShellAsync(string command) => TryShellAsync(command, Root);

    public async Task<string> ShellAsync(string command)
    {
        var (output, status) = await TryShellAsync(command);
        Assert.True(status == 0, $"'{command}' ended with {status}: {output}");
        return output;
    }

    public static async Task<(string Output, int Status)> TryShellAsync(string command, string folder)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"cd '{folder}' && {{ {command}; }} 2>&1"]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync().Within();
        await process.WaitForExitAsync().Within();
        return (output.TrimEnd('\n'), process.ExitCode);
    }

    /// <summary>A call that may block in the kernel, away from the test's threads.</summary>
    public static Task<T> Blocking<T>(Func<T> call) => Task.Factory.StartNew(
        call, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public async ValueTask DisposeAsync()
    {
        await Mount.UnmountAsync(TimeSpan.FromSeconds(2));
        bool inUse = !Mount.Ended.IsCompleted;
        await Mount.DisposeAsync();
        Directory.Delete(_folder);
        // A test that failed leaves files open, and its own failure is what is to be seen.
        if (inUse) return;
        var (_, references, opens) = Vfs.InUse();
        Assert.Equal(0, references);
        Assert.Equal(0, opens);
        Assert.Equal(0, Vfs.ReadsOutstanding);
    }
}
