using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>ost_layout, 28 bytes: how the object sits in its file (06 section 2.5).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct OstLayout
{
    public const int Size = 28;

    /// <summary>Bytes.</summary>
    public uint StripeSize;
    public uint StripeCount;
    public ulong CompStart;
    public ulong CompEnd;
    /// <summary>0 for plain layouts.</summary>
    public uint CompId;
}

/// <summary>
/// obdo, 208 bytes (06 section 2.2). In bulk read and write requests several fields carry something else than their name
/// says, whatever <see cref="Valid"/> holds; the aliases <see cref="Dirty"/>, <see cref="Undirty"/>, <see cref="Checksum"/>,
/// <see cref="Dropped"/> and <see cref="GrantUsed"/> name those meanings.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct Obdo
{
    /// <summary>Bytes of the whole structure; the object's size is <see cref="ObjectSize"/>.</summary>
    public const int Size = 208;

    public ObdoValid Valid;
    public OstId Oi;
    public ulong ParentSeq;
    /// <summary>o_size: object size; start of a PUNCH, FALLOCATE or SYNC range; offset of a SEEK.</summary>
    public ulong ObjectSize;
    /// <summary>Signed seconds.</summary>
    public long MTime;
    public long ATime;
    public long CTime;
    /// <summary>o_blocks: 512-byte units in replies; end of a PUNCH, FALLOCATE or SYNC range.</summary>
    public ulong Blocks;
    public ulong Grant;
    public uint BlockSize;
    /// <summary>o_mode; whence of a SEEK.</summary>
    public uint Mode;
    public uint Uid;
    public uint Gid;
    public ObdoFlags Flags;
    public uint NLink;
    public uint ParentOid;
    public uint Misc;
    public ulong IoEpoch;
    public uint StripeIndex;
    public uint ParentVer;
    /// <summary>Server cookie of the lock that covers a bulk I/O; only a hint.</summary>
    public ulong Handle;
    public OstLayout Layout;
    public uint LayoutVersion;
    public uint UidHigh;
    public uint GidHigh;
    public ulong DataVersion;
    public uint ProjectId;
    public uint Padding4;
    public ulong Padding5;
    public ulong Padding6;

    /// <summary>Bulk request: bytes of grant that are dirty in the client's cache.</summary>
    public ulong Dirty { readonly get => Blocks; set => Blocks = value; }

    /// <summary>Bulk request: total grant the client would like to hold, in bytes.</summary>
    public uint Undirty { readonly get => Mode; set => Mode = value; }

    /// <summary>Bulk: checksum of the data moved.</summary>
    public uint Checksum { readonly get => NLink; set => NLink = value; }

    /// <summary>FALLOCATE: mode.</summary>
    public FallocateMode FallocateMode { readonly get => (FallocateMode)NLink; set => NLink = (uint)value; }

    /// <summary>Bulk request: bytes of grant the client has lost.</summary>
    public uint Dropped { readonly get => Misc; set => Misc = value; }

    /// <summary>WRITE request: bytes of grant this request consumes.</summary>
    public ulong GrantUsed { readonly get => DataVersion; set => DataVersion = value; }

    public readonly bool Has(ObdoValid bits) => (Valid & bits) == bits;

    /// <summary>True when o_flags is valid and holds all of <paramref name="bits"/>.</summary>
    public readonly bool HasFlags(ObdoFlags bits) => Has(ObdoValid.Flags) && (Flags & bits) == bits;
}

/// <summary>ost_body: exactly one obdo.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct OstBody
{
    public const int Size = Obdo.Size;

    public Obdo Oa;
}
