using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>
/// What a mutating operation did. <see cref="Transaction"/> goes to <c>MetadataStore.WhenCommitted</c> before the reply leaves;
/// <see cref="Transno"/> goes into the reply (0: nothing was changed, reply without transno).
/// </summary>
public readonly record struct MdtResult
{
    public ulong Transaction { get; init; }
    public ulong Transno { get; init; }
    /// <summary>The object the reply describes, after the operation: the new one, the changed one, the removed or overwritten
    /// one. Default (Fid zero) when there is none, e.g. a rename onto a free name.</summary>
    public MdtObject Object { get; init; }
    /// <summary>The object ceased to exist (last link and not open). Its objects are in the queue of pending destroys.</summary>
    public bool Destroyed { get; init; }
    /// <summary>pb_pre_versions in the slots of 05 section 1.5 (1: name did not exist).</summary>
    public PreVersions PreVersions { get; init; }
}

/// <summary>Versions of the objects before the operation, for pb_pre_versions (05 section 1.5).</summary>
public readonly record struct PreVersions(ulong V0, ulong V1 = 0, ulong V2 = 0, ulong V3 = 0);

/// <summary>Result of a lookup; <see cref="Found"/> false is the negative answer (no exception).</summary>
public readonly record struct MdtLookup
{
    public bool Found { get; init; }
    public MdtObject Object { get; init; }
    /// <summary>Also set for a negative answer: transaction that removed the name or made the directory.</summary>
    public ulong Transaction { get; init; }
}

/// <summary>Arguments of create, mkdir, mknod and symlink: the type bits of <see cref="Mode"/> say which.</summary>
public readonly ref struct CreateArgs
{
    public required LuFid Parent { get; init; }
    public required ReadOnlySpan<byte> Name { get; init; }
    /// <summary>Allocated by the client; must lie in a sequence handed out by this file system and be unused.</summary>
    public required LuFid Fid { get; init; }
    public required uint Mode { get; init; }
    public uint Umask { get; init; }
    public uint RDev { get; init; }
    /// <summary>Client time for a/m/ctime of the new object and m/ctime of the parent; btime is the server's.</summary>
    public required FileTime Time { get; init; }
    /// <summary>Symlink only, without NUL.</summary>
    public ReadOnlySpan<byte> Target { get; init; }
    /// <summary>Regular file only: LOV EA to store with it; empty: no layout yet.</summary>
    public ReadOnlySpan<byte> Layout { get; init; }
}

/// <summary>What unlink may remove.</summary>
public enum UnlinkKind { Any, File, Directory }

public readonly ref struct UnlinkArgs
{
    public required LuFid Parent { get; init; }
    public required ReadOnlySpan<byte> Name { get; init; }
    /// <summary>File: a directory is EISDIR. Directory: anything else is ENOTDIR. Any: the actual type decides.</summary>
    public UnlinkKind Kind { get; init; }
    public required FileTime Time { get; init; }
}

public readonly ref struct LinkArgs
{
    public required LuFid Source { get; init; }
    public required LuFid Parent { get; init; }
    public required ReadOnlySpan<byte> Name { get; init; }
    public required FileTime Time { get; init; }
}

/// <summary>Linux renameat2 flags. The protocol carries none of them (05 section 5.7); our own client may use the first two.</summary>
[Flags]
public enum RenameFlags { None = 0, NoReplace = 1, Exchange = 2, Whiteout = 4 }

public readonly ref struct RenameArgs
{
    public required LuFid SourceParent { get; init; }
    public required ReadOnlySpan<byte> SourceName { get; init; }
    public required LuFid TargetParent { get; init; }
    public required ReadOnlySpan<byte> TargetName { get; init; }
    public required FileTime Time { get; init; }
    public RenameFlags Flags { get; init; }
}

/// <summary>Which fields of <see cref="SetAttrArgs"/> count. Numerically MDS_ATTR_* (05 section 5.3), so that a record's
/// sa_valid can be cast; bits not named here are ignored.</summary>
[Flags]
public enum SetAttrValid : ulong
{
    Mode = 0x1,
    Uid = 0x2,
    Gid = 0x4,
    Size = 0x8,
    ATimeSet = 0x80,
    MTimeSet = 0x100,
    /// <summary>The client's kernel does it on its own account, not its user. Grants no more than taking set-id bits away: it comes over
    /// the wire, where anybody may say so.</summary>
    Force = 0x200,
    AttrFlags = 0x400,
    KillSuid = 0x800,
    KillSgid = 0x1000,
    CTimeSet = 0x2000,
    FromOpen = 0x4000,
    Blocks = 0x8000,
    ProjId = 0x10000,
    LazySize = 0x20000,
    LazyBlocks = 0x40000,
    /// <summary>The owner may truncate whatever the mode says.</summary>
    OwnerOverride = 0x2000000,
}

public readonly record struct SetAttrArgs
{
    public required LuFid Fid { get; init; }
    public required SetAttrValid Valid { get; init; }
    public uint Mode { get; init; }
    public uint Uid { get; init; }
    public uint Gid { get; init; }
    public ulong Size { get; init; }
    public ulong Blocks { get; init; }
    public FileTime ATime { get; init; }
    public FileTime MTime { get; init; }
    public FileTime CTime { get; init; }
    public InodeFlags Flags { get; init; }
    public uint ProjId { get; init; }
    /// <summary>The file's data has changed as well: an archived file gets dirty, whoever asks (07 section 3.3).</summary>
    public bool DataModified { get; init; }
}

/// <summary>How a file is opened, counted per inode until the matching close. Numerically the low MDS_OPEN_* / FMODE bits
/// (05 section 6.6), so that cr_flags can be cast; other bits are ignored.</summary>
[Flags]
public enum OpenMode : ulong
{
    Read = 0x1,
    Write = 0x2,
    Exec = 0x4,
    Truncate = 0x200,
    Append = 0x400,
    Directory = 0x10000,
    /// <summary>The owner may open whatever the mode says (NFS server, re-open by FID).</summary>
    OwnerOverride = 0x2000000,
}

[Flags]
public enum XattrFlags { None = 0, Create = 1, Replace = 2 }

/// <summary>One extended attribute.</summary>
public readonly record struct MdtXattr(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Value);

/// <summary>Value of one extended attribute; <see cref="Found"/> false means ENODATA.</summary>
public readonly record struct MdtXattrValue(bool Found, ReadOnlyMemory<byte> Value, ulong Transaction);

/// <summary>All extended attributes of an object.</summary>
public readonly record struct MdtXattrList(IReadOnlyList<MdtXattr> Items, ulong Transaction);

/// <summary>A directory entry handed to <see cref="IDirEntrySink"/>; the name is valid only during the call.</summary>
public readonly ref struct DirEntry
{
    /// <summary>Position, stable for the life of the entry: 0 for ".", 1 for "..", ascending for the rest, below 2^63 - 1 and
    /// different for every entry of a directory; the upper 32 bits alone are nearly unique too (05 section 4.4).</summary>
    public ulong Cookie { get; init; }
    public LuFid Fid { get; init; }
    /// <summary>File type bits of the mode (0x4000 directory ...).</summary>
    public uint Type { get; init; }
    public ReadOnlySpan<byte> Name { get; init; }
}

/// <summary>Receives directory entries; returns false when this entry does not fit (it will be the start of the next read).</summary>
public interface IDirEntrySink
{
    bool Add(in DirEntry entry);
}

/// <summary>Outcome of reading a directory: <see cref="Next"/> is the cookie of the entry the sink refused, or null at the end.</summary>
public readonly record struct MdtReadDir(ulong? Next, ulong Transaction);

/// <summary>Answer of fid2path: path relative to the root asked for, no leading slash, no NUL.</summary>
public readonly record struct MdtPath(byte[] Path, bool MoreLinks, ulong Transaction);

/// <summary>Inode numbers and space of the metadata target.</summary>
public readonly record struct MdtStatFs(
    ulong Files, ulong FilesFree, uint BlockSize, ulong Blocks, ulong BlocksFree, ulong BlocksAvailable);

/// <summary>Layouts whose objects are to be destroyed; durable until confirmed.</summary>
public readonly record struct PendingDestroy(long Id, LuFid Fid, ReadOnlyMemory<byte> Layout);
