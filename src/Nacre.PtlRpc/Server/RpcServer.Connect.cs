using System.Buffers.Binary;
using System.Text;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>*_CONNECT (02 section 9.3).</summary>
public sealed partial class RpcServer
{
    private const string UuidSuffix = "_UUID";

    private void Connect(RpcService service, in IncomingPut put, LustreMessage message, in PtlrpcBody body)
    {
        var errno = CheckConnect(service, put, message, body, out var request, out var state);
        if (errno < 0)
        {
            return;
        }

        ObdConnectData.Read(message.Buffer(4), out var wanted);
        Export? export = null;
        var reconnected = false;
        if (errno == 0)
        {
            errno = TryConnect(state!, request, wanted, out export, out reconnected);
        }

        if (errno != 0)
        {
            if (_peerLines.TryEnter(out var suppressed))
            {
                LogConnectRefused(_log, Text(message.Buffer(1)), Text(message.Buffer(2)), put.Source, Errno.Name(errno), suppressed);
            }

            SendBareError(service, put, message, body, errno);
            return;
        }

        SendConnectReply(service, put, message, body, export!, reconnected);
    }

    /// <summary>Rows 1 to 4, and what holds for every request. Returns an errno, or -1 when the request is to be dropped.</summary>
    private int CheckConnect(
        RpcService service,
        in IncomingPut put,
        LustreMessage message,
        in PtlrpcBody body,
        out ConnectRequest request,
        out RpcTargetState? state)
    {
        request = default;
        state = null;
        if (_exportsByHandle.TryGetValue(body.Handle, out var old) && !PassesConnectionChecks(service, put, message, body, old))
        {
            return -1;
        }

        if ((body.Version & ServiceVersion.ServiceMask) != ServiceVersion.Obd || !IsUuid(message.Buffer(1)))
        {
            return Errno.EINVAL;
        }

        var name = Text(message.Buffer(1));
        state = FindTarget(name);
        if (state is null && Options.IsRemoved?.Invoke(name) == true)
        {
            return Errno.EACCES;
        }

        if (state is null || state.Stopping || (service.Kinds & state.Target.Kind) == 0 || service.IsCancel
            || !SuitsKind(body.Opcode, state.Target.Kind))
        {
            return Errno.ENODEV;
        }

        if (HandleGeneration.IsForeign(body.Handle, state.Target.Generation))
        {
            return Errno.EACCES;
        }

        if (!IsUuid(message.Buffer(2)))
        {
            return Errno.EINVAL;
        }

        if (message.BufferLength(3) < LustreHandle.Size || message.BufferLength(4) < ObdConnectData.SizeV1)
        {
            return Errno.EPROTO;
        }

        request = new ConnectRequest(
            put.Source,
            put.Incarnation,
            put.Self,
            Text(message.Buffer(2)),
            BinaryPrimitives.ReadUInt64LittleEndian(message.Buffer(3)),
            body.Handle,
            body.ConnectionCount,
            body.OperationFlags,
            (byte)(message.Header.SecurityFlavour >> 24));
        return 0;
    }

    private int TryConnect(
        RpcTargetState state, in ConnectRequest request, in ObdConnectData wanted, out Export? export, out bool reconnected)
    {
        reconnected = false;
        var errno = BeginConnect(state, request, wanted, out export, out var action);
        if (errno != 0)
        {
            return errno;
        }

        try
        {
            var granted = Negotiate(export!, request, wanted);
            reconnected = action == ConnectAction.Reconnect;
            CompleteConnect(export!, request, granted, reconnected);
            return 0;
        }
        catch (Exception failure)
        {
            AbandonConnect(export!, action);
            if (failure is ErrnoException refused)
            {
                return refused.Errno;
            }

            LogHandlerFailed(_log, failure, "connect", 0, request.ClientUuid);
            return Errno.EAGAIN;
        }
    }

    /// <summary>Decides by the table, and reserves the export so that a second connect of the client finds it busy.</summary>
    private int BeginConnect(
        RpcTargetState state, in ConnectRequest request, in ObdConnectData wanted, out Export? export, out ConnectAction action)
    {
        Export? replaced = null;
        lock (state.Gate)
        {
            if (state.Stopping)
            {
                (export, action) = (null, ConnectAction.Refuse);
                return Errno.ENODEV;
            }

            state.Exports.TryGetValue(request.ClientUuid, out export);
            var decision = ConnectRules.Decide(FactsOf(export, request, wanted));
            action = decision.Action;
            if (action == ConnectAction.Refuse)
            {
                return decision.Errno;
            }

            if (action is ConnectAction.Create or ConnectAction.Replace)
            {
                replaced = export;
                if (replaced is null && state.Exports.Count >= Options.MaxExportsPerTarget)
                {
                    return Errno.EAGAIN;
                }

                export = CreateExport(state, request.ClientUuid);
                export.Introduce(request);
                state.Exports[request.ClientUuid] = export;
            }

            export!.Connecting = true;
        }

        if (replaced is not null)
        {
            Close(replaced, ExportCloseReason.Replaced);
        }

        return 0;
    }

    private ConnectFacts FactsOf(Export? existing, in ConnectRequest request, in ObdConnectData wanted) => new()
    {
        Operation = request.Operation,
        Wanted = wanted.Flags,
        Version = wanted.Version,
        Exists = existing is not null,
        Connecting = existing is { Connecting: true },
        Connected = existing is { ConnCount: > 0 },
        SameNid = existing is not null && existing.Peer.Nid == request.Peer.Nid,
        SameClientHandle = existing is not null && existing.ClientHandle == request.ClientHandle,
        HandleResolves = _exportsByHandle.ContainsKey(request.Handle),
        HasRequestsInProgress = existing is { RequestsInProgress: > 0 },
        ConnectionCount = request.ConnectionCount,
        StoredConnectionCount = existing?.ConnCount ?? 0,
    };

    private static ObdConnectData Negotiate(Export export, in ConnectRequest request, in ObdConnectData wanted)
    {
        var granted = wanted;
        export.ClientVersion = wanted.Has(ConnectFlags.Version) ? wanted.Version : 0;
        export.Target.Negotiate(export, wanted, ref granted);
        // A flag nobody asked for makes the client close the connection for good (02 section 9.4).
        granted.Flags &= wanted.Flags;
        granted.Flags2 &= wanted.Flags2;
        if (!granted.Has(ConnectFlags.Flags2))
        {
            granted.Flags2 = ConnectFlags2.None;
        }

        granted.Version = granted.Has(ConnectFlags.Version) ? ObdConnectData.Version2158 : 0;
        return granted;
    }

    private void CompleteConnect(Export export, in ConnectRequest request, in ObdConnectData granted, bool reconnected)
    {
        var old = export.Adopt(request, granted, Clock.Milliseconds);
        // Outside all locks: transfers that give up run their continuations here.
        old.Cancel();
        AttachToPeer(export, request);
        if (reconnected)
        {
            export.Target.OnReconnected(export);
            LogReconnected(_log, export.Target.Uuid, export.ClientUuid, export.Peer, export.ConnCount);
        }
        else
        {
            export.Target.OnConnected(export);
            LogConnected(_log, export.Target.Uuid, export.ClientUuid, export.Peer, export.Handle);
        }

        lock (export.State.Gate)
        {
            export.Connecting = false;
        }
    }

    /// <summary>A new export that came to nothing goes; one that was connected stays as it is.</summary>
    private void AbandonConnect(Export export, ConnectAction action)
    {
        lock (export.State.Gate)
        {
            export.Connecting = false;
        }

        if (action is ConnectAction.Create or ConnectAction.Replace)
        {
            Close(export, ExportCloseReason.Disconnected);
        }
    }

    private void SendConnectReply(
        RpcService service, in IncomingPut put, LustreMessage message, in PtlrpcBody request, Export export, bool reconnected)
    {
        var reply = Scratch;
        reply.Start([ObdConnectData.Size]);
        ref var body = ref reply.Body;
        body.Handle = export.Handle;
        body.Type = MessageType.Reply;
        body.Version = ServiceVersion.Message;
        body.Opcode = request.Opcode;
        body.OperationFlags = ReplyFlags(export.Target.Kind, request.ConnectionCount, reconnected);
        body.Timeout = (uint)service.Estimate.Current(Clock.Milliseconds);
        body.ServiceTime = 1;
        FillTargetState(ref body, export, service, error: false);
        reply.Get<ObdConnectData>(1) = export.ConnectData;
        var adaptive = (message.Header.Flags & MessageFlags.AdaptiveTimeouts) != 0;
        Send(put.Source, put.Self, service, put.MatchBits, adaptive ? MessageLayout.EarlyReplySize : 0u, reply.Finish());
        export.State.Counters.CountReply(error: false);
    }

    /// <summary>An MGS must never be replayable, and says RECONNECT to everything but a first attempt (02 section 9.3).</summary>
    private static ConnectOperationFlags ReplyFlags(TargetKind kind, uint connectionCount, bool reconnected)
    {
        if (kind == TargetKind.Mgs)
        {
            return connectionCount > 1 ? ConnectOperationFlags.Reconnect : ConnectOperationFlags.None;
        }

        return ConnectOperationFlags.Replayable | (reconnected ? ConnectOperationFlags.Reconnect : ConnectOperationFlags.None);
    }

    private RpcTargetState? FindTarget(string name)
    {
        var targets = Volatile.Read(ref _targetsByUuid);
        return targets.TryGetValue(name, out var state) || targets.TryGetValue(name + UuidSuffix, out state) ? state : null;
    }

    private static bool SuitsKind(uint opcode, TargetKind kind) => kind switch
    {
        TargetKind.Mgs => opcode == Opcode.MgsConnect,
        TargetKind.Mdt => opcode == Opcode.MdsConnect,
        TargetKind.Ost => opcode == Opcode.OstConnect,
        _ => false,
    };

    /// <summary>Some characters and a NUL, no longer than a UUID may be.</summary>
    private static bool IsUuid(ReadOnlySpan<byte> buffer) => buffer.IndexOf((byte)0) is > 0 and < ObdUuid.Size;

    private static string Text(ReadOnlySpan<byte> buffer)
    {
        var end = buffer.IndexOf((byte)0);
        return Encoding.ASCII.GetString(buffer[..Math.Min(end < 0 ? buffer.Length : end, ObdUuid.Size)]);
    }
}
