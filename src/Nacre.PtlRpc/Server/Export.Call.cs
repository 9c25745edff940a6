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
    /// <exception cref="TimeoutException">No reply in time.</exception>
    /// <exception cref="RpcException">ENOTCONN: the export was closed.</exception>
    /// <exception cref="OperationCanceledException">Given up by <paramref name="ct"/>.</exception>
    public async ValueTask<RpcReply> CallAsync(
        uint opcode,
        ReadOnlyMemory<byte> buffer1,
        ReadOnlyMemory<byte> buffer2,
        bool hasBuffer2,
        TimeSpan timeout,
        CancellationToken ct)
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
            return await CallAsync(builder, opcode, xid, timeout, ct).ConfigureAwait(false);
        }
        finally
        {
            _callbacks.Remove(xid);
            builder.Reset();
        }
    }

    private async ValueTask<RpcReply> CallAsync(
        MessageBuilder message, uint opcode, ulong xid, TimeSpan timeout, CancellationToken ct)
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
        // The client decides by the flag it was granted whether it answers to the xid or to the match bits.
        var replyBits = Has(ConnectFlags2.RepMbits) ? matchBits : xid;
        var waiter = new CallbackWaiter();
        using var posted = Server.LNet.Post(
            Portal.LdlmCallbackReply,
            address.Peer,
            replyBits,
            waiter.Memory,
            PostOptions.AcceptPut | PostOptions.ManyUses | PostOptions.RemoteOffset | PostOptions.Truncate,
            waiter);
        Server.LNet.TryPut(address.Peer, address.Self, Portal.LdlmCallbackRequest, xid, 0, message.Finish());
        return await waiter.WaitAsync(patience, Server.Clock.Provider, address.Connection, ct).ConfigureAwait(false);
    }

    private void FillCallback(
        MessageBuilder message, uint opcode, ulong xid, ulong matchBits, ulong handle, TimeSpan patience, bool resent)
    {
        var adaptive = Has(ConnectFlags.At);
        message.Header.ReplySize = CallbackWaiter.ReplyBytes;
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

/// <summary>Waits for the reply to one copy of a request to a client. Its memory is not used again: a late reply may still land in it.</summary>
internal sealed class CallbackWaiter : IPostedEvents
{
    /// <summary>Room for an early reply and a final one with a layout as its LVB.</summary>
    public const int ReplyBytes = 4096;

    private readonly byte[] _memory = new byte[MessageLayout.EarlyReplySize + ReplyBytes];
    private readonly TaskCompletionSource<RpcReply> _reply = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _early;

    public Memory<byte> Memory => _memory;

    /// <summary>The reply, or null when there is none in time or the client has gone on to another connection.</summary>
    public async ValueTask<RpcReply?> WaitAsync(TimeSpan patience, TimeProvider time, CancellationToken connection, CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(connection, ct);
        while (true)
        {
            try
            {
                return await _reply.Task.WaitAsync(patience, time, either.Token).ConfigureAwait(false);
            }
            catch (TimeoutException) when (_early)
            {
                // The client asked for more time; one more round is what it gets.
                _early = false;
            }
            catch (TimeoutException)
            {
                return null;
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                return null;
            }
        }
    }

    void IPostedEvents.OnPut(PostedBuffer buffer, int offset, int stored, int sent)
    {
        var reply = new RpcReply(release: null);
        if (offset < 0 || stored < sent || !reply.TryLoad(_memory, offset, stored))
        {
            return;
        }

        if (IsEarly(reply, offset))
        {
            _early = true;
            return;
        }

        _reply.TrySetResult(reply);
    }

    void IPostedEvents.OnGet(PostedBuffer buffer, int length)
    {
    }

    /// <summary>Only early replies carry a checksum; without adaptive timeouts the final reply too is at offset 0.</summary>
    private static bool IsEarly(RpcReply reply, int offset) => offset == 0 && reply.Message.Header.Checksum != 0;
}
