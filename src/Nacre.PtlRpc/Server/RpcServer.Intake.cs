using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>From the PUT on a request portal to the handler: the checks of 02 section 6.10, in their order.</summary>
public sealed partial class RpcServer
{
    /// <summary>What the checks that need the export's lock came to.</summary>
    private enum Admission
    {
        Run,
        Drop,

        /// <summary>A copy of a request that is still running, which now answers this one.</summary>
        Duplicate,

        /// <summary>Executed before; the kept reply answers it.</summary>
        AnswerFromRecord,
        NotConnected,
        ProtocolError,
    }

    void IPutReceiver.OnPut(in IncomingPut put)
    {
        try
        {
            Receive(put);
        }
        catch (Exception failure)
        {
            // No peer may take down the receive loop of a connection.
            LogReceiveFailed(_log, failure, put.Source, put.Portal);
        }
    }

    private void Receive(in IncomingPut put)
    {
        if (_services[put.Portal] is not { } service)
        {
            return;
        }

        var error = LustreMessage.TryParse(put.Payload, out var message);
        if (put.Payload.Length > Options.MaxRequestBytes)
        {
            error = MessageError.TooLarge;
        }

        if (error != MessageError.None)
        {
            DropMalformed(put, error.ToString());
            return;
        }

        message.ReadBody(out var body);
        // Steps 1 and 2.
        if ((message.Header.SecurityFlavour & MessageHeader.FlavourMask) != 0
            || (body.Version & ServiceVersion.MessageMask) != ServiceVersion.Message
            || body.Type != MessageType.Request)
        {
            DropMalformed(put, "flavour, version or type");
        }
        else if (Opcode.IsConnect(body.Opcode))
        {
            Connect(service, put, message, body);
        }
        else
        {
            ReceiveOnExport(service, put, message, body);
        }
    }

    private void ReceiveOnExport(RpcService service, in IncomingPut put, LustreMessage message, in PtlrpcBody body)
    {
        // Step 4.
        if (!_exportsByHandle.TryGetValue(body.Handle, out var export) || export.Connecting)
        {
            SendBareError(service, put, message, body, Errno.ENOTCONN);
            return;
        }

        if (!PassesConnectionChecks(service, put, message, body, export))
        {
            return;
        }

        // Step 9.
        var adaptive = (message.Header.Flags & MessageFlags.AdaptiveTimeouts) != 0;
        if (adaptive && body.Timeout == 0)
        {
            export.State.Counters.CountDropped();
            return;
        }

        var now = Clock.Milliseconds;
        var request = _requests.Rent();
        request.Begin(service, export, put, message, body, now);
        var admission = Admit(export, request, put, body, adaptive, now);
        if (admission == Admission.Run)
        {
            Start(request, now);
            return;
        }

        _requests.Return(request);
        Refuse(admission, service, put, message, body, export, now);
    }

    /// <summary>Steps 5 to 8, for connects with a valid handle too. False when the request has been dealt with.</summary>
    private bool PassesConnectionChecks(
        RpcService service, in IncomingPut put, LustreMessage message, in PtlrpcBody body, Export export)
    {
        // Step 5. Only a hint here, to save work; Admit decides under the lock.
        if (body.ConnectionCount < export.ConnCount)
        {
            export.State.Counters.CountDropped();
            return false;
        }

        // Step 6.
        if (export.State.Stopping)
        {
            SendBareError(service, put, message, body, Errno.ENODEV, export);
            return false;
        }

        // Step 7: after a restart without recovery nothing can be replayed.
        if ((body.Flags & (BodyFlags.Replay | BodyFlags.RequestReplayDone)) != 0 || body.Transno != 0)
        {
            Evict(export, "replays although the target is not recovering");
            SendBareError(service, put, message, body, Errno.ENODEV, export);
            return false;
        }

        // Step 8.
        if ((byte)(message.Header.SecurityFlavour >> 24) != export.SecurityPart)
        {
            export.State.Counters.CountDropped();
            return false;
        }

        return true;
    }

    /// <summary>Steps 5, 10 to 12 and 15, and the limits: everything that looks at the export's other requests.</summary>
    private Admission Admit(
        Export export, RpcRequest request, in IncomingPut put, in PtlrpcBody body, bool adaptive, long now)
    {
        lock (export.Gate)
        {
            if (export.IsClosed)
            {
                return Admission.NotConnected;
            }

            if (body.ConnectionCount < export.ConnCount)
            {
                return Admission.Drop;
            }

            if (export.InProgress.TryGetValue(request.Xid, out var running) && running.TryAdopt(put, body, adaptive, now))
            {
                return Admission.Duplicate;
            }

            Volatile.Write(ref export.LastHeard, now);
            export.IsOrphan = false;
            return AdmitNew(export, request, body);
        }
    }

    private Admission AdmitNew(Export export, RpcRequest request, in PtlrpcBody body)
    {
        var repeated = request.IsResent || request.IsReplay;
        if (!request.Service.IsCancel)
        {
            // Step 12.
            if (request.Xid <= export.HighestLastXid && !request.IsReplay)
            {
                return Admission.ProtocolError;
            }

            if (body.LastXid > export.HighestLastXid)
            {
                export.HighestLastXid = body.LastXid;
                export.Replies.ReleaseUpTo(body.LastXid);
            }
        }

        // Step 15, before the slot forgets the record. A record without the reply is for the handler to reconstruct from.
        if (export.Replies.Contains(request.Xid, out var complete) && (complete || !repeated))
        {
            return repeated ? Admission.AnswerFromRecord : Admission.NotConnected;
        }

        if (!export.TryUseTag(body.Tag, request.Xid, repeated))
        {
            return Admission.ProtocolError;
        }

        var limit = request.Service.IsUrgent ? 2 * Options.MaxRequestsPerExport : Options.MaxRequestsPerExport;
        if (export.InProgress.Count >= limit || !HasRoomFor(export.Client))
        {
            LogOverload(export);
            return Admission.Drop;
        }

        export.InProgress[request.Xid] = request;
        export.State.Enter();
        return Admission.Run;
    }

    /// <summary>
    /// Shared as the bulk pool is: a client may have as many bytes waiting as are left for all others. So a greedy one stops at half
    /// of what there is, and one that has nothing waiting always finds room.
    /// </summary>
    private bool HasRoomFor(RpcPeer client) => client.WaitingBytes < Options.MaxWaitingBytes - WaitingBytes;

    private void Refuse(
        Admission admission, RpcService service, in IncomingPut put, LustreMessage message, in PtlrpcBody body, Export export, long now)
    {
        var counters = export.State.Counters;
        switch (admission)
        {
            case Admission.Duplicate:
                counters.CountDuplicate();
                break;
            case Admission.AnswerFromRecord when TryAnswerFromRecord(service, put, message, body, export, now):
                counters.CountResendAnswered();
                break;
            case Admission.NotConnected:
                SendBareError(service, put, message, body, Errno.ENOTCONN, export);
                break;
            case Admission.ProtocolError:
                SendBareError(service, put, message, body, Errno.EPROTO, export);
                break;
            default:
                counters.CountDropped();
                break;
        }
    }

    /// <summary>Steps 13, 14, 17 and 18, then the handler.</summary>
    private void Start(RpcRequest request, long now)
    {
        request.Export.State.Counters.CountRequest();
        var handler = BuiltIn(request.Opcode) ?? request.Target.Find(request.Opcode);
        var errno = Check(request, handler);
        if (errno != 0)
        {
            request.Fail(errno, rpcLevel: errno != Errno.EROFS);
            Complete(request);
            return;
        }

        Run(request, handler!, now);
    }

    private static int Check(RpcRequest request, RpcHandler? handler)
    {
        var service = request.Service;
        var opcode = request.Opcode;
        if (service.IsCancel && opcode is not (Opcode.LdlmCancel or Opcode.LdlmConvert))
        {
            return Errno.EINVAL;
        }

        if (handler is null || (service.Kinds & request.Target.Kind) == 0
            || (opcode is Opcode.OstRead or Opcode.OstWrite && !service.TakesObjectBulk))
        {
            return Errno.ENOTSUPP;
        }

        var version = Opcode.VersionOf(opcode);
        if (version != 0 && (request.Body.Version & ServiceVersion.ServiceMask) != version)
        {
            return Errno.EINVAL;
        }

        var message = request.Message;
        if (RequestFormats.ForRequest(opcode, message) is { } format && format.CheckRequest(message) is var errno and not 0)
        {
            return errno;
        }

        return IsRefusedReadOnly(request) ? Errno.EROFS : 0;
    }

    /// <summary>
    /// A close gives up an open handle and an enqueue may only ask for a lock; whether they change anything is known to the handler.
    /// </summary>
    private static bool IsRefusedReadOnly(RpcRequest request) => request.Export.Has(ConnectFlags.Rdonly)
        && request.Opcode is not (Opcode.MdsClose or Opcode.LdlmEnqueue)
        && request.Target.Modifies(request.Opcode);

    private void DropMalformed(in IncomingPut put, string why)
    {
        _metrics.CountMalformed();
        if (_peerLines.TryEnter(out var suppressed))
        {
            LogMalformed(_log, put.Source, put.Portal, put.Payload.Length, why, suppressed);
        }
    }

    private void LogOverload(Export export)
    {
        if (_peerLines.TryEnter(out var suppressed))
        {
            LogOverloaded(
                _log, export.Target.Uuid, export.ClientUuid, export.InProgress.Count, export.Client.WaitingBytes, WaitingBytes, suppressed);
        }
    }
}
