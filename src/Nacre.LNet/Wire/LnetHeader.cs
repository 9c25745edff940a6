using System.Runtime.InteropServices;

namespace Nacre.LNet.Wire;

/// <summary>Kinds of LNet messages. ACK is 0: a zeroed header is an ACK (01 section 9.1).</summary>
public enum LnetMessageType : uint
{
    Ack = 0,
    Put = 1,
    Get = 2,
    Reply = 3,

    /// <summary>Only inside a version 1 HELLO; elsewhere a protocol error.</summary>
    Hello = 4,
}

/// <summary>Part of a PUT (01 section 9.3), 40 bytes at offset 32 of the header.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LnetPut
{
    /// <summary>To be named in the ACK; <see cref="WireHandle.None"/> when none is wanted.</summary>
    public WireHandle AckHandle;
    public ulong MatchBits;
    public ulong HdrData;
    public uint Portal;

    /// <summary>Where the data goes in a buffer that lets the sender choose.</summary>
    public uint Offset;
}

/// <summary>Part of a GET (01 section 9.3).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LnetGet
{
    /// <summary>To be named in the REPLY.</summary>
    public WireHandle ReturnHandle;
    public ulong MatchBits;
    public uint Portal;
    public uint SrcOffset;

    /// <summary>Bytes wanted.</summary>
    public uint SinkLength;
    private readonly uint _pad;
}

/// <summary>Part of a REPLY (01 section 9.3).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LnetReply
{
    /// <summary>Copy of the GET's handle.</summary>
    public WireHandle DstHandle;
}

/// <summary>Part of an ACK (01 section 9.3).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LnetAck
{
    /// <summary>Copy of the PUT's handle.</summary>
    public WireHandle DstHandle;
    public ulong MatchBits;

    /// <summary>Bytes stored.</summary>
    public uint StoredLength;
}

/// <summary><c>lnet_hdr</c> (01 section 9.1), 72 bytes, always little-endian. Destination before source.</summary>
[StructLayout(LayoutKind.Explicit, Pack = 1, Size = Size)]
public struct LnetHeader
{
    public const int Size = 72;

    /// <summary><c>LNET_MTU</c>: most payload bytes of one message.</summary>
    public const int MaxPayload = 1 << 20;

    /// <summary>Portals are 0..63.</summary>
    public const int PortalCount = 64;

    [FieldOffset(0)] public Nid DestNid;
    [FieldOffset(8)] public Nid SrcNid;
    [FieldOffset(16)] public uint DestPid;
    [FieldOffset(20)] public uint SrcPid;
    [FieldOffset(24)] public LnetMessageType Type;
    [FieldOffset(28)] public uint PayloadLength;
    [FieldOffset(32)] public LnetPut Put;
    [FieldOffset(32)] public LnetGet Get;
    [FieldOffset(32)] public LnetReply Reply;
    [FieldOffset(32)] public LnetAck Ack;
}

/// <summary>A socklnd LNET message up to its payload: 96 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LnetMessage
{
    public const int Size = KsockHeader.Size + LnetHeader.Size;

    public KsockHeader Ksock;
    public LnetHeader Lnet;
}
