using System.Runtime.InteropServices;

namespace Nacre.Fuse.Protocol;

/// <summary><c>fuse_init_in</c>; kernels before 7.36 send the first 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct InitRequest
{
    public const int Size = 64;
    public const int OldSize = 16;

    public uint Major;
    public uint Minor;

    /// <summary>Bytes.</summary>
    public uint MaxReadAhead;
    public uint Flags;
    public uint Flags2;
    public fixed uint Unused[11];
}

/// <summary><c>fuse_init_out</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct InitReply
{
    public const int Size = 64;

    public uint Major;
    public uint Minor;
    public uint MaxReadAhead;
    public uint Flags;

    /// <summary>Requests nobody waits for (read-ahead, write-back, asynchronous direct I/O) at a time.</summary>
    public ushort MaxBackground;
    public ushort CongestionThreshold;

    /// <summary>Bytes of data of one WRITE.</summary>
    public uint MaxWrite;

    /// <summary>Granularity of times, nanoseconds.</summary>
    public uint TimeGranularity;

    /// <summary>Pages of data of one request.</summary>
    public ushort MaxPages;
    public ushort MapAlignment;
    public uint Flags2;
    public uint MaxStackDepth;
    public ushort RequestTimeout;
    public fixed ushort Unused[11];
}
