using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>Requests from the server to its client, mostly lock callbacks (02 section 6.11).</summary>
public sealed partial class Export
{
    private readonly UnrepliedXids _callbacks = new();

    /// <summary>
    /// Sends a request to the client and returns its reply, whatever the status in it. A lost request is sent again every few seconds,
    /// and at once when the client has reconnected, until <paramref name="timeout"/>.
    /// </summary>
    /// <param name="opcode">LDLM_BL_CALLBACK, LDLM_CP_CALLBACK, LDLM_GL_CALLBACK or LDLM_SET_INFO.</param>
    /// <param name="buffer1">First buffer behind the body. Read until the task completes.</param>
    /// <param name="buffer2">Second buffer, possibly empty, sent when <paramref name="hasBuffer2"/>.</param>
    /// <param name="timeout">Counted from the first copy.</param>
    /// <param name="ct">Ends the call.</param>
    /// <param name="resending">Called before each further copy is sent, with no lock held; must neither block nor fail.</param>
    /// <exception cref="TimeoutException">No reply in time.</exception>
    /// <exception cref="RpcException">ENOTCONN: the export was closed.</exception>
    /// <exception cref="OperationCanceledException">Given up by <paramref name="ct"/>.</exception>
    public async ValueTask<RpcReply> CallAsync(
        uint opcode,
        ReadOnlyMemory<byte> buffer1,
        ReadOnlyMemory<byte> buffer2,
        bool hasBuffer2,
        TimeSpan timeout,
        CancellationToken ct,
        Action? resending = null)
    {
        var xid = Server.Xids.Next();
        var builder = new MessageBuilder();
        if (hasBuffer2)
        {
            builder.Start([buffer1.Length, buffer2.Length]);
            buffer2.Span.CopyTo(builder.Buffer(2));
        }
        else
        {
            builder.Start([buffer1.Length]);
        }

        buffer1.Span.CopyTo(builder.Buffer(1));
        _callbacks.Add(xid);
        try
        {
            return await CallAsync(builder, opcode, xid, timeout, resending, ct).ConfigureAwait(false);
        }
        finally
        {
            _callbacks.Remove(xid);
            builder.Reset();
        }
    }

    private async ValueTask<RpcReply> CallAsync(
        MessageBuilder message, uint opcode, ulong xid, TimeSpan timeout, Action? resending, CancellationToken ct)
    {
        var time = Server.Clock.Provider;
        var started = time.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            ct.ThrowIfCancellationRequested();
            var remaining = timeout - time.GetElapsedTime(started);
            if (remaining <= TimeSpan.Zero)
            {
                throw new TimeoutException($"no reply to {Opcode.Name(opcode)} from {this}");
            }

            if (attempt > 0)
            {
                resending?.Invoke();
            }

            var patience = remaining < Server.Options.CallbackResendAfter ? remaining : Server.Options.CallbackResendAfter;
            if (await TryOnceAsync(message, opcode, xid, attempt, patience, ct).ConfigureAwait(false) is { } reply)
            {
                return reply;
            }
        }
    }

    /// <summary>One copy of the request; null when it has to be sent again.</summary>
    private async ValueTask<RpcReply?> TryOnceAsync(
        MessageBuilder message, uint opcode, ulong xid, int attempt, TimeSpan patience, CancellationToken ct)
    {
        CallbackAddress address;
        lock (Gate)
        {
            if (IsClosed)
            {
                throw new RpcException(Errno.ENOTCONN, message: $"{this} is closed");
            }

            address = new CallbackAddress(Peer, Self, ClientHandle, Connection);
        }

        var matchBits = attempt == 0 ? xid : Server.Xids.Next();
        FillCallback(message, opcode, xid, matchBits, address.Handle, patience, resent: attempt > 0);
        // The client decides by the flag it was granted whether it answers to the xid or to the match bits. One that has forgotten the
        // connection, or a new one at an old address, has forgotten the flag too, and refuses to the xid.
        var waiter = new ReplyWaiter();
        using var byXid = waiter.Post(Server.LNet, Portal.LdlmCallbackReply, address.Peer, xid);
        using var byMatchBits = matchBits != xid && Has(ConnectFlags2.RepMbits)
            ? waiter.Post(Server.LNet, Portal.LdlmCallbackReply, address.Peer, matchBits)
            : null;
        Server.LNet.TryPut(address.Peer, address.Self, Portal.LdlmCallbackRequest, xid, 0, message.Finish());
        return await waiter.WaitAsync(patience, Server.Clock.Provider, address.Connection, ct).ConfigureAwait(false);
    }

    private void FillCallback(
        MessageBuilder message, uint opcode, ulong xid, ulong matchBits, ulong handle, TimeSpan patience, bool resent)
    {
        var adaptive = Has(ConnectFlags.At);
        message.Header.ReplySize = ReplyWaiter.ReplyBytes;
        message.Header.Flags = adaptive
            ? MessageFlags.AdaptiveTimeouts | MessageFlags.ChecksumIncompat18
            : MessageFlags.ChecksumIncompat18;
        ref var body = ref message.Body;
        body.Handle = handle;
        body.Type = MessageType.Request;
        body.Version = Opcode.VersionOf(opcode) | ServiceVersion.Message;
        body.Opcode = opcode;
        body.LastXid = _callbacks.LowestOr(xid) - 1;
        body.Flags = resent ? BodyFlags.Resent : BodyFlags.None;
        body.Timeout = (uint)Math.Max(1, Math.Ceiling(patience.TotalSeconds) - 1);
        body.MatchBits = matchBits;
    }

    private readonly record struct CallbackAddress(PeerId Peer, Nid Self, ulong Handle, CancellationToken Connection);
}
