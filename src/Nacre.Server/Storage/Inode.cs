using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Storage;

/// <summary>How a FID becomes the key of an inode: the sequence's distance from 0x200000000 above the object id. Every FID
/// of metadata lies in 0x200000000..0x23fffffff with version 0 (04 section 12), so this loses nothing and keeps the
/// files of one client next to each other in creation order.</summary>
internal static class InodeNumber
{
    public const ulong FirstSequence = 0x200000000, LastSequence = 0x23fffffff;

    /// <summary>Sequences of ordinary objects begin here; below are reserved ones such as that of the root.</summary>
    public const ulong FirstNormalSequence = 0x200000400;

    public static readonly long Root = Of(LuFid.Root);

    public static bool TryOf(in LuFid fid, out long number)
    {
        bool sane = fid.Sequence is >= FirstSequence and <= LastSequence && fid.ObjectId != 0 && fid.Version == 0;
        number = sane ? Of(fid) : 0;
        return sane;
    }

    public static LuFid ToFid(long number) => number == 0 ? default : new(FirstSequence + (ulong)(number >> 32), (uint)number);

    private static long Of(in LuFid fid) => (long)(fid.Sequence - FirstSequence) << 32 | fid.ObjectId;
}

/// <summary>Something in the <see cref="ObjectCache"/>: linked in order of last use.</summary>
internal abstract class CacheNode
{
    public CacheNode? Newer, Older;

    /// <summary>Bytes accounted for it.</summary>
    public int Cost;
}

/// <summary>
/// One inode in memory, the truth for the open transaction. Changed only between <see cref="MetadataStore.BeginChange"/>
/// and <see cref="MetadataStore.EndChange"/> and only after <see cref="MetadataStore.Change"/>; the byte arrays are replaced,
/// never changed in place. While <see cref="IsDirty"/> it stays in the cache.
/// </summary>
internal sealed class Inode(long number) : CacheNode
{
    public readonly long Number = number;

    public uint Mode, Uid, Gid, ProjId, NLink, RDev;
    public InodeFlags Flags;
    public ulong Size, Blocks, Version;
    public bool HasLazySize;
    public FileTime ATime, MTime, CTime, BTime;
    public byte[] Layout = [], AccessAcl = [], DefaultAcl = [], Hsm = [], Target = [], Links = [];

    /// <summary>Rows of this inode in the xattr table, and the bytes of their names and values.</summary>
    public int XattrCount;
    public long XattrBytes;

    /// <summary>Directory: inode number of its parent (0: removed). Taken from <see cref="Links"/>.</summary>
    public long Parent;

    /// <summary>Last transaction that changed it since it was loaded.</summary>
    public ulong Transaction;

    /// <summary>Differs from the database; in the store's list of what to write at commit.</summary>
    public bool IsDirty;

    /// <summary>The database has no row of it yet.</summary>
    public bool IsNew;

    /// <summary>Destroyed in the open transaction.</summary>
    public bool IsDeleted;

    public uint Type => Mode & ModeBits.TypeMask;
    public bool IsDirectory => Type == ModeBits.Directory;
    public bool IsRegular => Type == ModeBits.Regular;
    public bool IsSymlink => Type == ModeBits.Symlink;
    public LuFid Fid => InodeNumber.ToFid(Number);

    public int EstimateCost() =>
        400 + Layout.Length + AccessAcl.Length + DefaultAcl.Length + Hsm.Length + Target.Length + Links.Length;

    public MdtAttributes Attributes() => new()
    {
        Fid = Fid,
        Mode = Mode,
        Uid = Uid,
        Gid = Gid,
        ProjId = ProjId,
        NLink = NLink,
        Flags = NLink == 0 ? Flags | InodeFlags.Orphan : Flags,
        RDev = RDev,
        Size = Size,
        Blocks = Blocks,
        HasLazySize = HasLazySize,
        ATime = ATime,
        MTime = MTime,
        CTime = CTime,
        BTime = BTime,
        Version = Version,
    };
}

/// <summary>One name in a directory.</summary>
internal readonly record struct Entry(long Cookie, long Inode, uint Type);

/// <summary>A name in the cache.</summary>
internal sealed class CachedEntry(EntryKey key, byte[] name, Entry entry) : CacheNode
{
    public readonly EntryKey Key = key;
    public readonly byte[] Name = name;
    public readonly Entry Entry = entry;
}

/// <summary>Directory and <see cref="NameHash.FirstCookie"/> of a name. Names of equal hash compete for one place.</summary>
internal readonly record struct EntryKey(long Parent, long FirstCookie);
