using System.Runtime.InteropServices;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>Replies that no handler built: bare errors, early replies, kept replies.</summary>
public sealed partial class RpcServer
{
    [ThreadStatic]
    private static MessageBuilder? _scratch;

    private static MessageBuilder Scratch => _scratch ??= new MessageBuilder();

    /// <summary>What every reply tells about the target: last_committed, and lock limits for clients that asked for them.</summary>
    internal void FillTargetState(ref PtlrpcBody body, Export export, RpcService service, bool error)
    {
        var target = export.Target;
        if (!error && !service.IsCancel)
        {
            body.LastCommitted = target.LastCommitted;
        }

        if (export.Has(ConnectFlags.LruResize))
        {
            body.Limit = target.LockLimit;
            body.ServerLockVolume = target.ServerLockVolume;
        }
    }

    /// <summary>
    /// An error of one buffer. The estimate in it is 0, as genuine servers answer a handle they do not know: it then leaves the
    /// client's own untouched (02 section 3.2).
    /// </summary>
    private void SendBareError(
        RpcService service, in IncomingPut put, LustreMessage message, in PtlrpcBody request, int errno, Export? export = null)
    {
        var reply = Scratch;
        reply.Start([]);
        ref var body = ref reply.Body;
        body.Type = MessageType.Error;
        body.Version = ServiceVersion.Message;
        body.Opcode = request.Opcode;
        body.Status = -errno;
        body.ServiceTime = 1;
        var byMatchBits = export is not null && request.MatchBits != 0 && !Opcode.IsConnect(request.Opcode)
            && export.Has(ConnectFlags2.RepMbits);
        var adaptive = (message.Header.Flags & MessageFlags.AdaptiveTimeouts) != 0;
        Send(
            put.Source,
            put.Self,
            service,
            byMatchBits ? request.MatchBits : put.MatchBits,
            adaptive ? MessageLayout.EarlyReplySize : 0u,
            reply.Finish());
        export?.State.Counters.CountReply(error: true);
    }

    /// <summary>One buffer, at offset 0, with a checksum (02 section 6.7).</summary>
    internal void SendEarlyReply(in EarlyReply early)
    {
        var reply = Scratch;
        reply.Start([]);
        ref var body = ref reply.Body;
        body.Type = MessageType.Reply;
        body.Version = ServiceVersion.Message;
        body.Opcode = early.Opcode;
        body.Timeout = (uint)early.TotalSeconds;
        body.ServiceTime = (uint)early.ElapsedSeconds;
        if (early.Export.Has(ConnectFlags.LruResize))
        {
            body.Limit = early.Export.Target.LockLimit;
            body.ServerLockVolume = early.Export.Target.ServerLockVolume;
        }

        reply.Header.Checksum = MessageChecksum.OfBody(reply.Buffer(0));
        Send(early.Peer, early.Self, early.Service, early.MatchBits, 0, reply.Finish());
        early.Export.State.Counters.CountEarlyReply();
    }

    internal void OnDrawnOut(RpcRequest request)
    {
        if (_peerLines.TryEnter(out var suppressed))
        {
            LogDrawnOut(_log, Opcode.Name(request.Opcode), request.Xid, request.Export.ClientUuid, suppressed);
        }
    }

    /// <summary>Sends the kept reply again, to where the copy wants it. False when the record is gone or holds no reply.</summary>
    private bool TryAnswerFromRecord(
        RpcService service, in IncomingPut put, LustreMessage message, in PtlrpcBody request, Export export, long now)
    {
        if (!export.Replies.TryFind(put.MatchBits, out var record) || record.Reply.IsEmpty)
        {
            return false;
        }

        var bytes = record.Reply.ToArray();
        ref var body = ref MemoryMarshal.AsRef<PtlrpcBody>(bytes.AsSpan(BodyOffset(bytes)));
        body.Timeout = (uint)service.Estimate.Current(now);
        body.ServiceTime = 1;
        FillTargetState(ref body, export, service, error: false);
        var byMatchBits = export.Has(ConnectFlags2.RepMbits) && request.MatchBits != 0;
        var adaptive = (message.Header.Flags & MessageFlags.AdaptiveTimeouts) != 0;
        Send(
            put.Source,
            put.Self,
            service,
            byMatchBits ? request.MatchBits : put.MatchBits,
            adaptive ? MessageLayout.EarlyReplySize : 0u,
            bytes);
        return true;
    }

    private static int BodyOffset(ReadOnlySpan<byte> message) =>
        MessageLayout.HeaderSize((int)MemoryMarshal.Read<uint>(message));
}
