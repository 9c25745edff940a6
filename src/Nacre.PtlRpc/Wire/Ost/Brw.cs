using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>obd_ioobj, 24 bytes (06 section 2.6). Exactly one per bulk request is legal.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct ObdIoobj
{
    public const int Size = 24;
    /// <summary>Most niobufs one bulk request may hold.</summary>
    public const int MaxNiobufs = 16384;

    public OstId Oid;
    /// <summary>High half: most MDs minus one; low half 0.</summary>
    public uint MaxBrw;
    public uint BufferCount;

    /// <summary>Number of match bits the client reserved; a power of two in a valid request, 65536 with short I/O.</summary>
    public readonly int MaxMds => (int)(MaxBrw >> 16) + 1;
}

/// <summary>niobuf_remote, 16 bytes: one byte range of the object (06 section 2.7).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct NiobufRemote
{
    public const int Size = 16;

    public ulong Offset;
    /// <summary>Bytes, more than 0.</summary>
    public uint Length;
    public NiobufFlags Flags;

    public readonly ulong End => Offset + Length;
}
