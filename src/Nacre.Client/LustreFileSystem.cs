using System.Runtime.CompilerServices;
using System.Text;
using Nacre.Client.Paths;
using Nacre.Client.Vfs;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client;

/// <summary>
/// A Lustre file system by paths, for programs: no kernel module, no FUSE, no privilege. Paths are absolute from the root of the mount, with
/// slashes; names are UTF-8. Every failure is an <see cref="ErrnoException"/> whose message names the path. Safe for any thread.
/// <para>The servers check permissions for <see cref="Who"/> when they are asked; what a lock lets this client remember is not checked again.</para>
/// </summary>
public sealed partial class LustreFileSystem : IAsyncDisposable
{
    private readonly PathWalker _walker;

    public LustreFileSystem(LustreMount mount, Credentials? who = null)
    {
        Mount = mount;
        Who = who ?? Credentials.Root;
        _walker = new PathWalker(mount.Vfs, Who);
    }

    public LustreMount Mount { get; }

    /// <summary>For whom everything is done.</summary>
    public Credentials Who { get; }

    private IVfs Vfs => Mount.Vfs;

    /// <summary>Mounts <c>10.0.0.1@tcp:/NAME[/DIRECTORY]</c>.</summary>
    /// <exception cref="MountException">Says in plain words what is wrong.</exception>
    /// <exception cref="FormatException">The device is not of that form.</exception>
    public static Task<LustreFileSystem> MountAsync(string device, CancellationToken ct = default) => MountAsync(MountOptions.Parse(device), ct);

    /// <exception cref="MountException">Says in plain words what is wrong.</exception>
    public static async Task<LustreFileSystem> MountAsync(MountOptions options, CancellationToken ct = default) =>
        new(await LustreMount.MountAsync(options, ct).ConfigureAwait(false));

    /// <summary>The same mount for somebody else. It ends with the mount, not by itself.</summary>
    public LustreFileSystem As(Credentials who) => new(Mount, who);

    /// <summary>Unmounts: everything written reaches the servers first.</summary>
    public ValueTask DisposeAsync() => Mount.UnmountAsync();

    /// <param name="followLink">Of a symbolic link, what it leads to.</param>
    public async Task<Attributes> StatAsync(string path, bool followLink = true, CancellationToken ct = default)
    {
        using var found = await FindAsync(path, followLink, ct).ConfigureAwait(false);
        return found.Attributes;
    }

    public async Task<bool> ExistsAsync(string path, CancellationToken ct = default)
    {
        var found = await _walker.FindAsync(path, followLast: true, ct).ConfigureAwait(false);
        if (!found.IsOk)
        {
            return found.Errno is Errno.ENOENT or Errno.ENOTDIR ? false : throw PathErrors.Of("stat", path, found.Errno);
        }

        found.Value.Dispose();
        return true;
    }

    /// <param name="mode">Permission bits.</param>
    public async Task MakeDirectoryAsync(string path, uint mode = 0x1ed, CancellationToken ct = default)
    {
        using var parent = await FindParentAsync("mkdir", path, ct).ConfigureAwait(false);
        Forget((await Vfs.MakeDirectoryAsync(parent.Node, parent.Name, mode, 0, Who, ct).ConfigureAwait(false)).OrThrow("mkdir", path));
    }

    public async Task RemoveDirectoryAsync(string path, CancellationToken ct = default)
    {
        using var parent = await FindParentAsync("rmdir", path, ct).ConfigureAwait(false);
        (await Vfs.RemoveDirectoryAsync(parent.Node, parent.Name, Who, ct).ConfigureAwait(false)).OrThrow("rmdir", path);
    }

    public async Task UnlinkAsync(string path, CancellationToken ct = default)
    {
        using var parent = await FindParentAsync("unlink", path, ct).ConfigureAwait(false);
        (await Vfs.UnlinkAsync(parent.Node, parent.Name, Who, ct).ConfigureAwait(false)).OrThrow("unlink", path);
    }

    /// <param name="replace">False: fails with EEXIST where the new name exists (another client may make it in the same instant).</param>
    public async Task RenameAsync(string path, string newPath, bool replace = true, CancellationToken ct = default)
    {
        using var from = await FindParentAsync("rename", path, ct).ConfigureAwait(false);
        using var to = await FindParentAsync("rename", newPath, ct).ConfigureAwait(false);
        var renamed = await Vfs.RenameAsync(from.Node, from.Name, to.Node, to.Name, replace ? 0u : 1u, Who, ct).ConfigureAwait(false);
        renamed.OrThrow("rename", path);
    }

    /// <summary>Gives a file another name.</summary>
    public async Task LinkAsync(string path, string newPath, CancellationToken ct = default)
    {
        using var file = await FindAsync(path, followLink: false, ct).ConfigureAwait(false);
        using var parent = await FindParentAsync("link", newPath, ct).ConfigureAwait(false);
        Forget((await Vfs.LinkAsync(file.Node, parent.Node, parent.Name, Who, ct).ConfigureAwait(false)).OrThrow("link", newPath));
    }

    public async Task MakeSymlinkAsync(string path, string target, CancellationToken ct = default)
    {
        using var parent = await FindParentAsync("symlink", path, ct).ConfigureAwait(false);
        var made = await Vfs.MakeSymlinkAsync(parent.Node, parent.Name, Encoding.UTF8.GetBytes(target), Who, ct).ConfigureAwait(false);
        Forget(made.OrThrow("symlink", path));
    }

    public async Task<string> ReadLinkAsync(string path, CancellationToken ct = default)
    {
        using var link = await FindAsync(path, followLink: false, ct).ConfigureAwait(false);
        var read = await Vfs.ReadLinkAsync(link.Node, Who, ct).ConfigureAwait(false);
        return Encoding.UTF8.GetString(read.OrThrow("readlink", path).Span);
    }

    /// <summary>chmod, chown, truncate, utimes in one.</summary>
    public async Task<Attributes> SetAttributesAsync(string path, AttributeChange change, CancellationToken ct = default)
    {
        using var found = await FindAsync(path, followLink: true, ct).ConfigureAwait(false);
        return (await Vfs.SetAttributesAsync(found.Node, null, change, Who, ct).ConfigureAwait(false)).OrThrow("setattr", path).Attributes;
    }

    /// <summary>Names and attributes of a directory, without <c>.</c> and <c>..</c>, in no particular order.</summary>
    public async IAsyncEnumerable<DirectoryItem> ListAsync(string path, [EnumeratorCancellation] CancellationToken ct = default)
    {
        using var found = await FindAsync(path, followLink: true, ct).ConfigureAwait(false);
        var opened = (await Vfs.OpenDirectoryAsync(found.Node, Who, ct).ConfigureAwait(false)).OrThrow("opendir", path);
        var sink = new ListSink(Vfs);
        try
        {
            while (await sink.FillAsync(opened.File, ct).ConfigureAwait(false) is var errno)
            {
                if (errno != 0)
                {
                    throw PathErrors.Of("readdir", path, errno);
                }

                if (sink.Items.Count == 0)
                {
                    break;
                }

                foreach (var item in sink.Items)
                {
                    if (item.Name is not ("." or ".."))
                    {
                        yield return item;
                    }
                }
            }
        }
        finally
        {
            await Vfs.ReleaseAsync(opened.File).ConfigureAwait(false);
        }
    }

    /// <summary>Space and files of the whole file system.</summary>
    public async Task<FileSystemStatus> GetStatusAsync(CancellationToken ct = default) =>
        (await Vfs.GetStatusAsync(ct).ConfigureAwait(false)).OrThrow("statfs", "/");

    private async ValueTask<FoundPath> FindAsync(string path, bool followLink, CancellationToken ct) =>
        (await _walker.FindAsync(path, followLink, ct).ConfigureAwait(false)).OrThrow("stat", path);

    private async ValueTask<FoundParent> FindParentAsync(string operation, string path, CancellationToken ct) =>
        (await _walker.FindParentAsync(path, ct).ConfigureAwait(false)).OrThrow(operation, path);

    private void Forget(Entry entry) => Vfs.Forget(entry.Node!, 1);
}

/// <summary>An entry of a directory.</summary>
/// <param name="Attributes">Null when the entry vanished while it was looked at.</param>
public readonly record struct DirectoryItem(string Name, Attributes? Attributes);
