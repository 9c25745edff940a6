using System.Runtime.InteropServices;

namespace Nacre.Fuse.Protocol;

/// <summary><c>fuse_entry_out</c>, the answer of LOOKUP and of everything that makes a name.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EntryReply
{
    public const int Size = 128;

    /// <summary>0: no such name, and that may be cached.</summary>
    public ulong NodeId;
    public ulong Generation;
    public ulong EntryValid;
    public ulong AttributesValid;
    public uint EntryValidNanoseconds;
    public uint AttributesValidNanoseconds;
    public WireAttributes Attributes;
}

/// <summary><c>fuse_forget_one</c>; a FORGET has the count alone.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ForgetOne
{
    public const int Size = 16;

    public ulong NodeId;
    public ulong Count;
}

/// <summary><c>fuse_mknod_in</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MakeNodeRequest
{
    public const int Size = 16;

    public uint Mode;
    public uint Device;
    public uint Umask;
    public uint Padding;
}

/// <summary><c>fuse_mkdir_in</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MakeDirectoryRequest
{
    public const int Size = 8;

    public uint Mode;
    public uint Umask;
}

/// <summary><c>fuse_rename2_in</c>; RENAME has the directory alone.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RenameRequest
{
    public const int Size = 16;
    public const int OldSize = 8;

    public ulong NewDirectory;
    public uint Flags;
    public uint Padding;
}

/// <summary><c>fuse_dirent</c>; the name follows, and all is padded to 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DirectoryEntry
{
    public const int Size = 24;

    public ulong Inode;
    public ulong Offset;
    public uint NameLength;

    /// <summary>DT_*: the S_IFMT bits shifted right by 12.</summary>
    public uint Type;
}
