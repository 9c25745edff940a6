using System.Runtime.InteropServices;

namespace Nacre.Fuse.Protocol;

/// <summary><c>fuse_statx_in</c> (7.39).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StatxRequest
{
    public const int Size = 24;

    public uint GetAttributesFlags;
    public uint Reserved;
    public ulong Handle;
    public uint Flags;
    public uint Mask;
}

/// <summary><c>fuse_sx_time</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StatxTime
{
    public long Seconds;
    public uint Nanoseconds;
    public int Reserved;
}

/// <summary><c>fuse_statx_out</c> with the <c>fuse_statx</c> it holds.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct StatxReply
{
    public const int Size = 288;

    /// <summary>STATX_BASIC_STATS and STATX_BTIME.</summary>
    public const uint BasicAndBirthTime = 0xFFF;

    public ulong Valid;
    public uint ValidNanoseconds;
    public uint Flags;
    public fixed ulong Spare[2];
    public uint Mask;
    public uint BlockSize;
    public ulong AttributeFlags;
    public uint LinkCount;
    public uint Uid;
    public uint Gid;
    public ushort Mode;
    public ushort Spare0;
    public ulong Inode;
    public ulong FileSize;
    public ulong Blocks;
    public ulong AttributesMask;
    public StatxTime AccessTime;
    public StatxTime BirthTime;
    public StatxTime ChangeTime;
    public StatxTime ModifyTime;
    public uint DeviceMajor;
    public uint DeviceMinor;
    public uint FileSystemMajor;
    public uint FileSystemMinor;
    public fixed ulong Spare2[14];
}
