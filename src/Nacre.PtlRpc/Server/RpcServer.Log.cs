using Microsoft.Extensions.Logging;
using Nacre.LNet;

namespace Nacre.PtlRpc;

/// <summary>Log lines 2000 to 2099. Those a peer can cause at will are limited in number by their callers.</summary>
public sealed partial class RpcServer
{
    [LoggerMessage(2000, LogLevel.Information, "{Target}: served")]
    private static partial void LogTargetAdded(ILogger log, string target);

    [LoggerMessage(2001, LogLevel.Information, "{Target}: no longer served")]
    private static partial void LogTargetRemoved(ILogger log, string target);

    [LoggerMessage(2002, LogLevel.Information, "{Target}: client {Client} at {Peer} connected, handle {Handle:x}")]
    private static partial void LogConnected(ILogger log, string target, string client, PeerId peer, ulong handle);

    [LoggerMessage(2003, LogLevel.Information, "{Target}: client {Client} at {Peer} reconnected, connection {Count}")]
    private static partial void LogReconnected(ILogger log, string target, string client, PeerId peer, uint count);

    [LoggerMessage(2004, LogLevel.Information,
        "{Target}: connect of client {Client} at {Peer} refused with {Error} ({Suppressed} lines like this left out)")]
    private static partial void LogConnectRefused(
        ILogger log, string target, string client, PeerId peer, string error, int suppressed);

    [LoggerMessage(2005, LogLevel.Warning, "{Target}: client {Client} at {Peer} evicted: {Reason}")]
    private static partial void LogEvicted(ILogger log, string target, string client, PeerId peer, string reason);

    [LoggerMessage(2006, LogLevel.Information, "{Target}: client {Client} at {Peer} has been silent for {Seconds} s")]
    private static partial void LogSuspected(ILogger log, string target, string client, PeerId peer, long seconds);

    [LoggerMessage(2007, LogLevel.Error, "{Target}: cleaning up after client {Client} failed")]
    private static partial void LogCloseFailed(ILogger log, Exception failure, string target, string client);

    [LoggerMessage(2008, LogLevel.Information,
        "{Target}: another run of the node at {Peer} has connected; client {Client} is evicted unless it is heard of soon")]
    private static partial void LogOrphaned(ILogger log, string target, string client, PeerId peer);

    [LoggerMessage(2010, LogLevel.Warning,
        "{Bytes} bytes from {Peer} on portal {Portal} are not a request: {Why} ({Suppressed} lines like this left out)")]
    private static partial void LogMalformed(ILogger log, PeerId peer, int portal, int bytes, string why, int suppressed);

    [LoggerMessage(2011, LogLevel.Warning,
        "{Target}: request of client {Client} dropped, {Requests} of its requests, {Own} bytes of its node and {Bytes} bytes of all are waiting "
        + "({Suppressed} lines like this left out)")]
    private static partial void LogOverloaded(
        ILogger log, string target, string client, int requests, long own, long bytes, int suppressed);

    [LoggerMessage(2012, LogLevel.Warning,
        "bulk of {Operation} {Xid:x} with {Peer} failed: {Why} ({Suppressed} lines like this left out)")]
    private static partial void LogBulkFailed(ILogger log, string operation, ulong xid, PeerId peer, string why, int suppressed);

    [LoggerMessage(2013, LogLevel.Warning,
        "{Operation} {Xid:x} of client {Client} takes longer than early replies may ask for ({Suppressed} lines like this left out)")]
    private static partial void LogDrawnOut(ILogger log, string operation, ulong xid, string client, int suppressed);

    [LoggerMessage(2014, LogLevel.Error, "{Operation} {Xid:x} of client {Client} failed unexpectedly")]
    private static partial void LogHandlerFailed(ILogger log, Exception failure, string operation, ulong xid, string client);

    [LoggerMessage(2015, LogLevel.Error, "receiving from {Peer} on portal {Portal} failed unexpectedly")]
    private static partial void LogReceiveFailed(ILogger log, Exception failure, PeerId peer, int portal);
}
