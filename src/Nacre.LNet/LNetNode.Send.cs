using System.Runtime.CompilerServices;
using Nacre.LNet.Connections;
using Nacre.LNet.Matching;
using Nacre.LNet.Wire;

namespace Nacre.LNet;

/// <content>What leaves: small messages, bulk in both directions, pings.</content>
public sealed partial class LNetNode
{
    /// <summary>
    /// Runs work that answers several messages: what it sends on this thread leaves together when it is done, as the answers
    /// do that are given while received messages are delivered.
    /// </summary>
    public static void Together(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        var batch = SendBatch.Enter();
        try
        {
            work();
        }
        finally
        {
            batch.Leave();
        }
    }

    public bool TryPut(PeerId to, Nid from, int portal, ulong matchBits, uint offset, ReadOnlySpan<byte> payload)
    {
        CheckPayload(payload.Length);
        if (!_peers.TryGetValue(to, out var peer)) return false;
        var message = NewPut(to, from, portal, matchBits, payload.Length);
        message.Lnet.Put.Offset = offset;
        return peer.TrySend(message, payload);
    }

    public ValueTask<int> PutBulkAsync(
        PeerId to,
        Nid from,
        int portal,
        ulong matchBits,
        ReadOnlyMemory<byte> payload,
        TimeSpan timeout,
        CancellationToken ct = default)
    {
        CheckPayload(payload.Length);
        if (ct.IsCancellationRequested) return ValueTask.FromCanceled<int>(ct);
        var size = LnetMessage.Size + payload.Length;
        if (Begin(to, size, out var connection, out var cookie, out var failure) is not { } operation) return failure;

        var copied = payload.Length <= Connection.CopyLimit;
        operation.BeginPut(cookie, connection, copied, DeadlineAfter(timeout));
        var message = NewPut(to, from, portal, matchBits, payload.Length);
        message.Lnet.Put.AckHandle = Pending.HandleOf(operation);
        var sent = copied ? connection.TrySend(message, payload.Span) : connection.TrySend(message, payload, operation);
        if (!sent) operation.OnNotSent();
        return operation.TaskWith(ct);
    }

    public ValueTask<int> GetBulkAsync(
        PeerId to,
        Nid from,
        int portal,
        ulong matchBits,
        Memory<byte> sink,
        TimeSpan timeout,
        CancellationToken ct = default)
    {
        CheckPayload(sink.Length);
        return GetAsync(to, from, portal, matchBits, sink, isPing: false, timeout, ct);
    }

    /// <summary>LNet ping (01 section 13.4).</summary>
    /// <exception cref="InvalidDataException">The answer breaks a rule of 01 section 13.2.</exception>
    public async ValueTask<LNetPingInfo> PingAsync(PeerId to, TimeSpan timeout, CancellationToken ct)
    {
        var info = new byte[PingInfoWire.MaxSize];
        var length = await GetAsync(
            to, LocalNid, PingInfoWire.Portal, PingInfoWire.MatchBits, info, isPing: true, timeout, ct).ConfigureAwait(false);
        return PingInfoWire.TryDecode(info.AsSpan(0, length), out var decoded)
            ? decoded
            : throw new InvalidDataException($"{to} answered the ping with something else");
    }

    /// <summary>A message of this node with its header filled in but for the part of its type.</summary>
    internal LnetMessage NewMessage(PeerId to, LnetMessageType type, int payloadLength)
    {
        LnetMessage message = default;
        message.Ksock.Type = KsockMessageType.Lnet;
        message.Lnet.DestNid = to.Nid;
        message.Lnet.SrcNid = LocalNid;
        message.Lnet.DestPid = to.Pid;
        message.Lnet.SrcPid = Options.LocalPid;
        message.Lnet.Type = type;
        message.Lnet.PayloadLength = (uint)payloadLength;
        return message;
    }

    private LnetMessage NewPut(PeerId to, Nid from, int portal, ulong matchBits, int payloadLength)
    {
        var message = NewMessage(to, LnetMessageType.Put, payloadLength);
        message.Lnet.SrcNid = from;
        message.Lnet.Put = new LnetPut { AckHandle = WireHandle.None, MatchBits = matchBits, Portal = (uint)portal };
        return message;
    }

    private ValueTask<int> GetAsync(
        PeerId to, Nid from, int portal, ulong matchBits, Memory<byte> sink, bool isPing, TimeSpan timeout, CancellationToken ct)
    {
        if (ct.IsCancellationRequested) return ValueTask.FromCanceled<int>(ct);
        if (Begin(to, LnetMessage.Size, out var connection, out var cookie, out var failure) is not { } operation)
            return failure;

        operation.BeginGet(cookie, connection, sink, maySinkBeShort: isPing, DeadlineAfter(timeout));
        var message = NewMessage(to, LnetMessageType.Get, 0);
        message.Lnet.SrcNid = from;
        message.Lnet.Get = new LnetGet
        {
            ReturnHandle = Pending.HandleOf(operation),
            MatchBits = matchBits,
            Portal = (uint)portal,
            SinkLength = (uint)sink.Length,
        };
        if (!connection.TrySend(message, default)) operation.OnNotSent();
        return operation.TaskWith(ct);
    }

    /// <summary>
    /// An operation and the connection its request goes over. The connection comes first: if it dies, the operation is found
    /// by it.
    /// </summary>
    private PendingOperation? Begin(
        PeerId to, int bytes, out Connection connection, out ulong cookie, out ValueTask<int> failure)
    {
        cookie = 0;
        connection = null!;
        failure = default;
        if (!_peers.TryGetValue(to, out var peer) || peer.Choose(bytes) is not { } chosen)
        {
            failure = Failed(new PeerUnreachableException($"there is no connection to {to}"));
            return null;
        }

        connection = chosen;
        if (Pending.TryAdd(out cookie) is { } operation) return operation;
        failure = Failed(new PeerUnreachableException("too many operations are under way"));
        return null;
    }

    private static ValueTask<int> Failed(Exception e) => ValueTask.FromException<int>(e);

    private static void CheckPayload(int length, [CallerArgumentExpression(nameof(length))] string? name = null) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, LnetHeader.MaxPayload, name);
}
