using System.Net.Sockets;
using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>Frames, connections, and the answers a server waits for.</summary>
internal sealed partial class FuzzPeer
{
    private const ulong XidStep = 64;
    private static readonly ConnectionType[] Types = [ConnectionType.Control, ConnectionType.BulkIn, ConnectionType.BulkOut];

    private async Task DialAsync(CancellationToken ct)
    {
        await Task.WhenAll(_receivers);
        _receivers.Clear();
        _isClosed = false;
        foreach (var type in Types)
        {
            var connection = await options.Transport.ConnectAsync(options.Server, privilegedSourcePort: false, ct);
            _connections.Add(connection);
            await connection.SendAsync(Hello(type)).AsTask().WaitAsync(SendLimit, ct);
            await ReceiveHelloAsync(connection);
            _receivers.Add(Task.Run(() => ReceiveAsync(connection), CancellationToken.None));
        }
    }

    private void HangUp()
    {
        _connections.ForEach(connection => connection.Dispose());
        _connections.Clear();
        FailPending();
    }

    private void FailPending()
    {
        foreach (var waiting in _pending.Values)
        {
            waiting.TrySetException(new IOException("hung up"));
            // Whoever waited may have given up before.
            _ = waiting.Task.Exception;
        }
    }

    private byte[] Hello(ConnectionType type)
    {
        var bytes = new byte[AcceptorRequest.Size + KsockHello.Size];
        MemoryMarshal.Write(bytes, new AcceptorRequest(options.ServerNid));
        MemoryMarshal.Write(bytes.AsSpan(AcceptorRequest.Size), new KsockHello
        {
            Magic = KsockHello.ExpectedMagic,
            Version = KsockHello.Version3,
            SrcNid = options.Nid,
            DstNid = options.ServerNid,
            SrcPid = PeerId.LustrePid,
            SrcIncarnation = _incarnation,
            Type = type,
        });
        return bytes;
    }

    private static async Task ReceiveHelloAsync(IByteConnection connection)
    {
        var buffer = new byte[KsockHello.Size];
        for (var have = 0; have < buffer.Length;)
        {
            var got = await connection.ReceiveAsync(buffer.AsMemory(have)).AsTask().WaitAsync(ReplyLimit);
            have += got > 0 ? got : throw new IOException("closed during the HELLO");
        }
    }

    /// <summary>A connection of its own that says hello in a way nobody does.</summary>
    private async Task SendGarbageHelloAsync(CancellationToken ct)
    {
        using var connection = await options.Transport.ConnectAsync(options.Server, privilegedSourcePort: false, ct);
        var bytes = Hello((ConnectionType)random.Next(-2, 6));
        switch (random.Next(3))
        {
            case 0:
                random.NextBytes(bytes);
                break;
            case 1:
                _mutator.Scramble(bytes);
                break;
            default:
                bytes = bytes[..random.Next(bytes.Length)];
                break;
        }

        await connection.SendAsync(bytes).AsTask().WaitAsync(SendLimit, ct);
        if (random.Next(2) == 0)
        {
            connection.ShutdownSend();
        }
    }

    private byte[] NewPut(uint portal, ulong matchBits, byte[] payload)
    {
        var frame = NewFrame(LnetMessageType.Put, payload);
        ref var message = ref MemoryMarshal.AsRef<LnetMessage>(frame.AsSpan());
        message.Lnet.Put.AckHandle = NoHandle;
        message.Lnet.Put.MatchBits = matchBits;
        message.Lnet.Put.Portal = portal;
        return frame;
    }

    private static WireHandle NoHandle => MemoryMarshal.Read<WireHandle>([255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]);

    private byte[] NewFrame(LnetMessageType type, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[LnetMessage.Size + payload.Length];
        ref var message = ref MemoryMarshal.AsRef<LnetMessage>(frame.AsSpan());
        message.Ksock.Type = KsockMessageType.Lnet;
        message.Lnet.DestNid = options.ServerNid;
        message.Lnet.SrcNid = options.Nid;
        message.Lnet.DestPid = message.Lnet.SrcPid = PeerId.LustrePid;
        message.Lnet.Type = type;
        message.Lnet.PayloadLength = (uint)payload.Length;
        payload.CopyTo(frame.AsSpan(LnetMessage.Size));
        return frame;
    }

    /// <summary>A message whose socklnd or LNet header is damaged; what follows may be read as anything.</summary>
    private byte[] DamagedFrame()
    {
        var seed = corpus.Pick(random);
        var frame = NewPut(seed.Portal, _xid, seed.Payload);
        if (random.Next(3) == 0)
        {
            MemoryMarshal.AsRef<LnetMessage>(frame.AsSpan()).Lnet.Type = (LnetMessageType)random.Next(6);
        }

        _mutator.Scramble(frame.AsSpan(0, LnetMessage.Size));
        return frame;
    }

    /// <summary>Mostly on the control connection, as small messages go.</summary>
    private Task SendFrameAsync(byte[] frame)
    {
        var connection = _connections[random.Next(10) == 0 ? random.Next(_connections.Count) : 0];
        return SendOnAsync(connection, frame);
    }

    /// <summary>Requests, and answers from the receive loops, share the connections.</summary>
    private async Task SendOnAsync(IByteConnection connection, byte[] frame)
    {
        if (_isClosed)
        {
            throw new IOException("the server has closed a connection");
        }

        if (!await _sendGate.WaitAsync(SendLimit))
        {
            throw new TimeoutException("the connection takes nothing");
        }

        try
        {
            await connection.SendAsync(frame).AsTask().WaitAsync(SendLimit);
        }
        finally
        {
            _sendGate.Release();
        }
    }

    private async Task ReceiveAsync(IByteConnection connection)
    {
        var buffer = new byte[4 << 20];
        var have = 0;
        var own = new Random(connection.LocalEndPoint.Port);
        try
        {
            while (await connection.ReceiveAsync(buffer.AsMemory(have)) is var got and > 0)
            {
                have += got;
                var used = 0;
                while (FrameLength(buffer.AsSpan(used, have - used)) is var length and > 0)
                {
                    await AnswerAsync(connection, buffer.AsMemory(used, length), own);
                    used += length;
                }

                buffer.AsSpan(used, have - used).CopyTo(buffer);
                have -= used;
            }
        }
        catch (Exception closed) when (closed is IOException or SocketException or ObjectDisposedException or TimeoutException)
        {
        }

        _isClosed = true;
        FailPending();
    }

    private static int FrameLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < KsockHeader.Size)
        {
            return 0;
        }

        if ((KsockMessageType)MemoryMarshal.Read<uint>(bytes) == KsockMessageType.Noop)
        {
            return KsockHeader.Size;
        }

        if (bytes.Length < LnetMessage.Size)
        {
            return 0;
        }

        var length = LnetMessage.Size + (int)MemoryMarshal.Read<LnetMessage>(bytes).Lnet.PayloadLength;
        return length <= bytes.Length ? length : 0;
    }

    private async Task AnswerAsync(IByteConnection connection, ReadOnlyMemory<byte> frame, Random own)
    {
        if (frame.Length < LnetMessage.Size)
        {
            return;
        }

        var header = MemoryMarshal.Read<LnetMessage>(frame.Span).Lnet;
        var payload = frame[LnetMessage.Size..];
        // Some answers never come; those this peer waits for itself are taken.
        var isReply = header.Type == LnetMessageType.Put
            && header.Put.Portal is not (Portal.OstBulk or Portal.MdsBulk or Portal.MgsBulk or Portal.LdlmCallbackRequest);
        if (!isReply && own.Next(20) == 0)
        {
            return;
        }

        switch (header.Type)
        {
            case LnetMessageType.Get:
                statistics.CountBulk();
                await SendOnAsync(connection, NewBulkReply(header.Get, own));
                break;
            case LnetMessageType.Put when header.Put.Portal is Portal.OstBulk or Portal.MdsBulk or Portal.MgsBulk:
                statistics.CountBulk();
                await SendOnAsync(connection, NewAck(header.Put, payload.Length));
                break;
            case LnetMessageType.Put when header.Put.Portal == Portal.LdlmCallbackRequest:
                statistics.CountCallback();
                await AnswerCallbackAsync(connection, header.Put, payload);
                break;
            case LnetMessageType.Put:
                _needsConnect |= statistics.CountReply(payload.Span) == -Errno.ENOTCONN;
                if (_pending.TryGetValue(header.Put.MatchBits, out var waiting))
                {
                    waiting.TrySetResult(payload.ToArray());
                }

                lock (_mutator)
                {
                    _mutator.Harvest(payload.Span);
                }

                break;
        }
    }

    private byte[] NewBulkReply(in LnetGet get, Random own)
    {
        var length = (int)Math.Min(get.SinkLength, LnetHeader.MaxPayload);
        var frame = NewFrame(LnetMessageType.Reply, new byte[own.Next(10) == 0 ? own.Next(length + 1) : length]);
        MemoryMarshal.AsRef<LnetMessage>(frame.AsSpan()).Lnet.Reply.DstHandle = get.ReturnHandle;
        return frame;
    }

    private byte[] NewAck(in LnetPut put, int stored)
    {
        var frame = NewFrame(LnetMessageType.Ack, []);
        ref var ack = ref MemoryMarshal.AsRef<LnetMessage>(frame.AsSpan()).Lnet.Ack;
        (ack.DstHandle, ack.MatchBits, ack.StoredLength) = (put.AckHandle, put.MatchBits, (uint)stored);
        return frame;
    }

    /// <summary>Replies, and gives the lock up when it is wanted back.</summary>
    private async Task AnswerCallbackAsync(IByteConnection connection, LnetPut put, ReadOnlyMemory<byte> payload)
    {
        if (LustreMessage.TryParse(payload.Span, out var message) != MessageError.None)
        {
            return;
        }

        message.ReadBody(out var body);
        var reply = Build(body.Opcode, body.Handle);
        MemoryMarshal.AsRef<PtlrpcBody>(reply.AsSpan(MessageLayout.HeaderSize(1))).Type = MessageType.Reply;
        var frame = NewPut(Portal.LdlmCallbackReply, body.MatchBits != 0 ? body.MatchBits : put.MatchBits, reply);
        var wanted = body.Opcode == Opcode.LdlmBlCallback && message.BufferLength(1) >= LdlmRequest.Size
            ? MemoryMarshal.Read<LdlmRequest>(message.Buffer(1)).Handle1
            : 0;
        await SendOnAsync(connection, frame);
        if (wanted != 0)
        {
            await SendOnAsync(connection, NewPut(Portal.LdlmCancelRequest, put.MatchBits, BuildCancel(wanted)));
        }
    }

    private byte[] BuildCancel(ulong serverHandle)
    {
        var builder = new MessageBuilder();
        builder.Start([LdlmRequest.Size]);
        builder.Get<LdlmRequest>(1).LockCount = 1;
        builder.Get<LdlmRequest>(1).Handle0 = serverHandle;
        ulong handle;
        lock (_handles)
        {
            handle = _handles.Values.FirstOrDefault(value => value != 0);
        }

        return Finish(builder, Opcode.LdlmCancel, handle, ConnectOperationFlags.None);
    }
}
