using System.Net;
using Nacre.LNet.Tests.Support;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;

namespace Nacre.LNet.Tests;

/// <summary>
/// A machine vanishes without a word, and another run of it comes back under its address: stale sockets, stale operations, stale
/// handles (01 sections 4.7 and 15.1).
/// </summary>
public class RestartTests
{
    private const int Portal = 26;
    private const int BulkPortal = 8;
    private const ulong Young = 42;
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);
    private readonly InMemoryTransport _transport = new(TimeProvider.System);

    [Fact]
    public async Task WhatWaitedForTheOldRunFailsWhenTheNewOneConnects()
    {
        await using var server = await ListenAsync();
        var old = await ConnectOldAsync(server);
        var get = server.GetBulkAsync(ScriptedPeer.Id, NodePair.ServerNid, BulkPortal, 1, new byte[100_000], Long).AsTask();
        // Larger than what the old connection takes: it is being sent when its reader is gone.
        var put = server.PutBulkAsync(ScriptedPeer.Id, NodePair.ServerNid, BulkPortal, 2, new byte[1 << 20], Long).AsTask();
        using var young = await ScriptedPeer.ConnectAsync(_transport, server, incarnation: Young);
        await Assert.ThrowsAsync<PeerUnreachableException>(() => get.WaitAsync(TimeSpan.FromSeconds(30)));
        await Assert.ThrowsAsync<PeerUnreachableException>(() => put.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(1, server.ConnectionCount);
        await young.PingAsync();
        foreach (var connection in old) connection.Dispose();
    }

    /// <summary>The old run had five connections; the new one has one, then three. Everything goes over those.</summary>
    [Fact]
    public async Task TheNewRunIsServedOnItsOwnConnectionsOnly()
    {
        await using var server = await ListenAsync();
        var received = new Recorder();
        server.Serve(Portal, received);
        var old = await ConnectOldAsync(server);
        using var control = await ScriptedPeer.ConnectAsync(_transport, server, incarnation: Young);
        await control.PingAsync();
        Assert.True(server.TryPut(ScriptedPeer.Id, NodePair.ServerNid, 25, 7, 0, new byte[5000]));
        Assert.Equal(LnetMessage.Size + 5000, (await control.ReadAsync(LnetMessage.Size + 5000)).Length);

        using var bulkOut = await ScriptedPeer.ConnectAsync(_transport, server, ConnectionType.BulkOut, incarnation: Young);
        await Wait.UntilAsync(() => server.ConnectionCount == 2, "the second connection");
        // A zero-copy cookie is acknowledged to this run; cookies of both begin with 2.
        await bulkOut.SendAsync(ScriptedPeer.Put(Portal, new byte[40_000], zcCookie: 2));
        Assert.Equal(GoldenBytes.ZcAckOf2, await bulkOut.ReadAsync(GoldenBytes.ZcAckOf2.Length));
        Assert.Equal(40_000, (await received.NextAsync()).Payload.Length);

        using var bulkIn = await ScriptedPeer.ConnectAsync(_transport, server, ConnectionType.BulkIn, incarnation: Young);
        await Wait.UntilAsync(() => server.ConnectionCount == 3, "the third connection");
        Assert.True(server.TryPut(ScriptedPeer.Id, NodePair.ServerNid, 25, 7, 0, new byte[5000]));
        Assert.Equal(LnetMessage.Size + 5000, (await bulkIn.ReadAsync(LnetMessage.Size + 5000)).Length);
        foreach (var connection in old) connection.Dispose();
    }

    /// <summary>An answer of the new run with a handle that was given to the old one settles nothing.</summary>
    [Fact]
    public async Task HandlesOfTheOldRunMeanNothingToTheNewOne()
    {
        await using var server = await ListenAsync();
        var old = await ConnectOldAsync(server);
        var get = server.GetBulkAsync(ScriptedPeer.Id, NodePair.ServerNid, BulkPortal, 1, new byte[16], Long).AsTask();
        var asked = await old[0].ReadAsync<LnetMessage>();
        using var young = await ScriptedPeer.ConnectAsync(_transport, server, incarnation: Young);
        await Assert.ThrowsAsync<PeerUnreachableException>(() => get.WaitAsync(TimeSpan.FromSeconds(30)));

        var sink = new byte[16];
        var next = server.GetBulkAsync(ScriptedPeer.Id, NodePair.ServerNid, BulkPortal, 1, sink, Long).AsTask();
        var askedAgain = await young.ReadAsync<LnetMessage>();
        await young.SendAsync(Reply(asked.Lnet.Get.ReturnHandle, 1), Reply(askedAgain.Lnet.Get.ReturnHandle, 2));
        Assert.Equal(16, await next.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(Enumerable.Repeat((byte)2, 16), sink);
        Assert.Equal(1, server.DroppedMessages);
        foreach (var connection in old) connection.Dispose();
    }

    /// <summary>
    /// Every handshake has its own task, so that of a bulk connection may end before that of the CONTROL connection dialled before
    /// it. It belongs to the new set all the same, and must not die with the old one.
    /// </summary>
    [Fact]
    public async Task HandshakesMayEndInAnotherOrderThanTheyBegan()
    {
        await using var server = await ListenAsync();
        var old = await ScriptedPeer.ConnectAsync(_transport, server);
        using var control = await ScriptedPeer.DialAsync(_transport, server.ListeningAt!);
        using var bulk = await ScriptedPeer.DialAsync(_transport, server.ListeningAt!);
        await GreetAsync(server, bulk, ConnectionType.BulkIn, connections: 2);
        await GreetAsync(server, control, ConnectionType.Control, connections: 3);
        old.Dispose();
        await Wait.UntilAsync(() => server.ConnectionCount == 2, "the old connection to go");
        Assert.True(server.TryPut(ScriptedPeer.Id, NodePair.ServerNid, 25, 7, 0, new byte[5000]));
        Assert.Equal(LnetMessage.Size + 5000, (await bulk.ReadAsync(LnetMessage.Size + 5000)).Length);
        await control.PingAsync();
    }

    /// <summary>The other way round: a connection dialled before that CONTROL one, and added after it, is none of the new set.</summary>
    [Fact]
    public async Task AnOldHandshakeThatEndsLateTakesNothingNewAlong()
    {
        await using var server = await ListenAsync();
        using var old = await ScriptedPeer.ConnectAsync(_transport, server);
        var oldBulk = await ScriptedPeer.DialAsync(_transport, server.ListeningAt!);
        using var control = await ScriptedPeer.DialAsync(_transport, server.ListeningAt!);
        await GreetAsync(server, control, ConnectionType.Control, connections: 2);
        await GreetAsync(server, oldBulk, ConnectionType.BulkIn, connections: 3);
        Assert.True(server.TryPut(ScriptedPeer.Id, NodePair.ServerNid, 25, 7, 0, new byte[5000]));
        Assert.Equal(LnetMessage.Size + 5000, (await control.ReadAsync(LnetMessage.Size + 5000)).Length);
        oldBulk.Dispose();
        await Wait.UntilAsync(() => server.ConnectionCount == 1, "the old connections to go");
        await control.PingAsync();
    }

    private static async Task GreetAsync(LNetNode server, ScriptedPeer peer, ConnectionType type, int connections)
    {
        await peer.SendAsync(GoldenBytes.AcceptorRequest, ScriptedPeer.Hello(type));
        Assert.Equal(type.Invert(), (await peer.ReadAsync<KsockHello>()).Type);
        await Wait.UntilAsync(() => server.ConnectionCount == connections, "the connection");
    }

    private async Task<LNetNode> ListenAsync()
    {
        var node = NodePair.NewNode(NodePair.ServerNid, _transport);
        await node.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, 0), default);
        return node;
    }

    /// <summary>CONTROL and two of each bulk type, as with <c>conns_per_peer</c> 2. Nobody reads from them, and nobody closes them.</summary>
    private async Task<ScriptedPeer[]> ConnectOldAsync(LNetNode server)
    {
        var old = new List<ScriptedPeer>();
        ConnectionType[] types =
            [ConnectionType.Control, ConnectionType.BulkIn, ConnectionType.BulkOut, ConnectionType.BulkIn, ConnectionType.BulkOut];
        foreach (var type in types)
        {
            old.Add(await ScriptedPeer.ConnectAsync(_transport, server, type));
        }

        await Wait.UntilAsync(() => server.ConnectionCount == 5, "the old connections");
        return [.. old];
    }

    private static byte[] Reply(WireHandle handle, byte value)
    {
        var payload = new byte[16];
        payload.AsSpan().Fill(value);
        return ScriptedPeer.Message(LnetMessageType.Reply, payload, message =>
        {
            message.Lnet.Reply.DstHandle = handle;
            return message;
        });
    }
}
