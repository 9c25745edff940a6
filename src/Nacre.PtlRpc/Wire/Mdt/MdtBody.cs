using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary><c>mdt_body</c>: what a client says about an object and itself, and what the server says about an object.
/// Which fields of a reply count is said by <see cref="Valid"/>; the others are ignored (05 section 2).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct MdtBody
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = 216;

    /// <summary>Request: the object, or the parent of NAME. Reply: the object described.</summary>
    public LuFid Fid1;
    /// <summary>Request: the child of a lookup by FID, or a second object.</summary>
    public LuFid Fid2;
    /// <summary>Reply to an open: cookie of the open handle.</summary>
    public ulong OpenHandle;
    public ObdMd Valid;
    /// <summary>Bytes; in MDS_READPAGE requests the hash to start from.</summary>
    public ulong ObjectSize;
    /// <summary>Seconds since 1970, signed.</summary>
    public long Mtime;
    public long Atime;
    public long Ctime;
    /// <summary>512-byte blocks.</summary>
    public ulong Blocks;
    public ulong Version;
    public ulong TState;
    public uint FsUid;
    public uint FsGid;
    /// <summary>Low 32 bits of the caller's effective capabilities.</summary>
    public uint Capability;
    /// <summary>st_mode; in MDS_READPAGE requests the LUDA_* bits wanted.</summary>
    public uint Mode;
    public uint Uid;
    public uint Gid;
    /// <summary>LUSTRE_*_FL inode flags.</summary>
    public uint Flags;
    /// <summary>16-bit "old" device encoding.</summary>
    public uint Rdev;
    /// <summary>Link count; in MDS_READPAGE requests the bytes the client can take.</summary>
    public uint Nlink;
    public uint LayoutGen;
    /// <summary>One supplementary group of the caller, or 0xffffffff.</summary>
    public uint Suppgid;
    /// <summary>Request: bytes reserved for MDT_MD or EADATA. Reply: bytes used there.</summary>
    public uint EaDataSize;
    public uint AclSize;
    public uint MaxMdSize;
    public uint Unused3;
    public uint UidHigh;
    public uint GidHigh;
    public uint Projid;
    public ulong DomSize;
    public ulong DomBlocks;
    public long Btime;
    public ulong Padding9;
    public ulong Padding10;
}
