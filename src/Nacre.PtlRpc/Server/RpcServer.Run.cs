using System.Runtime.CompilerServices;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>Runs handlers, turns what they throw into answers, and completes requests.</summary>
public sealed partial class RpcServer
{
    private static readonly RpcHandler PingHandler = static _ => ValueTask.CompletedTask;
    private static readonly RpcHandler DisconnectHandler = static request =>
    {
        // Before the reply: the client may connect anew as soon as it has that.
        request.Export.Server.Close(request.Export, ExportCloseReason.Disconnected);
        return ValueTask.CompletedTask;
    };

    private static RpcHandler? BuiltIn(uint opcode)
    {
        if (opcode == Opcode.ObdPing)
        {
            return PingHandler;
        }

        return Opcode.IsDisconnect(opcode) ? DisconnectHandler : null;
    }

    private void Run(RpcRequest request, RpcHandler handler, long now)
    {
        ValueTaskAwaiter awaiter;
        try
        {
#pragma warning disable CA2012 // The awaiter is consumed exactly once: below, or where the handler is done.
            awaiter = handler(request).GetAwaiter();
#pragma warning restore CA2012
        }
        catch (Exception failure)
        {
            Fail(request, failure);
            Complete(request);
            return;
        }

        if (awaiter.IsCompleted)
        {
            FinishHandler(request, awaiter);
        }
        else
        {
            request.Suspend(awaiter, now);
        }
    }

    internal void FinishHandler(RpcRequest request, ValueTaskAwaiter awaiter)
    {
        try
        {
            awaiter.GetResult();
        }
        catch (Exception failure)
        {
            Fail(request, failure);
        }

        Complete(request);
    }

    /// <summary>The one place where exceptions of handlers become statuses.</summary>
    private void Fail(RpcRequest request, Exception failure)
    {
        request.Transno = 0;
        switch (failure)
        {
            case RpcException rpc:
                request.Fail(rpc.Errno, rpc.RpcLevel);
                break;
            case ErrnoException expected:
                request.Fail(expected.Errno);
                break;
            case BulkException bulk:
                FailBulk(request, bulk);
                break;
            case OperationCanceledException or ObjectDisposedException when request.Export.IsClosed:
                request.Fail(Errno.ENOTCONN, rpcLevel: true);
                break;
            default:
                LogHandlerFailed(_log, failure, Opcode.Name(request.Opcode), request.Xid, request.Export.ClientUuid);
                request.Fail(Errno.EIO, rpcLevel: true);
                break;
        }
    }

    private void FailBulk(RpcRequest request, BulkException bulk)
    {
        if (_peerLines.TryEnter(out var suppressed))
        {
            LogBulkFailed(_log, Opcode.Name(request.Opcode), request.Xid, request.Peer, bulk.Message, suppressed);
        }

        // The client of a failed object transfer must time out and resend (02 section 7.5).
        if (bulk.Aborted || request.Opcode is Opcode.OstRead or Opcode.OstWrite)
        {
            request.Drop();
        }
        else
        {
            request.Fail(Errno.ETIMEDOUT, rpcLevel: true);
        }
    }

    /// <summary>
    /// Keeps the reply where a resend may ask for it, lets go of the request, and answers. Whatever fails on the way, the
    /// request leaves the list of those in progress and its timer, and its resources go back; a client that gets no answer
    /// sends again.
    /// </summary>
    private void Complete(RpcRequest request)
    {
        var now = Clock.Milliseconds;
        var state = request.Export.State;
        try
        {
            var reply = PackReply(request, now);
            var send = Detach(request, reply);
            request.Service.Estimate.Observe(request.ServiceSeconds(now), now);
            Answer(request, reply, send);
        }
        catch (Exception failure)
        {
            LogHandlerFailed(_log, failure, Opcode.Name(request.Opcode), request.Xid, request.Export.ClientUuid);
        }

        _requests.Return(request);
        state.Leave();
    }

    /// <summary>The packed reply; an error if that cannot be built (a bug of the target), and none if not even this can.</summary>
    private ReadOnlyMemory<byte> PackReply(RpcRequest request, long now)
    {
        if (request.IsDropped)
        {
            return default;
        }

        try
        {
            return request.BuildReply(now);
        }
        catch (Exception failure)
        {
            Fail(request, failure);
        }

        try
        {
            return request.BuildReply(now);
        }
        catch (Exception failure)
        {
            LogHandlerFailed(_log, failure, Opcode.Name(request.Opcode), request.Xid, request.Export.ClientUuid);
            request.Drop();
            return default;
        }
    }

    /// <summary>Takes the request off its export and its timer, and keeps its reply. True when it is to be sent.</summary>
    private static bool Detach(RpcRequest request, ReadOnlyMemory<byte> reply)
    {
        var export = request.Export;
        bool send;
        try
        {
            lock (export.Gate)
            {
                if (export.InProgress.TryGetValue(request.Xid, out var current) && current == request)
                {
                    export.InProgress.Remove(request.Xid);
                }

                send = request.Finish();
                if (send && request.ShouldKeepReply)
                {
                    Keep(request, reply);
                }
            }
        }
        finally
        {
            request.StopTiming();
        }

        return send;
    }

    private void Answer(RpcRequest request, ReadOnlyMemory<byte> reply, bool send)
    {
        var counters = request.Export.State.Counters;
        if (!send)
        {
            counters.CountDropped();
            return;
        }

        Send(request.Peer, request.Self, request.Service, request.ReplyMatchBits, request.ReplyOffset, reply.Span);
        counters.CountReply(request.EndsAsError());
    }

    private static void Keep(RpcRequest request, ReadOnlyMemory<byte> reply)
    {
        var export = request.Export;
        var tag = request.Body.Tag;
        if (!export.Has(ConnectFlags.Multimodrpcs))
        {
            // One last reply and one last close (02 section 12.5).
            tag = request.Opcode == Opcode.MdsClose ? (ushort)2 : (ushort)1;
            export.Replies.ReleaseTag(tag, request.Xid);
        }

        export.Replies.Add(new ReplyRecord
        {
            Xid = request.Xid,
            Tag = tag,
            Transno = request.Transno,
            Status = request.Status,
            Reply = reply,
        });
    }

    private void Send(PeerId peer, Nid self, RpcService service, ulong matchBits, uint offset, ReadOnlySpan<byte> message) =>
        // A reply that finds no connection is lost as it would be on the wire: the client resends.
        LNet.TryPut(peer, self, service.ReplyPortal, matchBits, offset, message);
}
