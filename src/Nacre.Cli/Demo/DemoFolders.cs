using System.Text;
using Nacre.Fuse;
using Nacre.Fuse.Mounting;

namespace Nacre.Cli.Demo;

/// <summary>
/// The two folders of a demo: where it mounts, and where its node keeps everything. A file in the latter, locked for as long as the demo runs, tells a
/// demo that runs from one that was killed; what a killed one left is put right by the next.
/// </summary>
internal sealed class DemoFolders : IDisposable
{
    private const string LockName = "nacre.demo";
    private const string MountWasMade = "made the mount folder";

    private readonly FileStream _lock;
    private readonly bool _isTemporary;
    private bool _madeMount;

    private DemoFolders(string mount, string data, bool isTemporary, FileStream lockFile)
    {
        (Mount, Data, _isTemporary, _lock) = (mount, data, isTemporary, lockFile);
    }

    /// <summary>Full path.</summary>
    public string Mount { get; }

    /// <summary>Full path.</summary>
    public string Data { get; }

    /// <summary>The node's data folder, which takes nothing in it that is not its own.</summary>
    public string Node => Path.Combine(Data, "node");

    /// <summary>Where the demo logs.</summary>
    public string Log => Path.Combine(Data, "demo.log");

    /// <param name="mount">Where to mount: a folder that is empty or not there yet.</param>
    /// <param name="data">Folder to keep; null for one beside the mount that goes with the demo.</param>
    /// <exception cref="DemoException">They cannot be had; says why in one line.</exception>
    public static DemoFolders Take(string mount, string? data)
    {
        mount = Path.TrimEndingDirectorySeparator(Path.GetFullPath(mount));
        var folder = Path.GetFullPath(data ?? mount + ".data");
        try
        {
            var folders = Lock(mount, folder, isTemporary: data is null);
            try
            {
                folders.Prepare();
                return folders;
            }
            catch
            {
                folders._lock.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FuseMountException)
        {
            throw new DemoException(e.Message, e);
        }
    }

    /// <summary>Removes what the demo made, unless the data folder was given by the user.</summary>
    public void Dispose()
    {
        try
        {
            if (_madeMount) Directory.Delete(Mount);
            if (_isTemporary) Directory.Delete(Data, recursive: true);
            else File.Delete(_lock.Name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"nacre: not everything was removed: {e.Message}");
        }

        _lock.Dispose();
    }

    private static DemoFolders Lock(string mount, string data, bool isTemporary)
    {
        var path = Path.Combine(data, LockName);
        if (isTemporary && !File.Exists(path) && Directory.Exists(data) && Directory.EnumerateFileSystemEntries(data).Any())
        {
            throw new DemoException($"{data} is in the way: it is not empty, and no demo's");
        }

        Directory.CreateDirectory(data);
        try
        {
            return new DemoFolders(mount, data, isTemporary, new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new DemoException(
                $"a demo runs here already, mounted at {mount}: use that one, stop it with Ctrl-C, or name another folder with --mount", e);
        }
    }

    private void Prepare()
    {
        ForgetKilled();
        if (File.Exists(Mount)) throw new DemoException($"{Mount} is not a folder: name another one with --mount");
        if (!Directory.Exists(Mount))
        {
            Directory.CreateDirectory(Mount);
            _madeMount = true;
        }
        else if (Directory.EnumerateFileSystemEntries(Mount).Any())
        {
            throw new DemoException($"{Mount} is not empty: move what is in it, or name another folder with --mount");
        }

        if (!_madeMount) return;
        _lock.SetLength(0);
        _lock.Write(Encoding.ASCII.GetBytes(MountWasMade));
        _lock.Flush();
    }

    /// <summary>Nobody else holds the lock, so whoever wrote in it was killed.</summary>
    private void ForgetKilled()
    {
        UnmountDead();
        using var reader = new StreamReader(_lock, Encoding.ASCII, leaveOpen: true);
        _madeMount = reader.ReadToEnd() == MountWasMade;
        if (!_isTemporary) return;
        foreach (var left in new DirectoryInfo(Data).EnumerateFileSystemInfos())
        {
            if (left is DirectoryInfo folder) folder.Delete(recursive: true);
            else if (left.Name != LockName) left.Delete();
        }
    }

    private void UnmountDead()
    {
        // One killed twice over can have left several, one on top of the other.
        while (MountTable.Find(Mount) is { } mounted)
        {
            if (mounted.Type != "fuse.nacre" || IsServed())
            {
                throw new DemoException($"{mounted.Source} is mounted at {Mount}: name another folder with --mount");
            }

            FuseMount.Unmount(Mount, detach: true);
        }
    }

    /// <summary>
    /// Whether the process behind a mount lives: without it the kernel fails all it would ask (ENOTCONN). The folder's attributes say nothing, the kernel
    /// may remember them.
    /// </summary>
    private bool IsServed()
    {
        try
        {
            _ = Directory.EnumerateFileSystemEntries(Mount).Any();
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}

/// <summary>A demo that cannot be; the message is one line.</summary>
internal sealed class DemoException(string message, Exception? inner = null) : Exception(message, inner);
