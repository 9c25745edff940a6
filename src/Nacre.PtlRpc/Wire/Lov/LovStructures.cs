using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>First word of a layout EA (05 section 11). Layouts are little-endian on every machine.</summary>
public enum LovMagic : uint
{
    None = 0,
    V1 = 0x0bd1_0bd0,
    /// <summary>With a pool name.</summary>
    V3 = 0x0bd3_0bd0,
    /// <summary>User form only: V3 header and an explicit list of OSTs.</summary>
    Specific = 0x0bd5_0bd0,
    CompV1 = 0x0bd6_0bd0,
    Foreign = 0x0bd7_0bd0,
    /// <summary>Stored form of self-extending layouts; never on the wire.</summary>
    Sel = 0x0bd8_0bd0,
    /// <summary>LMV_USER_MAGIC: a default directory layout where a file layout could stand.</summary>
    LmvUser = 0x0cd3_0cd0,
    /// <summary>LMV_USER_MAGIC with a list of MDTs.</summary>
    LmvUserSpecific = 0x0cd4_0cd0,
}

/// <summary><c>lmm_pattern</c> (05 section 11.1).</summary>
[Flags]
public enum LovPattern : uint
{
    None = 0,
    Raid0 = 0x1,
    Mdt = 0x100,
    Overstriping = 0x200,
    Foreign = 0x400,
    Hole = 0x4000_0000,
    Released = 0x8000_0000,
}

/// <summary><c>lcme_flags</c> (05 section 11.2).</summary>
[Flags]
public enum LovCompFlags : uint
{
    None = 0,
    Stale = 0x1,
    PreferRead = 0x2,
    PreferWrite = 0x4,
    Offline = 0x8,
    /// <summary>Instantiated: the component has its objects.</summary>
    Init = 0x10,
    NoSync = 0x20,
    Extension = 0x40,
    Negative = 0x8000_0000,
}

/// <summary>Numbers every layout shares.</summary>
public static class Lov
{
    /// <summary>Bytes: stripe sizes and component borders are multiples of it.</summary>
    public const uint StripeSizeUnit = 65536;
    /// <summary>Most objects of one layout this server makes (LOV_MAX_STRIPE_COUNT, 05 section 11.4).</summary>
    public const int MaxStripeCount = 2000;
    /// <summary>Most components accepted of a client; an EA of them stays below 64 KiB.</summary>
    public const int MaxComponents = 128;
    /// <summary>End of file as an extent end.</summary>
    public const ulong Eof = ulong.MaxValue;
    /// <summary>"Any" as a stripe offset, "all" as a stripe count.</summary>
    public const ushort Any = 0xffff;
    /// <summary>Bytes of a pool name with its NUL.</summary>
    public const int PoolNameSize = 16;
    public const uint MaxComponentId = 0x7fff_ffff;
}

/// <summary>Head of <c>lov_mds_md_v1</c> / <c>lov_user_md_v1</c>; V3 adds 16 bytes of pool name.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LovMdsMd
{
    /// <summary>Bytes of a V1 head.</summary>
    public const int Size = 32;
    /// <summary>Bytes of a V3 head.</summary>
    public const int SizeV3 = Size + Lov.PoolNameSize;

    public LovMagic Magic;
    public LovPattern Pattern;
    /// <summary>FID oid of the file.</summary>
    public ulong OiId;
    /// <summary>FID sequence of the file.</summary>
    public ulong OiSeq;
    /// <summary>Bytes.</summary>
    public uint StripeSize;
    public ushort StripeCount;
    /// <summary>Layout generation; in the user form and in templates the first OST index.</summary>
    public ushort LayoutGen;
}

/// <summary><c>lov_ost_data_v1</c>: one object of a layout.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LovOstData
{
    public const int Size = 24;

    /// <summary><c>ost_id</c> in FID form; the legacy form {id, sequence 0} reads as Seq = id, Oid = Ver = 0.</summary>
    public LuFid Object;
    public uint OstGen;
    public uint OstIndex;
}

/// <summary><c>lov_comp_md_v1</c>: head of a composite layout; entries and blobs follow.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LovCompMd
{
    public const int Size = 32;

    public LovMagic Magic;
    /// <summary>Bytes of the whole EA.</summary>
    public uint TotalSize;
    public uint LayoutGen;
    public ushort Flags;
    public ushort EntryCount;
    /// <summary>Mirrors minus one.</summary>
    public ushort MirrorCount;
    public ushort Padding1;
    public uint Padding2;
    public ulong Padding3;
}

/// <summary><c>lov_comp_md_entry_v1</c>: one component of a composite layout.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LovCompEntry
{
    public const int Size = 48;

    public uint Id;
    public LovCompFlags Flags;
    public ulong Start;
    public ulong End;
    /// <summary>Of the component's blob from the start of the EA, bytes.</summary>
    public uint Offset;
    public uint BlobSize;
    public uint LayoutGen;
    public ulong Timestamp;
    public uint Padding;
}

/// <summary>Head of <c>lov_foreign_md</c>; the value follows.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LovForeignMd
{
    public const int Size = 16;

    public LovMagic Magic;
    public uint Length;
    public uint Type;
    public uint Flags;
}

/// <summary>Head of <c>lmv_user_md_v1</c> (05 section 12).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public unsafe struct LmvUserMd
{
    public const int Size = 48;

    public LovMagic Magic;
    public uint StripeCount;
    /// <summary>MDT index, all ones for any.</summary>
    public uint StripeOffset;
    public uint HashType;
    public uint Type;
    public byte MaxInherit;
    public byte MaxInheritRoundRobin;
    public ushort Padding1;
    public ulong Padding2;
    public fixed byte PoolName[Lov.PoolNameSize];
}
