using System.Runtime.InteropServices;

namespace Nacre.Fuse.Protocol;

/// <summary><c>fuse_notify_inval_inode_out</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InvalidateInode
{
    public const int Size = 24;

    public ulong NodeId;

    /// <summary>Negative: attributes and ACLs only.</summary>
    public long Offset;

    /// <summary>Bytes; 0 or less: all behind the offset.</summary>
    public long Length;
}

/// <summary><c>fuse_notify_inval_entry_out</c>; the name and a NUL follow.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InvalidateEntry
{
    public const int Size = 16;

    public ulong ParentId;
    public uint NameLength;
    public uint Flags;
}

/// <summary><c>fuse_notify_prune_out</c>; the node ids follow.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PruneNodes
{
    public const int Size = 16;

    public uint Count;
    public uint Padding;
    public ulong Spare;
}
