using System.Buffers.Binary;
using Nacre.LNet;

namespace Nacre.Bench.Client;

/// <summary>The two ends of the messages a client sends: what every LNet header begins with.</summary>
internal readonly record struct Route(PeerId From, PeerId To);

/// <summary>Bytes in front of every LNet payload: socklnd header (24) and LNet header (72), 01 sections 6.1 and 9.</summary>
internal static class Frame
{
    public const int SocklndSize = 24;
    public const int Size = 96;

    /// <summary>Frames below this many bytes travel on the CONTROL connection (01 section 5.2).</summary>
    public const int MinBulk = 1024;

    public const uint TypeNoop = 0xC0;
    public const uint TypeLNet = 0xC1;

    public const uint Ack = 0;
    public const uint Put = 1;
    public const uint Get = 2;
    public const uint Reply = 3;

    // Offsets from the start of the frame.
    public const int RequestCookie = 8;
    public const int AckCookie = 16;
    public const int MessageType = SocklndSize + 24;
    public const int PayloadLength = SocklndSize + 28;

    /// <summary>16 bytes: the sender's handle in a PUT (ack), a GET (return); the echo of it in an ACK or REPLY.</summary>
    public const int Handle = SocklndSize + 32;
    public const int HandleSize = 16;
    public const int MatchBits = SocklndSize + 48;
    public const int PutPortal = SocklndSize + 64;
    public const int GetPortal = SocklndSize + 56;
    public const int PutOffset = SocklndSize + 68;
    public const int SinkLength = SocklndSize + 64;
    public const int AckLength = SocklndSize + 56;

    /// <summary>Fills 96 bytes: a message of the type with this payload length, everything specific to the type zero.</summary>
    public static void Write(Span<byte> frame, Route route, uint type, int payloadLength)
    {
        frame[..Size].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(frame, TypeLNet);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[SocklndSize..], route.To.Nid.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[(SocklndSize + 8)..], route.From.Nid.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[(SocklndSize + 16)..], route.To.Pid);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[(SocklndSize + 20)..], route.From.Pid);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[MessageType..], type);
        BinaryPrimitives.WriteInt32LittleEndian(frame[PayloadLength..], payloadLength);
    }

    /// <summary>A PUT that wants no ACK, as all requests are.</summary>
    public static void WritePut(Span<byte> frame, Route route, int portal, ulong matchBits, int payloadLength)
    {
        Write(frame, route, Put, payloadLength);
        frame.Slice(Handle, HandleSize).Fill(0xFF);
        BinaryPrimitives.WriteUInt64LittleEndian(frame[MatchBits..], matchBits);
        BinaryPrimitives.WriteInt32LittleEndian(frame[PutPortal..], portal);
    }
}
