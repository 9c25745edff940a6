using System.Net;
using Microsoft.Extensions.Logging;
using Nacre.LNet.Connections;
using Nacre.LNet.Wire;

namespace Nacre.LNet;

/// <summary>
/// Log messages of LNet: event ids 1000..1099. Those a peer can cause at will are written through <see cref="PeerLog"/>.
/// </summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Information, "LNet listens on {EndPoint} as {Nid}")]
    public static partial void Listening(ILogger log, IPEndPoint endPoint, Nid nid);

    [LoggerMessage(1001, LogLevel.Debug, "{Type} connection with {Peer} at {EndPoint}, HELLO version {Version}")]
    public static partial void Connected(ILogger log, ConnectionType type, PeerId peer, IPEndPoint endPoint, uint version);

    [LoggerMessage(1002, LogLevel.Information,
        "{Count} connections with {Peer} closed: {Reason} ({Suppressed} lines like this left out)")]
    public static partial void ConnectionsClosed(ILogger log, int count, PeerId peer, string reason, int suppressed);

    [LoggerMessage(1003, LogLevel.Information,
        "Caller {EndPoint} turned away: {Reason} ({Suppressed} lines like this left out)")]
    public static partial void TurnedAway(ILogger log, IPEndPoint endPoint, string reason, int suppressed);

    [LoggerMessage(1004, LogLevel.Warning,
        "Protocol violation on {Connection}: {What} ({Suppressed} lines like this left out)")]
    public static partial void ProtocolViolation(ILogger log, Connection connection, string what, int suppressed);

    [LoggerMessage(1005, LogLevel.Error, "Receive loop of {Connection} failed")]
    public static partial void ReceiveLoopFailed(ILogger log, Connection connection, Exception error);

    [LoggerMessage(1006, LogLevel.Error, "The receiver of portal {Portal} failed on a message from {Peer}")]
    public static partial void ReceiverFailed(ILogger log, int portal, PeerId peer, Exception error);

    [LoggerMessage(1007, LogLevel.Error, "A receiver failed at the end of a batch")]
    public static partial void BatchEndFailed(ILogger log, Exception error);

    [LoggerMessage(1008, LogLevel.Warning,
        "Accepting connections failed, trying again: {Reason} ({Suppressed} lines like this left out)")]
    public static partial void AcceptFailed(ILogger log, string reason, int suppressed);

    [LoggerMessage(1009, LogLevel.Information,
        "{Peer} restarted: incarnation {Old:x} is now {New:x} ({Suppressed} lines like this left out)")]
    public static partial void PeerRestarted(ILogger log, PeerId peer, ulong old, ulong @new, int suppressed);

    [LoggerMessage(1010, LogLevel.Error, "A handler of PeerLost failed")]
    public static partial void PeerLostHandlerFailed(ILogger log, Exception error);

    [LoggerMessage(1011, LogLevel.Error, "Looking for timeouts failed")]
    public static partial void TickFailed(ILogger log, Exception error);

    [LoggerMessage(1012, LogLevel.Error, "Setting up the connection with {EndPoint} failed")]
    public static partial void HandshakeFailed(ILogger log, IPEndPoint endPoint, Exception error);
}
