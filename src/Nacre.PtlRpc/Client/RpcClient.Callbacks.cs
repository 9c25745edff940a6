using Microsoft.Extensions.Logging;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>Portal 15: requests of servers to this client (02 section 6.11).</summary>
public sealed partial class RpcClient
{
    void IPutReceiver.OnPut(in IncomingPut put)
    {
        try
        {
            Receive(put);
        }
        catch (Exception failure)
        {
            LogReceiveFailed(Log, failure, put.Source);
        }
    }

    private void Receive(in IncomingPut put)
    {
        if (LustreMessage.TryParse(put.Payload, out var message) is var error and not MessageError.None)
        {
            if (_peerLines.TryEnter(out var suppressed))
            {
                LogMalformed(Log, put.Source, put.Payload.Length, error, suppressed);
            }

            return;
        }

        message.ReadBody(out var body);
        if (body.Type != MessageType.Request || (body.Version & ServiceVersion.MessageMask) != ServiceVersion.Message)
        {
            return;
        }

        if (!_imports.TryGetValue(body.Handle, out var import))
        {
            RefuseUnknown(put, message, body);
            return;
        }

        // A server may use any of its NIDs, and any connection; a callback does not depend on who dialled.
        if (import.TryBeginCallback(put.MatchBits))
        {
            _ = HandleAsync(new CallbackRequest(import, put, message, body));
        }
    }

    private async Task HandleAsync(CallbackRequest request)
    {
        try
        {
            await RunAsync(request).ConfigureAwait(false);
            if (!request.IsDropped)
            {
                Answer(request);
            }
        }
        catch (Exception failure)
        {
            LogCallbackFailed(Log, failure, Opcode.Name(request.Opcode), request.Xid, request.Peer);
        }

        request.Import.EndCallback(request.Xid);
        request.End();
    }

    private async ValueTask RunAsync(CallbackRequest request)
    {
        if (request.Import.Options.Callbacks is not { } handler)
        {
            request.Fail(Errno.EPROTO, rpcLevel: true);
            return;
        }

        try
        {
            await handler.HandleAsync(request).ConfigureAwait(false);
        }
        catch (ErrnoException expected)
        {
            request.Fail(expected.Errno, expected is RpcException { RpcLevel: true });
        }
        catch (Exception failure)
        {
            LogCallbackFailed(Log, failure, Opcode.Name(request.Opcode), request.Xid, request.Peer);
            request.Fail(Errno.EIO, rpcLevel: true);
        }
    }

    private void Answer(CallbackRequest request)
    {
        var byMatchBits = request.Import.HasGranted(ConnectFlags2.RepMbits) && request.Body.MatchBits != 0;
        LNet.TryPut(
            request.Peer,
            request.Self,
            Portal.LdlmCallbackReply,
            byMatchBits ? request.Body.MatchBits : request.Xid,
            request.Adaptive ? MessageLayout.EarlyReplySize : 0u,
            request.BuildReply());
    }

    private void RefuseUnknown(in IncomingPut put, LustreMessage message, in PtlrpcBody request)
    {
        var reply = new MessageBuilder();
        reply.Start([]);
        ref var body = ref reply.Body;
        body.Type = MessageType.Error;
        body.Version = ServiceVersion.Message;
        body.Opcode = request.Opcode;
        body.Status = -Errno.ENOTCONN;
        body.ServiceTime = 1;
        var adaptive = (message.Header.Flags & MessageFlags.AdaptiveTimeouts) != 0;
        // Whether the connection had REP_MBITS is forgotten with it; servers that have keep both numbers equal until they resend.
        LNet.TryPut(
            put.Source, put.Self, Portal.LdlmCallbackReply, put.MatchBits, adaptive ? MessageLayout.EarlyReplySize : 0u, reply.Finish());
    }

    [LoggerMessage(2101, LogLevel.Error, "receiving a request of {Peer} failed unexpectedly")]
    private static partial void LogReceiveFailed(ILogger log, Exception failure, PeerId peer);

    [LoggerMessage(2102, LogLevel.Warning, "{Bytes} bytes from {Peer} are not a request: {Error} ({Suppressed} lines like this left out)")]
    private static partial void LogMalformed(ILogger log, PeerId peer, int bytes, MessageError error, int suppressed);

    [LoggerMessage(2103, LogLevel.Error, "{Operation} {Xid:x} of {Peer} failed unexpectedly")]
    private static partial void LogCallbackFailed(ILogger log, Exception failure, string operation, ulong xid, PeerId peer);
}
