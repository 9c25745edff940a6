using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>Commands of configuration records (04 section 6.2). Bit 0x1000 marks a command whose failure fails the mount.</summary>
public enum LcfgCommand : uint
{
    Attach = 0xcf001,
    Detach = 0xcf002,
    Setup = 0xcf003,
    Cleanup = 0xcf004,
    AddUuid = 0xcf005,
    DelUuid = 0xcf006,
    MountOpt = 0xcf007,
    AddConn = 0xcf00b,
    LovAddObd = 0xcf00d,
    Param = 0xcf00f,
    Marker = 0xcf010,
    LovAddInactive = 0xce013,
    AddMdc = 0xcf014,
    SetParam = 0xce032,
}

/// <summary>Fixed part of <c>lustre_cfg</c>; the buffer lengths (u32 each) and the 8-aligned buffers follow. 32 bytes (04 section 6.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LustreCfg
{
    public const int Size = 32;
    public const uint CurrentVersion = 0x1cf6_0001;
    public const int MaxBuffers = 7;

    public uint Version;
    public LcfgCommand Command;
    public uint Num;
    public uint Flags;
    public ulong Nid;
    public uint Nal;
    public uint BufCount;
}

/// <summary>States of a block of records, told by its markers (04 section 6.3).</summary>
[Flags]
public enum CfgMarkerFlags : uint
{
    None = 0,
    Start = 0x1,
    End = 0x2,
    Skip = 0x4,
    Exclude = 0x10,
}

/// <summary>A name field of 64 bytes, NUL-terminated.</summary>
[InlineArray(Length)]
public struct Name64
{
    public const int Length = 64;
    private byte _first;
}

/// <summary>Opens or closes a block of records. 160 bytes (04 section 6.3).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct CfgMarker
{
    public const int Size = 160;

    /// <summary>Number of the change, the same in both markers of a block.</summary>
    public uint Step;
    public CfgMarkerFlags Flags;

    /// <summary>Version code of the writer.</summary>
    public uint Vers;
    public uint Padding;

    /// <summary>Seconds since 1970.</summary>
    public long CreateTime;

    /// <summary>Seconds since 1970 when the block was skipped or excluded, else 0.</summary>
    public long CancelTime;
    public Name64 TargetName;
    public Name64 Comment;
}

/// <summary>Argument of the SETUP of a lov device. 88 bytes (04 section 6.5).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LovDesc
{
    public const int Size = 88;
    public const uint Magic = 0xb0cc_de5c;

    public uint TargetCount;
    public uint ActiveTargetCountOrMagic;
    public int DefaultStripeCount;
    public uint Pattern;

    /// <summary>Bytes.</summary>
    public ulong DefaultStripeSize;
    public long DefaultStripeOffset;
    public uint Padding0;

    /// <summary>Seconds.</summary>
    public uint QosMaxAge;
    public ulong Padding1;
    public ObdUuid Uuid;
}

/// <summary>Argument of the SETUP of an lmv device. 88 bytes (04 section 6.5).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LmvDesc
{
    public const int Size = 88;

    public uint TargetCount;
    public uint ActiveTargetCount;
    public uint DefaultStripeCount;
    public uint Pattern;
    public ulong DefaultHashSize;
    public ulong Padding1;
    public uint Padding2;
    public uint QosMaxAge;
    public ulong Padding3;
    public ObdUuid Uuid;
}

/// <summary>Request of MGS_CONFIG_READ. 80 bytes (04 section 9.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct MgsConfigBody
{
    public const int Size = 80;
    public const ushort TypeRecover = 2;

    public Name64 Name;

    /// <summary>First table version wanted.</summary>
    public ulong Offset;
    public ushort Type;
    public byte NodemapPass;

    /// <summary>log2 of the unit size in bytes.</summary>
    public byte Bits;

    /// <summary>Units of bulk buffer offered.</summary>
    public uint Units;
}

/// <summary>Reply of MGS_CONFIG_READ. 16 bytes (04 section 9.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct MgsConfigRes
{
    public const int Size = 16;

    /// <summary>Version up to which entries were delivered.</summary>
    public ulong Offset;

    /// <summary>Current version of the table.</summary>
    public ulong TableVersion;
}

/// <summary>Fixed part of an entry of the table of target NIDs; the NIDs (u64 each) follow. 24 bytes (04 section 9.2).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct MgsNidtblEntry
{
    public const int Size = 24;
    public const byte TypeMdt = 1;
    public const byte TypeOst = 2;

    public ulong Version;

    /// <summary>Start counter of the target: the <c>ocd_instance</c> of its connect replies.</summary>
    public uint Instance;
    public uint Index;

    /// <summary>Bytes of the entry, NIDs and padding included.</summary>
    public uint Length;
    public byte Type;
    public byte NidType;
    public byte NidSize;
    public byte NidCount;
}
