using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>ladvise_hdr, 32 bytes (06 section 2.11).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LadviseHdr
{
    public const int Size = 32;
    public const uint MagicValue = 0x1ADF_1CE0;
    /// <summary>LF_ASYNC and LF_UNSET.</summary>
    public const ulong KnownFlags = 0x3;

    public uint Magic;
    public uint Count;
    public ulong Flags;
    public uint Value1;
    public uint Value2;
    public ulong Value3;
}

/// <summary>lu_ladvise, 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LuLadvise
{
    public const int Size = 32;

    public LadviseKind Advice;
    public ushort Value1;
    public uint Value2;
    public ulong Start;
    /// <summary>Exclusive.</summary>
    public ulong End;
    public uint Value3;
    public uint Value4;
}

public enum LadviseKind : ushort
{
    WillRead = 1,
    DontNeed = 2,
    /// <summary>Handled by the client.</summary>
    LockNoExpand = 3,
    /// <summary>Handled by the client.</summary>
    LockAhead = 4,
}
