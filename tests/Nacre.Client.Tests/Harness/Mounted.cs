using System.Text;
using Nacre.Client.Vfs;

namespace Nacre.Client.Tests.Harness;

/// <summary>A mount as tests talk to it: names as text, root as the caller, failures as exceptions.</summary>
public sealed class Mounted(LustreMount mount)
{
    public LustreMount Mount { get; } = mount;

    public IVfs Vfs => Mount.Vfs;

    public Node Root => Vfs.Root;

    public Credentials Who { get; init; } = Credentials.Root;

    public Mounted As(uint uid, uint gid, params uint[] groups) => new(Mount) { Who = new Credentials(uid, gid, 1, groups) };

    public static ReadOnlyMemory<byte> Bytes(string name) => Encoding.UTF8.GetBytes(name);

    public async Task<Entry> LookupAsync(Node directory, string name) =>
        (await Vfs.LookupAsync(directory, Bytes(name), Who, CancellationToken.None)).Value;

    public async Task<int> LookupErrnoAsync(Node directory, string name)
    {
        var found = await Vfs.LookupAsync(directory, Bytes(name), Who, CancellationToken.None);
        return found.IsOk && found.Value.Node is null ? PtlRpc.Wire.Errno.ENOENT : found.Errno;
    }

    /// <summary>Walks from the root.</summary>
    public async Task<Entry> WalkAsync(string path)
    {
        var entry = new Entry(Root, default, false, false);
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            entry = await LookupAsync(entry.Node!, name);
        }

        return entry;
    }

    public async Task<Node> MkdirAsync(Node directory, string name, uint mode = 0x1ff, uint umask = 0x12) =>
        (await Vfs.MakeDirectoryAsync(directory, Bytes(name), mode, umask, Who, CancellationToken.None)).Value.Node!;

    public async Task<OpenNode> CreateAsync(Node directory, string name, uint mode = 0x1a4, int flags = 0x42) =>
        (await Vfs.CreateAsync(directory, Bytes(name), mode, 0x12, flags, Who, CancellationToken.None)).Value.Opened.File;

    /// <summary>Creates and closes again.</summary>
    public async Task<Node> TouchAsync(Node directory, string name, uint mode = 0x1a4)
    {
        var open = await CreateAsync(directory, name, mode);
        await Vfs.ReleaseAsync(open);
        return open.Node;
    }

    public async Task<OpenNode> OpenAsync(Node node, int flags = 0) =>
        (await Vfs.OpenAsync(node, flags, Who, CancellationToken.None)).Value.File;

    public async Task<Attributes> StatAsync(Node node) => (await CurrentAsync(node)).Attributes;

    public async Task<CurrentAttributes> CurrentAsync(Node node) =>
        (await Vfs.GetAttributesAsync(node, null, CancellationToken.None)).Value;

    public async Task<int> UnlinkAsync(Node directory, string name) =>
        (await Vfs.UnlinkAsync(directory, Bytes(name), Who, CancellationToken.None)).Errno;

    public async Task<int> RmdirAsync(Node directory, string name) =>
        (await Vfs.RemoveDirectoryAsync(directory, Bytes(name), Who, CancellationToken.None)).Errno;

    public async Task<int> RenameAsync(Node from, string oldName, Node to, string newName, uint flags = 0) =>
        (await Vfs.RenameAsync(from, Bytes(oldName), to, Bytes(newName), flags, Who, CancellationToken.None)).Errno;

    public async Task<int> ChmodAsync(Node node, uint mode) => (await Vfs.SetAttributesAsync(
        node, null, new AttributeChange(AttributeFields.Mode) { Mode = mode }, Who, CancellationToken.None)).Errno;

    /// <summary>All names but <c>.</c> and <c>..</c>, in the order of the listing.</summary>
    public async Task<List<string>> ListAsync(Node directory, int atATime = int.MaxValue, bool withEntries = false)
    {
        var open = (await Vfs.OpenDirectoryAsync(directory, Who, CancellationToken.None)).Value.File;
        var sink = new ListingSink(this, atATime);
        try
        {
            do
            {
                sink.Begin();
                _ = (await Vfs.ReadDirectoryAsync(open, sink.Next, withEntries, sink, CancellationToken.None)).Value;
            }
            while (sink.Taken > 0);
        }
        finally
        {
            await Vfs.ReleaseAsync(open);
        }

        return [.. sink.Names.Where(static name => name is not ("." or ".."))];
    }
}

/// <summary>Takes so many entries a call.</summary>
public sealed class ListingSink(Mounted mounted, int atATime) : IDirectorySink
{
    public List<string> Names { get; } = [];

    /// <summary>Entries that came with attributes.</summary>
    public List<(string Name, Attributes Attributes)> Entries { get; } = [];

    public ulong Next { get; private set; }

    public int Taken { get; private set; }

    public void Begin() => Taken = 0;

    public bool TryAdd(ReadOnlySpan<byte> name, ulong inode, uint fileType, ulong next)
    {
        if (Taken == atATime)
        {
            return false;
        }

        Taken++;
        Next = next;
        Names.Add(Encoding.UTF8.GetString(name));
        return true;
    }

    public bool TryAddEntry(ReadOnlySpan<byte> name, in Entry entry, ulong next)
    {
        if (!TryAdd(name, 0, 0, next))
        {
            return false;
        }

        Entries.Add((Names[^1], entry.Attributes));
        mounted.Vfs.Forget(entry.Node!, 1);
        return true;
    }
}
