using System.Runtime.InteropServices;

namespace Nacre.Fuse.Protocol;

/// <summary><c>fuse_open_in</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct OpenRequest
{
    public const int Size = 8;

    public int Flags;
    public uint OpenFlags;
}

/// <summary><c>fuse_create_in</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CreateRequest
{
    public const int Size = 16;

    public int Flags;
    public uint Mode;
    public uint Umask;
    public uint OpenFlags;
}

/// <summary><c>fuse_open_out</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct OpenReply
{
    public const int Size = 16;

    public ulong Handle;
    public OpenReplyFlags Flags;
    public uint BackingId;
}

/// <summary>The answer of CREATE.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CreateReply
{
    public const int Size = EntryReply.Size + OpenReply.Size;

    public EntryReply Entry;
    public OpenReply Open;
}

/// <summary><c>fuse_release_in</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ReleaseRequest
{
    public const int Size = 24;

    public ulong Handle;
    public int Flags;
    public uint ReleaseFlags;
    public ulong LockOwner;
}

/// <summary><c>fuse_flush_in</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FlushRequest
{
    public const int Size = 24;

    public ulong Handle;
    public uint Unused;
    public uint Padding;
    public ulong LockOwner;
}

/// <summary><c>fuse_read_in</c> and <c>fuse_write_in</c>, which have the same shape.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TransferRequest
{
    public const int Size = 40;

    public ulong Handle;
    public long Offset;

    /// <summary>Bytes.</summary>
    public uint Length;
    public uint TransferFlags;
    public ulong LockOwner;

    /// <summary>O_* as the file has them now.</summary>
    public int FileFlags;
    public uint Padding;
}

/// <summary><c>fuse_write_out</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WriteReply
{
    public const int Size = 8;

    public uint Length;
    public uint Padding;
}

/// <summary><c>fuse_fsync_in</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SyncRequest
{
    public const int Size = 16;

    public ulong Handle;
    public uint Flags;
    public uint Padding;
}

/// <summary><c>fuse_fallocate_in</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AllocateRequest
{
    public const int Size = 32;

    public ulong Handle;
    public long Offset;
    public long Length;
    public int Mode;
    public uint Padding;
}

/// <summary><c>fuse_lseek_in</c>; the answer is the offset.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SeekRequest
{
    public const int Size = 24;

    public ulong Handle;
    public long Offset;
    public int Whence;
    public uint Padding;
}

/// <summary><c>fuse_copy_file_range_in</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CopyRangeRequest
{
    public const int Size = 56;

    public ulong FromHandle;
    public long FromOffset;
    public ulong ToNodeId;
    public ulong ToHandle;
    public long ToOffset;
    public ulong Length;
    public ulong Flags;
}
