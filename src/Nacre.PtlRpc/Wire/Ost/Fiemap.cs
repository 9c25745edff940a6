using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>fiemap header, 32 bytes (06 section 2.10); <see cref="FiemapExtent"/>s follow it.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct Fiemap
{
    public const int Size = 32;
    public const uint FlagSync = 0x1;
    public const uint FlagDeviceOrder = 0x4000_0000;

    public ulong Start;
    public ulong Length;
    public uint Flags;
    public uint MappedExtents;
    public uint ExtentCount;
    public uint Reserved;
}

/// <summary>fiemap_extent, 56 bytes (06 section 2.10).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct FiemapExtent
{
    public const int Size = 56;
    public const uint FlagLast = 0x1;
    public const uint FlagUnknown = 0x2;
    public const uint FlagUnwritten = 0x800;

    /// <summary>Byte offset in the object.</summary>
    public ulong Logical;
    public ulong Physical;
    public ulong Length;
    public ulong Reserved0;
    public ulong Reserved1;
    public uint Flags;
    /// <summary>Filled by the client; zero from the OST.</summary>
    public uint Device;
    public ulong Reserved2;
}

/// <summary>ll_fiemap_info_key, 248 bytes: the key of OST_GET_INFO "fiemap".</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LlFiemapInfoKey
{
    public const int Size = 248;

    public FiemapKeyName Name;
    public Obdo Oa;
    public Fiemap Fiemap;
}

/// <summary>char[8], "fiemap" padded with NULs.</summary>
[InlineArray(8)]
public struct FiemapKeyName
{
    private byte _first;
}
