using Nacre.Client.Vfs;

namespace Nacre.Fuse.Tests.Twin;

/// <summary>An inode of <see cref="TwinVfs"/>, guarded by its lock.</summary>
internal sealed class TwinNode(ulong inode, uint mode, uint uid, uint gid) : Node
{
    public const uint TypeMask = 0xF000, Directory = 0x4000, Regular = 0x8000, Symlink = 0xA000;

    public override ulong Inode { get; } = inode;

    public override uint FileType { get; } = mode & TypeMask;

    public uint Mode = mode;
    public uint Uid = uid;
    public uint Gid = gid;
    public uint Links = 1;
    public ulong Device;
    public Timestamp AccessTime, ModifyTime, ChangeTime, BirthTime;
    public byte[] Target = [];

    /// <summary>References handed out and not given back.</summary>
    public long References;
    public int Opens;
    public TwinNode? Parent;

    /// <summary>Names of a directory in the order they were made, each with the cookie it is listed under.</summary>
    public SortedList<ulong, (TwinName Name, TwinNode Node)> Listing { get; } = [];

    public Dictionary<TwinName, ulong> Cookies { get; } = [];
    public ulong NextCookie = 3;
    public Dictionary<TwinName, byte[]> Xattrs { get; } = [];
    public TwinBytes Bytes { get; } = new();
    public TwinLocks Locks { get; } = new();

    public bool IsDirectory => FileType == Directory;

    public TwinNode? Child(TwinName name) => Cookies.TryGetValue(name, out ulong cookie) ? Listing[cookie].Node : null;

    public void Add(TwinName name, TwinNode node)
    {
        ulong cookie = NextCookie++;
        Cookies[name] = cookie;
        Listing[cookie] = (name, node);
    }

    public void Remove(TwinName name)
    {
        if (Cookies.Remove(name, out ulong cookie)) Listing.Remove(cookie);
    }

    public Attributes Attributes() => new()
    {
        Inode = Inode,
        Mode = Mode,
        LinkCount = IsDirectory ? 2 + (uint)Listing.Values.Count(child => child.Node.IsDirectory) : Links,
        Uid = Uid,
        Gid = Gid,
        Device = Device,
        Size = FileType == Symlink ? Target.Length : IsDirectory ? 4096 : Bytes.Length,
        Blocks = (ulong)Bytes.Allocated / 512,
        BlockSize = 4096,
        AccessTime = AccessTime,
        ModifyTime = ModifyTime,
        ChangeTime = ChangeTime,
        BirthTime = BirthTime,
    };
}

internal sealed class TwinFile(TwinNode node, int flags) : OpenNode
{
    public override Node Node => node;

    public TwinNode Twin => node;

    public int Flags { get; } = flags;
}

/// <summary>Bytes as a key.</summary>
internal readonly struct TwinName(ReadOnlySpan<byte> bytes) : IEquatable<TwinName>
{
    private readonly byte[] _bytes = bytes.ToArray();

    public ReadOnlySpan<byte> Span => _bytes;

    public bool Equals(TwinName other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? other) => other is TwinName name && Equals(name);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }

    public override string ToString() => System.Text.Encoding.UTF8.GetString(_bytes);
}
