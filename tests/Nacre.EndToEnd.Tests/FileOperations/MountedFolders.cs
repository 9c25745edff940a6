using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Nacre.EndToEnd.Harness;
using Nacre.Fuse.Mounting;

namespace Nacre.EndToEnd.FileOperations;

/// <summary>Mounts of a node by <c>nacre mount</c>, each a process of its own. They are unmounted at the end.</summary>
public sealed partial class MountedFolders : IAsyncDisposable
{
    private const int Force = 1;

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

    /// <summary>Aborts the connections of the mounts to their processes: what waits for them in the kernel, these processes included, ends with an error.</summary>
    public void CutOff()
    {
        foreach (string path in Paths) _ = umount2(path, Force);
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

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int umount2(string path, int flags);
}
