using System.Net;

namespace Nacre.Testing.Captures;

/// <summary>What one frame of a connection is.</summary>
public enum FrameKind
{
    /// <summary>Acceptor request and HELLO of the caller, or the HELLO that answers it.</summary>
    Hello,

    /// <summary>One socklnd message, with the LNet message and payload it carries.</summary>
    Message,
}

/// <summary>One unit of a connection's byte stream, whole.</summary>
/// <param name="Connection">Number of the TCP connection, the same for both directions.</param>
/// <param name="FromCaller">Sent by the side that dialled.</param>
/// <param name="Time">Of its last byte: since the epoch in a packet capture, else since the start of the recording.</param>
public sealed record Frame(
    int Connection, bool FromCaller, IPEndPoint Source, IPEndPoint Destination, FrameKind Kind, ReadOnlyMemory<byte> Bytes, TimeSpan Time);
