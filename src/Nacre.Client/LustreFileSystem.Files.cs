using System.Text;
using Nacre.Client.Paths;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client;

/// <summary>Opening files, and extended attributes.</summary>
public sealed partial class LustreFileSystem
{
    private const int ReadOnlyFlags = 0;
    private const int ReadWriteFlags = 2;
    private const int CreateFlags = 0x40;
    private const int ExclusiveFlags = 0x80;
    private const int TruncateFlags = 0x200;

    /// <summary>Opens a file as <c>open(2)</c> does.</summary>
    /// <param name="flags">O_* of Linux x86-64.</param>
    /// <param name="mode">Permission bits of a file that is made.</param>
    public async Task<LustreFile> OpenAsync(string path, int flags, uint mode = 0x1a4, CancellationToken ct = default)
    {
        if ((flags & CreateFlags) != 0)
        {
            return await CreateAsync(path, flags, mode, ct).ConfigureAwait(false);
        }

        using var found = await FindAsync(path, followLink: true, ct).ConfigureAwait(false);
        var opened = (await Vfs.OpenAsync(found.Node, flags, Who, ct).ConfigureAwait(false)).OrThrow("open", path);
        return new LustreFile(Vfs, opened.File, path, Who);
    }

    /// <summary>Opens a file for reading.</summary>
    public Task<LustreFile> OpenReadAsync(string path, CancellationToken ct = default) => OpenAsync(path, ReadOnlyFlags, 0, ct);

    /// <summary>Makes a file, or empties the one that is there, and opens it for reading and writing.</summary>
    public Task<LustreFile> CreateAsync(string path, uint mode = 0x1a4, CancellationToken ct = default) =>
        OpenAsync(path, ReadWriteFlags | CreateFlags | TruncateFlags, mode, ct);

    public async Task<byte[]> ReadAllBytesAsync(string path, CancellationToken ct = default)
    {
        await using var file = await OpenReadAsync(path, ct).ConfigureAwait(false);
        using var memory = new MemoryStream();
        await file.AsStream().CopyToAsync(memory, ct).ConfigureAwait(false);
        return memory.ToArray();
    }

    /// <summary>Replaces a file's contents; they are on stable storage when it returns.</summary>
    public async Task WriteAllBytesAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken ct = default)
    {
        await using var file = await CreateAsync(path, ct: ct).ConfigureAwait(false);
        await file.WriteAsync(0, bytes, ct).ConfigureAwait(false);
        await file.SyncAsync(ct: ct).ConfigureAwait(false);
    }

    /// <summary>An extended attribute; null when there is none of that name.</summary>
    public async Task<byte[]?> GetXattrAsync(string path, string name, CancellationToken ct = default)
    {
        using var found = await FindAsync(path, followLink: true, ct).ConfigureAwait(false);
        var value = await Vfs.GetXattrAsync(found.Node, Encoding.UTF8.GetBytes(name), Who, ct).ConfigureAwait(false);
        return value.Errno == Errno.ENODATA ? null : value.OrThrow("getxattr", path).ToArray();
    }

    /// <param name="value">Null removes the attribute.</param>
    public async Task SetXattrAsync(string path, string name, ReadOnlyMemory<byte>? value, CancellationToken ct = default)
    {
        using var found = await FindAsync(path, followLink: true, ct).ConfigureAwait(false);
        var key = Encoding.UTF8.GetBytes(name);
        var done = value is { } bytes
            ? await Vfs.SetXattrAsync(found.Node, key, bytes, 0, Who, ct).ConfigureAwait(false)
            : await Vfs.RemoveXattrAsync(found.Node, key, Who, ct).ConfigureAwait(false);
        done.OrThrow("setxattr", path);
    }

    public async Task<IReadOnlyList<string>> ListXattrsAsync(string path, CancellationToken ct = default)
    {
        using var found = await FindAsync(path, followLink: true, ct).ConfigureAwait(false);
        var list = (await Vfs.ListXattrsAsync(found.Node, Who, ct).ConfigureAwait(false)).OrThrow("listxattr", path);
        return Encoding.UTF8.GetString(list.Span).Split('\0', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>A name that is a symbolic link is followed; where it leads nowhere, the file is made there.</summary>
    private async Task<LustreFile> CreateAsync(string path, int flags, uint mode, CancellationToken ct)
    {
        if ((flags & ExclusiveFlags) == 0)
        {
            var existing = await _walker.FindAsync(path, followLast: true, ct).ConfigureAwait(false);
            if (existing.IsOk)
            {
                using var found = existing.Value;
                var opened = (await Vfs.OpenAsync(found.Node, flags & ~CreateFlags, Who, ct).ConfigureAwait(false)).OrThrow("open", path);
                return new LustreFile(Vfs, opened.File, path, Who);
            }
        }

        using var parent = await FindParentAsync("open", path, ct).ConfigureAwait(false);
        var made = await Vfs.CreateAsync(parent.Node, parent.Name, mode, 0, flags, Who, ct).ConfigureAwait(false);
        var created = made.OrThrow("open", path);
        Forget(created.Entry);
        return new LustreFile(Vfs, created.Opened.File, path, Who);
    }
}
