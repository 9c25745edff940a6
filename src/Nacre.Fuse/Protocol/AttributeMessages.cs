using System.Runtime.InteropServices;

namespace Nacre.Fuse.Protocol;

/// <summary><c>fuse_attr</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WireAttributes
{
    public const int Size = 88;

    public ulong Inode;
    public ulong FileSize;
    public ulong Blocks;
    public ulong AccessTime;
    public ulong ModifyTime;
    public ulong ChangeTime;
    public uint AccessTimeNanoseconds;
    public uint ModifyTimeNanoseconds;
    public uint ChangeTimeNanoseconds;
    public uint Mode;
    public uint LinkCount;
    public uint Uid;
    public uint Gid;
    public uint Device;
    public uint BlockSize;
    public uint Flags;
}

/// <summary><c>fuse_getattr_in</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GetAttributesRequest
{
    public const int Size = 16;

    public uint Flags;
    public uint Padding;
    public ulong Handle;
}

/// <summary><c>fuse_attr_out</c>, the answer of GETATTR and SETATTR.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AttributesReply
{
    public const int Size = 104;

    /// <summary>Seconds.</summary>
    public ulong Valid;
    public uint ValidNanoseconds;
    public uint Padding;
    public WireAttributes Attributes;
}

/// <summary><c>fuse_setattr_in</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SetAttributesRequest
{
    public const int Size = 88;

    public SetAttributesValid Valid;
    public uint Padding;
    public ulong Handle;
    public ulong FileSize;
    public ulong LockOwner;
    public ulong AccessTime;
    public ulong ModifyTime;
    public ulong ChangeTime;
    public uint AccessTimeNanoseconds;
    public uint ModifyTimeNanoseconds;
    public uint ChangeTimeNanoseconds;
    public uint Mode;
    public uint Unused4;
    public uint Uid;
    public uint Gid;
    public uint Unused5;
}

/// <summary><c>fuse_kstatfs</c>, the answer of STATFS.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct StatFsReply
{
    public const int Size = 80;

    public ulong Blocks;
    public ulong FreeBlocks;
    public ulong AvailableBlocks;
    public ulong Files;
    public ulong FreeFiles;
    public uint BlockSize;
    public uint NameLength;
    public uint FragmentSize;
    public uint Padding;
    public fixed uint Spare[6];
}
