using System.Net;
using Nacre.LNet.Tests.Support;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;

namespace Nacre.LNet.Tests;

/// <summary>Streams that arrive in pieces, break in the middle, or stand still.</summary>
public class FaultTests
{
    private const int Portal = 26;
    private const int BulkPortal = 8;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task EverythingMayArriveByteByByte()
    {
        var bytewise = new StreamFaults { MaxChunk = 1 };
        var transport = new InMemoryTransport(TimeProvider.System) { Faults = _ => new ConnectionFaults(bytewise, bytewise) };
        await using var pair = await NodePair.StartAsync(transport);
        var received = new Recorder();
        pair.Server.Serve(Portal, received);
        Assert.True(pair.Client.TryPut(pair.ServerId, NodePair.ClientNid, Portal, 1, 0, TestData.Bytes(3000)));
        Assert.Equal(TestData.Bytes(3000), (await received.NextAsync()).Payload);

        var sink = new byte[20_000];
        using var posted = pair.Client.Post(BulkPortal, pair.ServerId, 5, TestData.Bytes(20_000), PostOptions.AcceptGet, new PostedRecorder());
        await pair.Server.GetBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, 5, sink, Long).WithinBounds();
        Assert.Equal(TestData.Bytes(20_000), sink);
    }

    /// <summary>Splits a stream of all kinds of messages into two pieces at every place.</summary>
    [Fact]
    public async Task AMessageMayBeSplitAnywhere()
    {
        byte[] stream =
        [
            .. GoldenBytes.Keepalive, .. ScriptedPeer.Put(33, new byte[50]), .. GoldenBytes.Put, .. GoldenBytes.PingGet, .. ScriptedPeer.Put(Portal, [1, 2, 3]),
        ];
        var transport = new InMemoryTransport(TimeProvider.System);
        await using var server = NodePair.NewNode(NodePair.ServerNid, transport);
        var received = new Recorder();
        server.Serve(Portal, received);
        await server.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, 0), default);
        using var peer = await ScriptedPeer.ConnectAsync(transport, server);
        for (var at = 0; at <= stream.Length; at++)
        {
            await peer.SendAsync(stream[..at]);
            if (at % 2 == 0) await Task.Yield();
            await peer.SendAsync(stream[at..]);
            Assert.Equal(GoldenBytes.PingReply, await peer.ReadAsync(GoldenBytes.PingReply.Length));
            Assert.Equal(16, (await received.NextAsync()).Payload.Length);
            Assert.Equal([1, 2, 3], (await received.NextAsync()).Payload);
        }
    }

    public static TheoryData<int> Cuts => [0, 1, 23, 24, 95, 96, 97, 4096, 16384, 100_000, 400_000, (1 << 20) + 95];

    /// <summary>The client's BULK_OUT, on which the REPLY travels, breaks after so many bytes of it.</summary>
    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task AGetWhoseReplyBreaksOffFailsAndLeavesTheSinkAlone(int bytes)
    {
        const int handshake = AcceptorRequest.Size + KsockHello.Size;
        var transport = new InMemoryTransport(TimeProvider.System)
        {
            Faults = number => number == 2
                ? new ConnectionFaults(new StreamFaults { CutAfter = handshake + bytes }, StreamFaults.None)
                : ConnectionFaults.None,
        };
        if (bytes == 0)
        {
            // Nothing was sent yet when it breaks, so it is a connection that never comes to be.
            transport.Faults = number => number == 2 ? new ConnectionFaults(new StreamFaults { CutAfter = handshake + 1 }, StreamFaults.None) : ConnectionFaults.None;
        }

        await using var pair = await NodePair.StartAsync(transport);
        var events = new PostedRecorder();
        using var posted = pair.Client.Post(BulkPortal, pair.ServerId, 5, TestData.Bytes(1 << 20), PostOptions.AcceptGet, events);
        var sink = new byte[1 << 20];
        await Assert.ThrowsAsync<PeerUnreachableException>(
            () => pair.Server.GetBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, 5, sink, Long).WithinBounds());

        // Whatever arrived lies there; nothing is written any more.
        sink.AsSpan().Fill(0xEE);
        await Wait.UntilAsync(() => pair.Server.ConnectionCount == 0 && pair.Client.ConnectionCount == 0, "both sides to notice");
        Assert.DoesNotContain(sink, b => b != 0xEE);
        Assert.Equal("broken", await events.NextAsync());
    }

    /// <summary>The connection on which a bulk PUT travels breaks after so many bytes of it.</summary>
    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task APutThatBreaksOffFailsOnBothSides(int bytes)
    {
        var transport = new InMemoryTransport(TimeProvider.System)
        {
            Faults = number => number == 1
                ? new ConnectionFaults(StreamFaults.None, new StreamFaults { CutAfter = KsockHello.Size + Math.Max(bytes, 1) })
                : ConnectionFaults.None,
        };
        await using var pair = await NodePair.StartAsync(transport);
        var events = new PostedRecorder();
        var buffer = new byte[1 << 20];
        await using var posted = pair.Client.Post(BulkPortal, pair.ServerId, 5, buffer, PostOptions.AcceptPut, events);
        await Assert.ThrowsAsync<PeerUnreachableException>(
            () => pair.Server.PutBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, 5, TestData.Bytes(1 << 20), Long).WithinBounds());
        await Wait.UntilAsync(() => pair.Client.ConnectionCount == 0, "the client to notice");
        if (bytes >= LnetMessage.Size) Assert.Equal("broken", await events.NextAsync());
    }

    [Fact]
    public async Task AfterABreakTheClientConnectsAgainAndGoesOn()
    {
        var transport = new InMemoryTransport(TimeProvider.System);
        await using var pair = await NodePair.StartAsync(transport);
        for (var i = 0; i < 5; i++)
        {
            Assert.True(pair.Server.Disconnect(pair.ClientId, "on purpose"));
            await Wait.UntilAsync(() => pair.Client.ConnectionCount == 0, "the client to notice");
            await pair.ConnectAsync();
            Assert.Equal(NodePair.ServerNid, (await pair.Client.PingAsync(pair.ServerId, Long, default).WithinBounds()).PrimaryNid);
        }
    }

    [Fact]
    public async Task AHalfClosedConnectionTakesItsSiblingsAlong()
    {
        var transport = new InMemoryTransport(TimeProvider.System);
        await using var server = NodePair.NewNode(NodePair.ServerNid, transport);
        await server.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, 0), default);
        using var control = await ScriptedPeer.ConnectAsync(transport, server);
        using var bulk = await ScriptedPeer.ConnectAsync(transport, server, ConnectionType.BulkIn);
        await Wait.UntilAsync(() => server.ConnectionCount == 2, "the connections");
        bulk.FinishSending();
        Assert.Empty(await bulk.ReadToEndAsync());
        Assert.Empty(await control.ReadToEndAsync());
    }

    [Fact]
    public async Task APeerThatDoesNotReadIsDisconnectedAndOthersAreNotHeldUp()
    {
        var transport = new InMemoryTransport(TimeProvider.System);
        await using var pair = await NodePair.StartAsync(transport, server: o => o with { MaxQueuedBytesPerConnection = 1 << 20 });
        pair.Server.Serve(Portal, new Recorder { Then = put => pair.Server.TryPut(put.Source, put.Self, 25, 0, 0, new byte[800]) });
        var stubborn = await StubbornPeer.ConnectAsync(transport, pair.Server);
        await stubborn.FloodAsync(() => pair.Server.IsConnected(StubbornPeer.Id));
        Assert.False(pair.Server.IsConnected(StubbornPeer.Id));
        Assert.Equal(3, pair.Server.ConnectionCount);
        Assert.Equal(NodePair.ClientNid, (await pair.Server.PingAsync(pair.ClientId, Long, default).WithinBounds()).PrimaryNid);
    }

    [Fact]
    public async Task TryPutToAPeerThatDoesNotReadFailsInTheEnd()
    {
        var transport = new InMemoryTransport(TimeProvider.System);
        await using var server = NodePair.NewNode(NodePair.ServerNid, transport, null, o => o with { MaxQueuedBytesPerConnection = 1 << 20 });
        await server.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, 0), default);
        using var peer = await ScriptedPeer.ConnectAsync(transport, server);
        await Wait.UntilAsync(() => server.ConnectionCount == 1, "the connection");
        var sent = 0;
        while (server.TryPut(ScriptedPeer.Id, NodePair.ServerNid, 25, 0, 0, new byte[10_000])) sent++;
        Assert.InRange(sent * 10_096L, 1 << 20, 2 << 20);
        Assert.Equal(0, server.ConnectionCount);
        peer.Dispose();
    }

    /// <summary>Requests answers for ever and reads none.</summary>
    private sealed class StubbornPeer(IByteConnection bytes)
    {
        public static readonly PeerId Id = new(Nid.Parse("192.168.1.99"));

        public static async Task<StubbornPeer> ConnectAsync(ITransport transport, LNetNode server)
        {
            var bytes = await transport.ConnectAsync(server.ListeningAt!, false, default);
            var hello = ScriptedPeer.Hello(ConnectionType.Control);
            BitConverter.TryWriteBytes(hello.AsSpan(8), Id.Nid.Value);
            await bytes.SendAsync((byte[])[.. GoldenBytes.AcceptorRequest, .. hello]);
            await Wait.UntilAsync(() => server.IsConnected(Id), "the connection");
            return new StubbornPeer(bytes);
        }

        public async Task FloodAsync(Func<bool> go)
        {
            var put = ScriptedPeer.Put(Portal, new byte[8]);
            BitConverter.TryWriteBytes(put.AsSpan(32), Id.Nid.Value);
            try
            {
                while (go()) await bytes.SendAsync(put).WithinBounds();
            }
            catch (IOException)
            {
                // Disconnected.
            }
        }
    }
}
