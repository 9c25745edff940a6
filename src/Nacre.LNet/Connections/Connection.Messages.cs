using System.Runtime.InteropServices;
using Nacre.LNet.Wire;

namespace Nacre.LNet.Connections;

/// <summary>Where the payload of a large message goes. Exactly one of the two calls ends a transfer.</summary>
internal interface ITransferTarget
{
    void OnTransferDone(in TransferExtent extent);

    /// <summary>The connection died first. The memory is not written any more.</summary>
    void OnTransferBroken();
}

/// <summary>
/// <paramref name="Stored"/> of <paramref name="Sent"/> bytes lie at <paramref name="Offset"/> of the target's memory.
/// </summary>
internal readonly record struct TransferExtent(int Offset, int Stored, int Sent);

/// <content>
/// Messages: validation (01 section 10.2), where their payload goes, and what is owed to the sender when it is all there.
/// Every payload is taken off the stream, also that of a dropped message; only then is its zero-copy cookie acknowledged,
/// once (01 section 7.2).
/// </content>
internal sealed partial class Connection
{
    /// <summary>Messages with a payload up to this are handled when all of it is buffered.</summary>
    private const int BufferedPayload = 8 << 10;

    // The message whose payload is being received.
    private bool _insidePayload;
    private Memory<byte> _transfer;
    private int _discard;
    private Due _due;
    private ITransferTarget? _target;
    private TransferExtent _extent;

    /// <summary>What the sender of a message gets when its payload is off the stream.</summary>
    private struct Due
    {
        public ulong ZcCookie;
        public WireHandle AckHandle;
        public ulong MatchBits;
        public int Stored;

        public Due(in KsockHeader header)
        {
            ZcCookie = header.ZcRequestCookie;
            AckHandle = WireHandle.None;
        }

        /// <summary>Adds the ACK of a PUT that was stored, if it asks for one.</summary>
        public void AddAck(in LnetPut put, int stored)
        {
            AckHandle = put.AckHandle;
            MatchBits = put.MatchBits;
            Stored = stored;
        }
    }

    private Step NextMessage()
    {
        var input = _input.Unread;
        if (input.Length < KsockHeader.Size) return Need(KsockHeader.Size);
        ref readonly var ksock = ref MemoryMarshal.AsRef<KsockHeader>(input);
        switch (ksock.Type)
        {
            case KsockMessageType.Noop:
                if (!IsAcceptable(ksock)) return Violate("acknowledgement of an unknown zero-copy cookie");
                _input.Consume(KsockHeader.Size);
                return Step.Continue;
            case KsockMessageType.Lnet:
                if (input.Length < LnetMessage.Size) return Need(LnetMessage.Size);
                if (ksock.ZcAckCookie != 0) return Violate("acknowledgement of an unknown zero-copy cookie");
                return NextLnetMessage(MemoryMarshal.AsRef<LnetMessage>(input));
            default:
                return Violate("unknown socklnd message type");
        }
    }

    /// <summary>
    /// We ask for no zero-copy acknowledgement, so only a keepalive and an empty NOOP are in order (01 section 7.3).
    /// </summary>
    private bool IsAcceptable(in KsockHeader noop)
    {
        if (noop.ZcAckCookie == 0) return true;
        return Version >= KsockHello.Version3 && noop is { ZcAckCookie: KsockHeader.KeepaliveCookie, ZcRequestCookie: 0 or 1 };
    }

    private Step NextLnetMessage(in LnetMessage message)
    {
        ref readonly var header = ref message.Lnet;
        if (header.Type > LnetMessageType.Reply) return Violate("unknown LNet message type");
        var mayCarry = header.Type is LnetMessageType.Put or LnetMessageType.Reply;
        if (header.PayloadLength > (mayCarry ? LnetHeader.MaxPayload : 0u)) return Violate("payload too long");
        if (header.DestNid != _node.LocalNid)
            return header.DestNid.Network == _node.LocalNid.Network ? Violate("addressed to another node") : Drop(message);

        // A kernel lets other sources through because they may come from a router; we have none, and a client must not speak
        // for another.
        if (header.SrcNid != Peer.Id.Nid || header.SrcPid != Peer.Id.Pid) return Drop(message);
        return header.Type switch
        {
            LnetMessageType.Put => OnPut(message),
            LnetMessageType.Get => OnGet(message),
            LnetMessageType.Reply => OnReply(message),
            _ => OnAck(message),
        };
    }

    private Step OnPut(in LnetMessage message)
    {
        ref readonly var put = ref message.Lnet.Put;
        if (put.Portal >= LnetHeader.PortalCount) return Drop(message);
        if (put.Portal == PingInfoWire.Portal) return OnPush(message);
        var receiver = _node.ReceiverOf((int)put.Portal);
        return receiver is not null ? OnRequest(message, receiver) : OnPostedPut(message);
    }

    /// <summary>
    /// Discovery push (01 section 13.6): what a peer with one NID tells about itself its messages tell too, so only the ACK
    /// matters.
    /// </summary>
    private Step OnPush(in LnetMessage message)
    {
        if (message.Lnet.Put.MatchBits != PingInfoWire.MatchBits) return Drop(message);
        var due = new Due(message.Ksock);
        due.AddAck(message.Lnet.Put, Math.Min((int)message.Lnet.PayloadLength, PingInfoWire.MaxSize));
        return BeginPayload(message, due, Memory<byte>.Empty, null, default);
    }

    private Step OnRequest(in LnetMessage message, IPutReceiver receiver)
    {
        var length = (int)message.Lnet.PayloadLength;
        if (length > _node.Options.MaxRequestBytes) return Drop(message);
        var input = _input.Unread;
        if (input.Length < LnetMessage.Size + length) return Need(LnetMessage.Size + length);

        ref readonly var put = ref message.Lnet.Put;
        var due = new Due(message.Ksock);
        due.AddAck(put, length);
        _node.Deliver(receiver, new IncomingPut
        {
            Source = Peer.Id,
            Incarnation = Peer.Incarnation,
            Self = message.Lnet.DestNid,
            Portal = (int)put.Portal,
            MatchBits = put.MatchBits,
            HdrData = put.HdrData,
            Offset = put.Offset,
            Payload = input.Slice(LnetMessage.Size, length),
        });
        _input.Consume(LnetMessage.Size + length);
        Settle(due);
        return Step.Continue;
    }

    private Step OnPostedPut(in LnetMessage message)
    {
        var length = (int)message.Lnet.PayloadLength;
        var buffered = _input.Length >= LnetMessage.Size + length;
        if (!buffered && length <= BufferedPayload) return Need(LnetMessage.Size + length);

        ref readonly var put = ref message.Lnet.Put;
        if (_node.Posted.MatchPut(Peer.Id, put, length) is not { } posted) return Drop(message);
        return buffered ? StorePosted(message, posted) : ReceivePosted(message, posted);
    }

    private Step StorePosted(in LnetMessage message, PostedBuffer posted)
    {
        ref readonly var put = ref message.Lnet.Put;
        var length = (int)message.Lnet.PayloadLength;
        var payload = _input.Unread.Slice(LnetMessage.Size, length);
        if (!posted.TryStore(put.Offset, payload, out var extent)) return Drop(message);
        var due = new Due(message.Ksock);
        due.AddAck(put, extent.Stored);
        _input.Consume(LnetMessage.Size + length);
        Settle(due);
        posted.TellStored(extent);
        return Step.Continue;
    }

    private Step ReceivePosted(in LnetMessage message, PostedBuffer posted)
    {
        ref readonly var put = ref message.Lnet.Put;
        var length = (int)message.Lnet.PayloadLength;
        if (!posted.TryBeginStore(put.Offset, length, out var extent, out var memory)) return Drop(message);
        var due = new Due(message.Ksock);
        due.AddAck(put, extent.Stored);
        return BeginPayload(message, due, memory, posted, extent);
    }

    private Step OnGet(in LnetMessage message)
    {
        ref readonly var get = ref message.Lnet.Get;
        var due = new Due(message.Ksock);
        if (get.Portal >= LnetHeader.PortalCount) _node.CountDropped();
        else if (get.Portal == PingInfoWire.Portal && get.MatchBits == PingInfoWire.MatchBits) AnswerPing(get);
        else if (_node.Posted.MatchGet(Peer.Id, get) is { } posted) posted.Reply(Peer, get);
        else _node.CountDropped();

        _input.Consume(LnetMessage.Size);
        Settle(due);
        return Step.Continue;
    }

    private void AnswerPing(in LnetGet get)
    {
        ReadOnlySpan<byte> info = _node.PingInfo;
        if (get.SrcOffset > info.Length)
        {
            _node.CountDropped();
            return;
        }

        info = info[(int)get.SrcOffset..];
        if (get.SinkLength < info.Length) info = info[..(int)get.SinkLength];
        Peer.TrySend(Peer.NewReply(get, info.Length), info);
    }

    private Step OnReply(in LnetMessage message)
    {
        var length = (int)message.Lnet.PayloadLength;
        if (length <= BufferedPayload && _input.Length < LnetMessage.Size + length) return Need(LnetMessage.Size + length);
        var handle = message.Lnet.Reply.DstHandle;
        if (_node.Pending.Find(handle) is not { } operation) return Drop(message);
        if (!operation.TryBeginReceive(handle, this, length, out var sink)) return Drop(message);
        return BeginPayload(message, new Due(message.Ksock), sink, operation, new TransferExtent(0, sink.Length, length));
    }

    private Step OnAck(in LnetMessage message)
    {
        ref readonly var ack = ref message.Lnet.Ack;
        var due = new Due(message.Ksock);
        var (handle, stored) = (ack.DstHandle, ack.StoredLength);
        _input.Consume(LnetMessage.Size);
        Settle(due);
        _node.Pending.Find(handle)?.OnAck(handle, Peer, stored);
        return Step.Continue;
    }

    /// <summary>Takes the payload off the stream and tells nobody; there is no negative answer in LNet.</summary>
    private Step Drop(in LnetMessage message)
    {
        _node.CountDropped();
        return BeginPayload(message, new Due(message.Ksock), Memory<byte>.Empty, null, default);
    }

    /// <summary>
    /// The header is done: the payload goes to <paramref name="into"/> as far as that reaches, the rest nowhere.
    /// </summary>
    private Step BeginPayload(
        in LnetMessage message, in Due due, Memory<byte> into, ITransferTarget? target, in TransferExtent extent)
    {
        _insidePayload = true;
        _transfer = into;
        _discard = (int)message.Lnet.PayloadLength - into.Length;
        _due = due;
        _target = target;
        _extent = extent;
        _input.Consume(LnetMessage.Size);
        return Step.Continue;
    }

    private Step ContinuePayload()
    {
        if (!_transfer.IsEmpty)
        {
            var copied = Math.Min(_transfer.Length, _input.Length);
            _input.Unread[..copied].CopyTo(_transfer.Span);
            _input.Consume(copied);
            _transfer = _transfer[copied..];
            if (!_transfer.IsEmpty)
            {
                _input.ForgetFill();
                return Step.Transfer;
            }
        }

        var skipped = Math.Min(_discard, _input.Length);
        _input.Consume(skipped);
        _discard -= skipped;
        if (_discard > 0) return Need(1);
        EndPayload();
        return Step.Continue;
    }

    private void EndPayload()
    {
        _insidePayload = false;
        _transfer = default;
        var target = _target;
        _target = null;
        Settle(_due);
        target?.OnTransferDone(_extent);
    }

    /// <summary>The loop has ended; a transfer that had begun never will.</summary>
    private void BreakTransfer()
    {
        _transfer = default;
        var target = _target;
        _target = null;
        target?.OnTransferBroken();
    }

    private void Settle(in Due due)
    {
        if (due.ZcCookie != 0) Peer.SendZcAck(this, due.ZcCookie);
        if (!due.AckHandle.IsNone) Peer.SendAck(due.AckHandle, due.MatchBits, due.Stored);
    }
}
