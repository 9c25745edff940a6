using System.Runtime.CompilerServices;
using System.Text;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>From a call to its reply (02 sections 6 and 7).</summary>
public sealed partial class Import
{
    private const int InitialEstimate = 5;
    private const int MaximumEstimate = 600;

    /// <summary>
    /// Sends a request and returns its reply, whatever the status in it; see <see cref="RpcReply.ThrowIfFailed"/>. While the import
    /// is not connected the request waits; it is sent again after a reconnect.
    /// </summary>
    /// <param name="call">Belongs to the import until the task completes, its bulk buffers too.</param>
    /// <exception cref="RpcException">EIO: this client was evicted. ESHUTDOWN: the import was closed. ETIMEDOUT, ENOTCONN: for calls
    /// that must not be resent. EPROTO: the reply is malformed.</exception>
    /// <exception cref="OperationCanceledException">Given up by <paramref name="ct"/>; the server may still execute it.</exception>
    public ValueTask<RpcReply> SendAsync(RpcCall call, CancellationToken ct = default) =>
        call.Modifies && Options.Kind == TargetKind.Mdt ? SendModifyingAsync(call, ct) : Submit(call, tag: 0, ct);

    /// <summary>OBD_PING.</summary>
    public async ValueTask PingAsync(CancellationToken ct = default)
    {
        using var reply = await SendAsync(new RpcCall(Opcode.ObdPing), ct).ConfigureAwait(false);
        reply.ThrowIfFailed();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RpcReply> SendModifyingAsync(RpcCall call, CancellationToken ct)
    {
        var tag = await _tags.AcquireAsync(call.Opcode == Opcode.MdsClose).ConfigureAwait(false);
        try
        {
            return await Submit(call, tag, ct).ConfigureAwait(false);
        }
        finally
        {
            _tags.Release(tag);
        }
    }

    private ValueTask<RpcReply> Submit(RpcCall call, ushort tag, CancellationToken ct)
    {
        if (ct.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<RpcReply>(ct);
        }

        var item = Client.Calls.Rent();
        item.Begin(this, call, tag);
        lock (_gate)
        {
            if (_state is ImportState.New or ImportState.Closed)
            {
                throw new RpcException(
                    _state == ImportState.New ? Errno.EIO : Errno.ESHUTDOWN, message: $"{this} is {_state}");
            }

            if (_state == ImportState.Full)
            {
                Transmit(item);
            }
            else
            {
                _unsent.Enqueue((item, item.Version));
                WakeFromIdle();
            }
        }

        var task = item.Task;
        SendPrepared();
        if (ct.CanBeCanceled)
        {
            Watch(item, ct);
        }

        return task;
    }

    /// <summary>The result cannot have been consumed yet: nobody has the task.</summary>
    private void Watch(ImportCall item, CancellationToken ct)
    {
        var registration = item.Watch(ct);
        lock (_gate)
        {
            if (!item.IsDone)
            {
                item.Cancellation = registration;
                return;
            }
        }

        registration.Unregister();
    }

    /// <summary>
    /// Prepares a call to be sent, for the first time or again. Called under the gate, in the state Full; whoever does so calls
    /// <see cref="SendPrepared"/> afterwards.
    /// </summary>
    private void Transmit(ImportCall item)
    {
        if (item.IsSending)
        {
            item.SendAgain = true;
            return;
        }

        var resent = item.WasSent;
        var portal = PortalOf(item.Call);
        if (!item.IsListed)
        {
            List(item);
        }

        AssignMatchBits(item, resent);
        var now = Client.Clock.Milliseconds;
        item.WasSent = true;
        item.HasReply = false;
        item.Adaptive = _connectData.Has(ConnectFlags.At);
        item.SentAt = _lastSent = now;
        if (item.Call.Opcode != Opcode.ObdPing)
        {
            _lastUse = now;
        }

        item.PostReply(
            Client.LNet, Portal.ReplyOf(portal), Peer, HasRepMbits ? item.MatchBits : item.Xid);
        if (item.Call.BulkCount > 0)
        {
            item.PostBulk(Client.LNet, Peer, FirstBulkBits(item));
        }

        var seconds = Fill(item, portal, resent);
        Client.Wheel.Set(item.Deadline, now + ((seconds + _latencySeconds) * 1000L), item.Version);
        item.IsSending = true;
        _outbox.Enqueue(item);
    }

    /// <summary>Gives prepared calls to LNet. Never called under the gate.</summary>
    private void SendPrepared()
    {
        while (true)
        {
            ImportCall? item;
            lock (_gate)
            {
                if (!_outbox.TryDequeue(out item))
                {
                    return;
                }
            }

            var call = item.Call;
            var sent = Client.LNet.TryPut(
                Peer, Client.LNet.LocalNid, PortalOf(call), item.Xid, 0, call.Builder.Finish());
            AfterSending(item, sent);
        }
    }

    private void AfterSending(ImportCall item, bool sent)
    {
        Exception? failure;
        lock (_gate)
        {
            item.IsSending = false;
            if (!sent)
            {
                Lose("no connection");
            }

            if (!item.IsUndelivered)
            {
                var again = item is { SendAgain: true, IsDone: false } && _state == ImportState.Full;
                item.SendAgain = false;
                if (again)
                {
                    Resend(item);
                }

                return;
            }

            item.IsUndelivered = false;
            failure = item.UndeliveredFailure;
        }

        DeliverNow(item, failure);
    }

    private bool HasRepMbits => _connectData.Has(ConnectFlags2.RepMbits);

    private int PortalOf(RpcCall call) => call.Portal != 0 ? call.Portal : ImportPortals.For(Options.Kind, call.Opcode);

    /// <summary>Gives the call its xid, and with it its place among the unanswered ones.</summary>
    private void List(ImportCall item)
    {
        AssignXid(item);
        _pending.Append(item);
        item.IsListed = true;
    }

    /// <summary>
    /// Without BULK_MBITS the xid itself is the last match bits of the bulk, so its low bits say how many there are (02 section 7.2).
    /// </summary>
    private void AssignXid(ImportCall item)
    {
        item.Xid = Client.Xids.Next();
        item.MatchBits = item.Xid;
        if (item.Call.BulkCount > 0 && !_connectData.Has(ConnectFlags.BulkMbits))
        {
            item.Xid += (ulong)item.Call.BulkCount - 1;
            item.MatchBits = item.Xid;
        }
    }

    /// <summary>Fresh ones for each copy, so that what belongs to an older copy finds nothing.</summary>
    private void AssignMatchBits(ImportCall item, bool resent)
    {
        var bulk = item.Call.BulkCount;
        if (bulk > 0 && !_connectData.Has(ConnectFlags.BulkMbits))
        {
            if (resent)
            {
                // The xid carries the match bits, so it has to be a new one, which the server takes for another request.
                _pending.Remove(item);
                List(item);
            }

            return;
        }

        if (resent && (HasRepMbits || bulk > 0))
        {
            item.MatchBits = Client.Xids.Next();
        }
        else if (!resent)
        {
            item.MatchBits = item.Xid;
        }

        if (bulk > 0)
        {
            item.MatchBits += (ulong)bulk - 1;
        }
    }

    private static ulong FirstBulkBits(ImportCall item) => item.MatchBits - (ulong)item.Call.BulkCount + 1;

    /// <summary>Writes header and body; returns the seconds the server is given.</summary>
    private int Fill(ImportCall item, int portal, bool resent)
    {
        var call = item.Call;
        var seconds = TimeoutSeconds(portal);
        ref var header = ref call.Builder.Header;
        header.SecurityFlavour = SecurityFlavour;
        header.ReplySize = (uint)item.ReplyBytes;
        header.Flags = MessageFlags.ChecksumIncompat18 | (item.Adaptive ? MessageFlags.AdaptiveTimeouts : 0);
        ref var body = ref call.Builder.Body;
        body.Handle = _serverHandle;
        body.Type = MessageType.Request;
        body.Version = Opcode.VersionOf(call.Opcode) | ServiceVersion.Message;
        body.Opcode = call.Opcode;
        body.Status = Environment.ProcessId;
        body.LastXid = _pending.LastXid;
        body.Tag = _connectData.Has(ConnectFlags.Multimodrpcs) ? item.Tag : (ushort)0;
        body.Flags = resent ? BodyFlags.Resent : BodyFlags.None;
        body.ConnectionCount = _connectionCount;
        body.Timeout = (uint)seconds;
        body.MatchBits = HasRepMbits || call.BulkCount > 0 ? item.MatchBits : 0;
        WriteJobId(call.JobId, ref body);
        return seconds;
    }

    private void WriteJobId(string? name, ref PtlrpcBody body)
    {
        Span<byte> jobId = body.JobId;
        jobId.Clear();
        if (name is not null && _connectData.Has(ConnectFlags.Jobstats))
        {
            Encoding.UTF8.TryGetBytes(name, jobId[..^1], out _);
        }
    }

    /// <summary>Only the MGC names itself (02 section 2.6).</summary>
    private uint SecurityFlavour => Options.Kind == TargetKind.Mgs ? (uint)SecurityPart.Mgc << 24 : 0;

    private int TimeoutSeconds(int portal)
    {
        if (!_connectData.Has(ConnectFlags.At))
        {
            return (int)Client.Options.FixedTimeout.TotalSeconds;
        }

        var estimate = _estimates[portal];
        return estimate + (estimate / 4) + 5;
    }
}
