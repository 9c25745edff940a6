using System.Net;
using System.Runtime.InteropServices;
using Nacre.LNet.Tests.Support;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;

namespace Nacre.LNet.Tests;

/// <summary>What a node makes of single messages (01 sections 6, 7, 10 and 13), byte by byte.</summary>
public class MessageTests
{
    private const int Portal = 26;
    private readonly InMemoryTransport _transport = new(TimeProvider.System);
    private readonly Recorder _received = new();

    private async Task<LNetNode> ListenAsync(Func<LNetOptions, LNetOptions>? with = null)
    {
        var node = NodePair.NewNode(NodePair.ServerNid, _transport, null, o => (with?.Invoke(o) ?? o) with { Incarnation = GoldenBytes.ServerIncarnation });
        node.Serve(Portal, _received);
        await node.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, 988), default);
        return node;
    }

    private Task<ScriptedPeer> ConnectAsync(LNetNode server, ConnectionType type = ConnectionType.Control, uint version = 3) =>
        ScriptedPeer.ConnectAsync(_transport, server, type, version);

    [Fact]
    public async Task GoldenPutIsDelivered()
    {
        await using var server = await ListenAsync();
        using var peer = await ConnectAsync(server);
        await peer.SendAsync(GoldenBytes.Put);
        var put = await _received.NextAsync();
        Assert.Equal(0x0006123456789a40ul, put.MatchBits);
        Assert.Equal(Enumerable.Range(0x10, 16).Select(i => (byte)i), put.Payload);
        await peer.PingAsync();
    }

    [Fact]
    public async Task GoldenPushIsAcknowledged()
    {
        await using var server = await ListenAsync();
        using var peer = await ConnectAsync(server);
        await peer.SendAsync(GoldenBytes.Push);
        Assert.Equal(GoldenBytes.PushAck, await peer.ReadAsync(GoldenBytes.PushAck.Length));
    }

    [Fact]
    public async Task AServedPutIsAcknowledgedIfItAsksForIt()
    {
        await using var server = await ListenAsync();
        using var peer = await ConnectAsync(server);
        var handle = new WireHandle(1, 2);
        await peer.SendAsync(ScriptedPeer.Message(LnetMessageType.Put, new byte[100], m =>
        {
            m.Lnet.Put = new LnetPut { AckHandle = handle, MatchBits = 5, Portal = Portal };
            return m;
        }));
        var ack = (await peer.ReadAsync<LnetMessage>()).Lnet;
        Assert.Equal(LnetMessageType.Ack, ack.Type);
        Assert.Equal((handle, 5ul, 100u), (ack.Ack.DstHandle, ack.Ack.MatchBits, ack.Ack.StoredLength));
        Assert.Equal((NodePair.ClientNid, NodePair.ServerNid, 12345u, 12345u), (ack.DestNid, ack.SrcNid, ack.DestPid, ack.SrcPid));
    }

    [Theory]
    [InlineData(0u, 272u, 48)]
    [InlineData(0u, 16u, 16)]
    [InlineData(16u, 272u, 32)]
    [InlineData(48u, 272u, 0)]
    [InlineData(0u, 0u, 0)]
    public async Task PingsAreAnsweredWithWhatFits(uint offset, uint room, int expected)
    {
        await using var server = await ListenAsync();
        using var peer = await ConnectAsync(server);
        await peer.SendAsync(ScriptedPeer.Message(LnetMessageType.Get, [], m =>
        {
            m.Lnet.Get = new LnetGet { ReturnHandle = new WireHandle(3, 4), MatchBits = PingInfoWire.MatchBits, SrcOffset = offset, SinkLength = room };
            return m;
        }));
        var reply = (await peer.ReadAsync<LnetMessage>()).Lnet;
        Assert.Equal((LnetMessageType.Reply, (uint)expected, new WireHandle(3, 4)), (reply.Type, reply.PayloadLength, reply.Reply.DstHandle));
        Assert.Equal(GoldenBytes.PingReply.Skip(LnetMessage.Size + (int)offset).Take(expected), await peer.ReadAsync(expected));
        await peer.PingAsync();
    }

    public static TheoryData<string> Violations =>
    [
        "socklnd type", "LNet type 4", "LNet type", "ACK with payload", "GET with payload", "PUT too long", "REPLY too long", "PUT absurdly long",
        "not for us", "NOOP unknown cookie", "NOOP range", "NOOP pair with keepalive", "piggybacked ack", "keepalive in an LNET message", "keepalive on version 2",
    ];

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task AProtocolViolationClosesAllConnectionsOfThePeer(string kind)
    {
        await using var server = await ListenAsync();
        var version = kind == "keepalive on version 2" ? 2u : 3u;
        using var peer = await ConnectAsync(server, version: version);
        using var bulkIn = await ConnectAsync(server, ConnectionType.BulkIn, version);
        using var bulkOut = await ConnectAsync(server, ConnectionType.BulkOut, version);
        await bulkOut.SendAsync(kind switch
        {
            "socklnd type" => [0xc2, .. new byte[23]],
            "LNet type 4" => ScriptedPeer.Message(LnetMessageType.Hello, [], m => m),
            "LNet type" => ScriptedPeer.Message((LnetMessageType)uint.MaxValue, [], m => m),
            "ACK with payload" => ScriptedPeer.Message(LnetMessageType.Ack, new byte[1], m => m),
            "GET with payload" => ScriptedPeer.Message(LnetMessageType.Get, new byte[1], m => m),
            "PUT too long" => OfLength(LnetMessageType.Put, (1 << 20) + 1),
            "REPLY too long" => OfLength(LnetMessageType.Reply, (1 << 20) + 1),
            "PUT absurdly long" => OfLength(LnetMessageType.Put, uint.MaxValue),
            "not for us" => To("192.168.1.21@tcp"),
            "NOOP unknown cookie" => ScriptedPeer.Noop(0, 2),
            "NOOP range" => ScriptedPeer.Noop(2, 5),
            "NOOP pair with keepalive" => ScriptedPeer.Noop(7, 1),
            "piggybacked ack" => WithAck(9),
            "keepalive in an LNET message" => WithAck(1),
            _ => GoldenBytes.Keepalive,
        });
        foreach (var connection in new[] { peer, bulkIn, bulkOut }) Assert.Empty(await connection.ReadToEndAsync());
        await Wait.UntilAsync(() => !server.IsConnected(ScriptedPeer.Id), "the peer to go");
        Assert.Equal(0, _received.Count);

        static byte[] OfLength(LnetMessageType type, uint length) => ScriptedPeer.Message(type, [], m =>
        {
            m.Lnet.PayloadLength = length;
            return m;
        });
        static byte[] WithAck(ulong cookie) => ScriptedPeer.Message(LnetMessageType.Put, [], m =>
        {
            m.Ksock.ZcAckCookie = cookie;
            return m;
        });
    }

    public static TheoryData<string> MessagesToDrop =>
    [
        "portal 64", "portal beyond int", "unserved portal", "portal 0 other bits", "ACK unknown handle", "REPLY unknown handle", "GET unmatched",
        "GET portal beyond int", "GET portal 0 other bits", "another network", "loopback", "another source", "another process", "request too long",
    ];

    [Theory]
    [MemberData(nameof(MessagesToDrop))]
    public async Task ADroppedMessageLeavesTheConnectionAndIsZcAcknowledgedOnce(string kind)
    {
        await using var server = await ListenAsync(o => o with { MaxRequestBytes = 5000 });
        using var peer = await ConnectAsync(server);
        var payload = new byte[3000];
        var message = kind switch
        {
            "portal 64" => ScriptedPeer.Put(64, payload),
            "portal beyond int" => ScriptedPeer.Put(-1, payload),
            "unserved portal" => ScriptedPeer.Put(33, payload),
            "portal 0 other bits" => ScriptedPeer.Put(0, payload, matchBits: 1),
            "ACK unknown handle" => ScriptedPeer.Message(LnetMessageType.Ack, [], m => m),
            "REPLY unknown handle" => ScriptedPeer.Message(LnetMessageType.Reply, payload, m => m),
            "GET unmatched" => Get(8, 1),
            "GET portal beyond int" => Get(-1, 1),
            "GET portal 0 other bits" => Get(0, 1),
            "another network" => To("192.168.1.20@tcp1", payload),
            "loopback" => To("0@lo", payload),
            "another source" => From(new PeerId(Nid.Parse("192.168.1.11")), payload),
            "another process" => From(new PeerId(NodePair.ClientNid, 1), payload),
            _ => ScriptedPeer.Put(Portal, new byte[5001]),
        };
        MemoryMarshal.AsRef<KsockHeader>(message.AsSpan()).ZcRequestCookie = 2;
        await peer.SendAsync(message);

        Assert.Equal(GoldenBytes.ZcAckOf2, await peer.ReadAsync(KsockHeader.Size));
        await peer.PingAsync();
        Assert.Equal(0, _received.Count);

        static byte[] Get(int portal, ulong bits) => ScriptedPeer.Message(LnetMessageType.Get, [], m =>
        {
            m.Lnet.Get.Portal = (uint)portal;
            m.Lnet.Get.MatchBits = bits;
            return m;
        });
        static byte[] From(PeerId source, byte[] payload) => ScriptedPeer.Message(LnetMessageType.Put, payload, m =>
        {
            m.Lnet.SrcNid = source.Nid;
            m.Lnet.SrcPid = source.Pid;
            m.Lnet.Put.Portal = Portal;
            return m;
        });
    }

    [Fact]
    public async Task KeepalivesAndEmptyNoopsAreIgnored()
    {
        await using var server = await ListenAsync();
        using var peer = await ConnectAsync(server);
        await peer.SendAsync(GoldenBytes.Keepalive, ScriptedPeer.Noop(1, 1), ScriptedPeer.Noop(0, 0), ScriptedPeer.Noop(99, 0));
        await peer.PingAsync();
    }

    [Theory]
    [InlineData(16)]
    [InlineData(40_000)]
    [InlineData(1 << 20)]
    public async Task EveryCookieIsAcknowledgedOnceOnTheReverseOfTheBulkDirection(int length)
    {
        await using var server = await ListenAsync();
        using var control = await ConnectAsync(server);
        using var bulkIn = await ConnectAsync(server, ConnectionType.BulkIn);
        using var bulkOut = await ConnectAsync(server, ConnectionType.BulkOut);
        await Wait.UntilAsync(() => server.ConnectionCount == 3, "the connections");
        for (ulong cookie = 2; cookie < 7; cookie++)
        {
            // Wherever the message comes from, the acknowledgement goes where nothing else does.
            await (cookie % 2 == 0 ? bulkOut : control).SendAsync(ScriptedPeer.Put(Portal, new byte[length], cookie));
            var ack = await bulkOut.ReadAsync<KsockHeader>();
            Assert.Equal((KsockMessageType.Noop, 0u, 0ul, cookie), (ack.Type, ack.Checksum, ack.ZcRequestCookie, ack.ZcAckCookie));
            await _received.NextAsync();
        }

        await control.PingAsync();
        control.Dispose();
        Assert.Empty(await bulkOut.ReadToEndAsync());
        Assert.Empty(await bulkIn.ReadToEndAsync());
    }

    [Fact]
    public async Task WithoutABulkConnectionTheCookieIsAcknowledgedWhereItCameFrom()
    {
        await using var server = await ListenAsync();
        using var control = await ConnectAsync(server);
        await control.SendAsync(ScriptedPeer.Put(Portal, new byte[40_000], 2));
        Assert.Equal(GoldenBytes.ZcAckOf2, await control.ReadAsync(KsockHeader.Size));
    }

    [Fact]
    public async Task TheCookieIsNotAcknowledgedBeforeThePayloadIsThere()
    {
        await using var server = await ListenAsync();
        using var control = await ConnectAsync(server);
        var message = ScriptedPeer.Put(33, new byte[40_000], 2);
        await control.SendAsync(message[..^1]);
        using var other = await ConnectAsync(server, ConnectionType.BulkOut);
        await other.SendAsync(GoldenBytes.PingGet);
        Assert.Equal(GoldenBytes.PingReply, await control.ReadAsync(GoldenBytes.PingReply.Length));
        await control.SendAsync(message[^1..]);
        Assert.Equal(GoldenBytes.ZcAckOf2, await other.ReadAsync(KsockHeader.Size));
    }

    [Theory]
    [InlineData(831, true)]
    [InlineData(927, true)]
    [InlineData(928, false)]
    public async Task SmallMessagesTakeControlAndLargeOnesBulk(int length, bool small)
    {
        await using var server = await ListenAsync();
        using var control = await ConnectAsync(server);
        using var bulkIn = await ConnectAsync(server, ConnectionType.BulkIn);
        using var bulkOut = await ConnectAsync(server, ConnectionType.BulkOut);
        await Wait.UntilAsync(() => server.ConnectionCount == 3, "the connections");
        Assert.True(server.TryPut(ScriptedPeer.Id, NodePair.ServerNid, 25, 1, 0, new byte[length]));
        var message = await (small ? control : bulkIn).ReadAsync<LnetMessage>();
        Assert.Equal((uint)length, message.Lnet.PayloadLength);
    }

    [Theory]
    [InlineData(ConnectionType.Control, 3u, 5000, true)]
    [InlineData(ConnectionType.BulkIn, 3u, 10, true)]
    [InlineData(ConnectionType.Any, 3u, 10, true)]
    [InlineData(ConnectionType.BulkOut, 3u, 10, false)]
    [InlineData(ConnectionType.BulkOut, 2u, 10, true)]
    public async Task OtherConnectionsStandInExceptThePeersBulkOut(ConnectionType only, uint version, int length, bool sent)
    {
        await using var server = await ListenAsync();
        using var peer = await ConnectAsync(server, only, version);
        await Wait.UntilAsync(() => server.ConnectionCount == 1, "the connection");
        Assert.Equal(sent, server.TryPut(ScriptedPeer.Id, NodePair.ServerNid, 25, 1, 0, new byte[length]));
        if (sent) Assert.Equal((uint)length, (await peer.ReadAsync<LnetMessage>()).Lnet.PayloadLength);
    }

    [Fact]
    public async Task AReceiverThatThrowsLosesItsMessageOnly()
    {
        await using var server = await ListenAsync();
        server.Serve(27, new Recorder { Then = _ => throw new InvalidOperationException("on purpose") });
        using var peer = await ConnectAsync(server);
        await peer.SendAsync(ScriptedPeer.Put(27, new byte[10], 2));
        Assert.Equal(GoldenBytes.ZcAckOf2, await peer.ReadAsync(KsockHeader.Size));
        await peer.PingAsync();
    }

    [Fact]
    public async Task PortalsAreServedOnceAndUntilStopped()
    {
        await using var server = await ListenAsync();
        Assert.Throws<InvalidOperationException>(() => server.Serve(Portal, _received));
        Assert.Throws<ArgumentOutOfRangeException>(() => server.Serve(0, _received));
        Assert.Throws<ArgumentOutOfRangeException>(() => server.Serve(64, _received));
        server.StopServing(Portal);
        using var peer = await ConnectAsync(server);
        await peer.SendAsync(GoldenBytes.Put);
        await peer.PingAsync();
        Assert.Equal((0, 1), (_received.Count, server.DroppedMessages));
    }

    private static byte[] To(string nid, params byte[] payload) => ScriptedPeer.Message(LnetMessageType.Put, payload, m =>
    {
        m.Lnet.DestNid = Nid.Parse(nid);
        m.Lnet.Put.Portal = Portal;
        return m;
    });
}
