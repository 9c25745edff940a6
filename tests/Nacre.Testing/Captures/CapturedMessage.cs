using Nacre.PtlRpc.Wire;

namespace Nacre.Testing.Captures;

public enum CapturedKind
{
    Ack = 0,
    Put = 1,
    Get = 2,
    Reply = 3,
}

/// <summary>One LNet message of a packet capture.</summary>
/// <param name="Time">Since the epoch.</param>
/// <param name="Source">IPv4 address of the sender.</param>
/// <param name="Portal">Of a PUT or GET, else -1.</param>
/// <param name="MatchBits">Of a PUT or GET, else 0.</param>
/// <param name="Offset">Of a PUT: where the sender wants the payload.</param>
/// <param name="Handle">Handle an ACK or REPLY answers, or a GET wants answered: 16 bytes.</param>
public sealed record CapturedMessage(
    string Capture,
    TimeSpan Time,
    string Source,
    string Destination,
    CapturedKind Kind,
    int Portal,
    ulong MatchBits,
    uint Offset,
    Guid Handle,
    byte[] Payload)
{
    /// <summary>A request or reply of the RPC layer.</summary>
    public bool IsRpc => Kind == CapturedKind.Put && LustreMessage.TryParse(Payload, out _) == MessageError.None;

    /// <summary>The RPC message; only for <see cref="IsRpc"/>.</summary>
    public LustreMessage Message => LustreMessage.TryParse(Payload, out var message) == MessageError.None
        ? message
        : throw new InvalidOperationException("not an RPC message");

    public PtlrpcBody Body
    {
        get
        {
            Message.ReadBody(out var body);
            return body;
        }
    }

    public override string ToString() => $"{Capture} {Source}>{Destination} {Kind} portal {Portal} bits {MatchBits:x}";
}

/// <summary>A request with what answered it.</summary>
public sealed record CapturedRpc(CapturedMessage Request, IReadOnlyList<CapturedMessage> EarlyReplies, CapturedMessage? Reply);
