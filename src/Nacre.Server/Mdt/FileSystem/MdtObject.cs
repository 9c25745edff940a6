using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>Attribute flags of an inode, the ext4 values that travel as LUSTRE_*_FL (05 section 2.4).</summary>
[Flags]
public enum InodeFlags : uint
{
    None = 0,
    Sync = 0x8,
    Immutable = 0x10,
    Append = 0x20,
    NoDump = 0x40,
    NoAtime = 0x80,
    DirSync = 0x10000,
    TopDir = 0x20000,
    ProjInherit = 0x20000000,
    /// <summary>Reported for an inode without a name that is kept because it is open; never stored.</summary>
    Orphan = 0x2000,
    /// <summary>What chattr may change.</summary>
    Settable = Sync | Immutable | Append | NoDump | NoAtime | DirSync | TopDir | ProjInherit,
}

/// <summary>File type bits and permission bits of a mode, the Linux values.</summary>
public static class ModeBits
{
    public const uint TypeMask = 0xF000, Socket = 0xC000, Symlink = 0xA000, Regular = 0x8000, Block = 0x6000,
        Directory = 0x4000, Character = 0x2000, Fifo = 0x1000;
    public const uint SetUid = 0x800, SetGid = 0x400, Sticky = 0x200, GroupExec = 0x8, AnyExec = 0x49, PermissionMask = 0xFFF;
}

/// <summary>The stored attributes of one inode.</summary>
public record struct MdtAttributes
{
    public LuFid Fid;
    /// <summary>Whole st_mode: type and permission bits.</summary>
    public uint Mode;
    public uint Uid, Gid, ProjId;
    /// <summary>Directory: 2 + subdirectories. 0: unlinked but still open.</summary>
    public uint NLink;
    public InodeFlags Flags;
    /// <summary>Device number as the client sent it (05 section 2.4).</summary>
    public uint RDev;
    /// <summary>Bytes. Directory: 4096. Symlink: length of the target. Regular file: lazy size (LSOM), or the exact size of a
    /// file that has no layout.</summary>
    public ulong Size;
    /// <summary>512-byte blocks; lazy for regular files.</summary>
    public ulong Blocks;
    /// <summary>A regular file whose Size/Blocks were ever reported by a close or a truncate (LSOM known).</summary>
    public bool HasLazySize;
    public FileTime ATime, MTime, CTime, BTime;
    /// <summary>Transno of the last change of this inode; VBR version (02) and part of data versions.</summary>
    public ulong Version;

    public readonly uint Type => Mode & ModeBits.TypeMask;
    public readonly bool IsDirectory => Type == ModeBits.Directory;
    public readonly bool IsRegular => Type == ModeBits.Regular;
    public readonly bool IsSymlink => Type == ModeBits.Symlink;
}

/// <summary>What an operation saw of one inode. The byte arrays behind it are never changed in place, so it may be used after
/// the gate was left.</summary>
public readonly record struct MdtObject
{
    public MdtAttributes Attributes { get; init; }
    public LuFid Fid => Attributes.Fid;
    /// <summary>Regular file: LOV EA. Directory: its own default file layout (lov_user_md). Empty when there is none.</summary>
    public ReadOnlyMemory<byte> Layout { get; init; }
    /// <summary>Value of system.posix_acl_access; empty when the mode says all.</summary>
    public ReadOnlyMemory<byte> AccessAcl { get; init; }
    /// <summary>trusted.hsm (24 bytes); empty when the file has no HSM attribute.</summary>
    public ReadOnlyMemory<byte> Hsm { get; init; }
    /// <summary>Symlink target without NUL; empty for other types.</summary>
    public ReadOnlyMemory<byte> Target { get; init; }
    /// <summary>Transaction that has to be committed before a reply may show this; 0 when all of it is committed.</summary>
    public ulong Transaction { get; init; }
}
