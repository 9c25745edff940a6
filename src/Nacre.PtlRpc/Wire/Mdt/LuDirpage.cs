using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>Header of one page of directory entries (05 section 4.2). Pages are 4096 bytes whatever the machine.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LuDirpage
{
    /// <summary>Bytes of the header; entries follow back to back.</summary>
    public const int Size = 24;
    /// <summary>Bytes of a whole page.</summary>
    public const int PageSize = 4096;
    /// <summary>MDS_DIR_END_OFF: hash of "nothing comes after".</summary>
    public const ulong End = 0xffff_ffff_ffff_fffe;
    /// <summary>LDF_EMPTY: no entries.</summary>
    public const uint FlagEmpty = 1;
    /// <summary>LDF_COLLIDE: the last entry's hash equals <see cref="HashEnd"/>.</summary>
    public const uint FlagCollide = 2;

    public ulong HashStart;
    public ulong HashEnd;
    public uint Flags;
    public uint Pad;
}

/// <summary>Fixed part of a directory entry; the name follows, then the type (05 section 4.3).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LuDirent
{
    public const int Size = 32;

    public LuFid Fid;
    public ulong Hash;
    /// <summary>Bytes to the next entry; 0 in the last entry of a page.</summary>
    public ushort RecordLength;
    public ushort NameLength;
    public LuDirentAttrs Attrs;

    /// <summary>Bytes of a record with a type, padding included.</summary>
    public static int LengthWithType(int nameLength) =>
        RoundUp(RoundUp(Size + nameLength + 1, 2) + 2, 8);

    /// <summary>Bytes of a record without a type, padding included.</summary>
    public static int LengthWithoutType(int nameLength) => RoundUp(Size + nameLength + 1, 8);

    /// <summary>Where the 2-byte type stands in the record.</summary>
    public static int TypeOffset(int nameLength) => Size + RoundUp(nameLength, 2);

    private static int RoundUp(int value, int to) => (value + to - 1) & -to;
}

/// <summary>LUDA_*: what a directory record holds.</summary>
[Flags]
public enum LuDirentAttrs : uint
{
    None = 0,
    Fid = 1,
    Type = 2,
    Hash64 = 4,
}
