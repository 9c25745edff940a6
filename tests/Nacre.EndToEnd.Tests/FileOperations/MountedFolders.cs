using System.Diagnostics;
using System.Globalization;
using Nacre.Cli.Mount;
using Nacre.EndToEnd.Harness;
using Nacre.Fuse.Mounting;

namespace Nacre.EndToEnd.FileOperations;

/// <summary>Mounts of a node by <c>nacre mount</c>, each a process of its own. They are unmounted at the end.</summary>
public sealed class MountedFolders : IAsyncDisposable
{
    private readonly List<TestFolder> _folders = [];

    public IEnumerable<string> Paths => _folders.Select(static folder => folder.Path);

    /// <param name="options">Further mount options.</param>
    /// <returns>Where it is mounted.</returns>
    public async Task<string> MountAsync(TestServer server, string? options = null)
    {
        var folder = new TestFolder();
        _folders.Add(folder);
        string port = $"port={server.At.Port.ToString(CultureInfo.InvariantCulture)}";
        await RunAsync("mount", $"{server.Nid}:/{server.Options.FileSystem}", folder.Path, "-o", options is null ? port : $"{port},{options}");
        return folder.Path;
    }

    /// <summary>Kills the mount processes: what waits for them ends with an error.</summary>
    public async Task CutOffAsync()
    {
        foreach (string path in Paths)
        {
            if (MountTable.Find(path) is not { } mount || MountRecord.Find(mount.Device) is not { } process) continue;
            using (process)
            {
                process.Kill();
                await process.WaitForExitAsync().WithinBoundsAsync();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var folder in _folders)
        {
            if (MountTable.Find(folder.Path) is not null) await RunAsync("umount", folder.Path);
            folder.Dispose();
        }
    }

    private static async Task RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "nacre"), arguments) { RedirectStandardError = true };
        using var process = Process.Start(start)!;
        string error = await process.StandardError.ReadToEndAsync().WithinBoundsAsync();
        await process.WaitForExitAsync().WithinBoundsAsync();
        Assert.True(process.ExitCode == 0, $"nacre {string.Join(' ', arguments)}: {error}");
    }
}
