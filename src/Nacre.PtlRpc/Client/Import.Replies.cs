using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>What happens to calls under way: replies, bulk, deadlines, cancellation.</summary>
public sealed partial class Import
{
    internal void OnPut(ImportCall item, PostedBuffer buffer, int offset, int stored, int sent)
    {
        Exception? failure = null;
        bool done;
        lock (_gate)
        {
            if (item.IsDone || item.Import != this)
            {
                return;
            }

            if (buffer == item.ReplyBuffer)
            {
                done = OnReply(item, offset, stored, sent, out failure);
            }
            else
            {
                done = item.TakeBulk(buffer, stored) && item is { HasReply: true, BulkPending: 0 };
            }

            if (done)
            {
                Retire(item);
            }
        }

        if (done)
        {
            Deliver(item, failure);
        }
        else
        {
            // A reply that was cut makes the call leave again.
            SendPrepared();
        }
    }

    internal void OnBulkDone(ImportCall item, PostedBuffer buffer, int length)
    {
        lock (_gate)
        {
            if (item.IsDone || item.Import != this || !item.TakeBulk(buffer, length) || item is not { HasReply: true, BulkPending: 0 })
            {
                return;
            }

            Retire(item);
        }

        Deliver(item, failure: null);
    }

    internal void OnDeadline(ImportCall item, int version, long now)
    {
        var failed = false;
        lock (_gate)
        {
            if (item.Import != this || item.Version != version || item.IsDone || _state != ImportState.Full)
            {
                return;
            }

            if (!item.RetryPending)
            {
                Lose($"{Opcode.Name(item.Call.Opcode)} {item.Xid:x} timed out");
                failed = item.Call.NoResend;
            }
            else
            {
                RetryInProgress(item);
            }

            if (failed)
            {
                Retire(item);
            }
        }

        if (failed)
        {
            Deliver(item, new RpcException(Errno.ETIMEDOUT, rpcLevel: true));
        }
        else
        {
            SendPrepared();
        }
    }

    internal void OnCanceled(ImportCall item, int version, CancellationToken ct)
    {
        lock (_gate)
        {
            if (item.Import != this || item.Version != version || item.IsDone)
            {
                return;
            }

            Retire(item);
        }

        Deliver(item, new OperationCanceledException(ct));
    }

    /// <summary>True when the call is done, with <paramref name="failure"/> or the reply.</summary>
    private bool OnReply(ImportCall item, int offset, int stored, int sent, out Exception? failure)
    {
        failure = null;
        if (item.HasReply)
        {
            return false;
        }

        if (item.Adaptive && offset < MessageLayout.EarlyReplySize)
        {
            OnEarlyReply(item, offset, stored);
            return false;
        }

        if (stored < sent)
        {
            return OnTruncated(item, sent, out failure);
        }

        var reply = item.Reply!;
        if (!reply.TryLoad(offset, stored) || reply.Body.Opcode != item.Call.Opcode
            || reply.Body.Type is not (MessageType.Reply or MessageType.Error))
        {
            failure = new RpcException(Errno.EPROTO, rpcLevel: true, $"malformed reply to {Opcode.Name(item.Call.Opcode)}");
            return true;
        }

        Learn(item, reply);
        return OnStatus(item, reply, out failure);
    }

    private bool OnStatus(ImportCall item, RpcReply reply, out Exception? failure)
    {
        failure = null;
        switch (reply.Status)
        {
            case -Errno.ENOTCONN or -Errno.ENODEV when _state == ImportState.Full:
                // The server does not know this client (any more): reconnect, then send the call again.
                Lose($"{Opcode.Name(item.Call.Opcode)} answered {Errno.Name(reply.Status)}");
                failure = item.Call.NoResend ? new RpcException(-reply.Status, rpcLevel: true) : null;
                return item.Call.NoResend;

            case -Errno.EINPROGRESS when !item.Call.NoResend:
                item.RetryPending = true;
                item.Retries++;
                var seconds = Math.Min(item.Retries, TimeoutSeconds(PortalOf(item.Call)));
                Client.Wheel.Set(item.Deadline, Client.Clock.Milliseconds + (seconds * 1000L), item.Version);
                return false;

            default:
                item.HasReply = true;
                return reply.Status < 0 || item.BulkPending == 0;
        }
    }

    /// <summary>The server needs more time: its number counts from the moment this copy was sent (02 section 6.7).</summary>
    private void OnEarlyReply(ImportCall item, int offset, int stored)
    {
        var bytes = item.Reply!.Memory.AsSpan(offset, stored);
        if (offset != 0 || LustreMessage.TryParse(bytes, out var message) != MessageError.None
            || message.Header.Checksum != MessageChecksum.OfBody(message.Buffer(0)))
        {
            return;
        }

        message.ReadBody(out var body);
        var seconds = Math.Min(body.Timeout, (uint)MaximumEstimate) + _latencySeconds;
        Client.Wheel.Set(item.Deadline, item.SentAt + (seconds * 1000L), item.Version);
    }

    /// <summary>The reply did not fit: ask for it again with more room (02 section 6.5).</summary>
    private bool OnTruncated(ImportCall item, int sent, out Exception? failure)
    {
        failure = null;
        if (item.Call.NoResend || sent > MessageHeader.MaxMessageSize)
        {
            failure = new RpcException(Errno.EOVERFLOW, rpcLevel: true);
            return true;
        }

        item.ReplyBytes = Math.Max(sent, item.ReplyBytes + 1);
        if (_state == ImportState.Full)
        {
            Resend(item);
        }

        return false;
    }

    /// <summary>What every final reply tells, whatever the operation.</summary>
    private void Learn(ImportCall item, RpcReply reply)
    {
        ref readonly var body = ref reply.Body;
        if (body.Timeout != 0)
        {
            _estimates[PortalOf(item.Call)] = (int)Math.Min(body.Timeout, (uint)MaximumEstimate);
        }

        var elapsed = (Client.Clock.Milliseconds - item.SentAt) / 1000;
        _latencySeconds = (int)Math.Clamp(elapsed - body.ServiceTime + 1, 1, MaximumEstimate);
        _lastCommitted = Math.Max(_lastCommitted, body.LastCommitted);
        if (body.Limit != 0)
        {
            Volatile.Write(ref _lockLimit, body.Limit);
            Volatile.Write(ref _serverLockVolume, body.ServerLockVolume);
        }
    }

    /// <summary>-EINPROGRESS: again, as a new request (02 section 6.8).</summary>
    private void RetryInProgress(ImportCall item)
    {
        item.RetryPending = false;
        item.WasSent = false;
        _pending.Remove(item);
        List(item);
        Resend(item);
    }

    /// <summary>
    /// Sends another copy. Descriptors of the old one must be out of use first: an old transfer would write over a new one's data.
    /// </summary>
    private void Resend(ImportCall item)
    {
        var released = item.ReleaseBuffersAsync();
        if (released.IsCompletedSuccessfully)
        {
            Transmit(item);
        }
        else
        {
            _ = ResendLaterAsync(item, item.Version, released);
        }
    }

    private async Task ResendLaterAsync(ImportCall item, int version, ValueTask released)
    {
        await released.ConfigureAwait(false);
        lock (_gate)
        {
            // Otherwise it is done, or the next connect sends it.
            if (item.Version == version && !item.IsDone && _state == ImportState.Full)
            {
                Transmit(item);
            }
        }

        SendPrepared();
    }

    /// <summary>The result is decided: nothing that arrives later counts. Called under the gate; Deliver follows outside of it.</summary>
    private void Retire(ImportCall item)
    {
        item.IsDone = true;
        if (item.IsListed)
        {
            _pending.Remove(item);
        }

        Client.Wheel.Clear(item.Deadline);
    }

    /// <summary>Hands the result to the caller, once its buffers are its own again. Never called under the gate.</summary>
    private void Deliver(ImportCall item, Exception? failure)
    {
        lock (_gate)
        {
            if (item.IsSending)
            {
                item.IsUndelivered = true;
                item.UndeliveredFailure = failure;
                return;
            }
        }

        DeliverNow(item, failure);
    }

    private static void DeliverNow(ImportCall item, Exception? failure)
    {
        item.Cancellation.Unregister();
        item.Cancellation = default;
        var released = item.ReleaseBuffersAsync();
        var reply = item.Reply;
        if (reply is not null)
        {
            reply.BulkBytes = item.BulkBytes;
            reply.BulkSum = item.BulkSum;
        }

        if (released.IsCompletedSuccessfully)
        {
            item.SetResult(reply, failure);
        }
        else
        {
            _ = DeliverLaterAsync(item, reply, failure, released);
        }
    }

    private static async Task DeliverLaterAsync(ImportCall item, RpcReply? reply, Exception? failure, ValueTask released)
    {
        try
        {
            await released.ConfigureAwait(false);
        }
        catch (Exception releasing)
        {
            failure ??= releasing;
        }

        item.SetResult(reply, failure);
    }
}
