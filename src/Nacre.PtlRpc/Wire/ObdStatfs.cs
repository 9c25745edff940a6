using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary><c>obd_statfs</c>, the reply to MDS_STATFS and OST_STATFS (05 section 3.2, 06 section 2.9).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct ObdStatfs
{
    public const int Size = 144;

    public ulong Type;

    /// <summary>Total, in units of <see cref="BlockSize"/>.</summary>
    public ulong Blocks;
    public ulong BlocksFree;
    public ulong BlocksAvailable;
    public ulong Files;
    public ulong FilesFree;
    public FsidBytes Fsid;

    /// <summary>Non-zero power of two: 0 crashes a kernel client.</summary>
    public uint BlockSize;
    public uint NameLength;
    public ulong MaxBytes;
    public StatfsState State;
    public uint FilesPrecreated;
    public uint Granted;
    public SpareArray Spare;

    [InlineArray(40)]
    public struct FsidBytes
    {
        private byte _first;
    }

    [InlineArray(7)]
    public struct SpareArray
    {
        private uint _first;
    }
}

/// <summary><c>os_state</c>.</summary>
[Flags]
public enum StatfsState : uint
{
    None = 0,
    Degraded = 0x1,
    ReadOnly = 0x2,
    NoPrecreate = 0x4,
    NoSpace = 0x20,
    NoInodes = 0x40,

    /// <summary>The numbers are of the whole file system; only an MDT says so.</summary>
    Sum = 0x100,
    NonRotational = 0x200,
}
