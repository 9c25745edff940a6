using System.Net;
using System.Net.Sockets;
using Nacre.LNet.Tests.Support;
using Nacre.LNet.Transports;

namespace Nacre.LNet.Tests;

public sealed class InMemoryLNetTests : LNetSuite
{
    protected override ITransport NewTransport() => new InMemoryTransport(TimeProvider.System);
}

public sealed class TcpLNetTests : LNetSuite
{
    protected override ITransport NewTransport() => new TcpTransport();

    /// <summary>Needs root or CAP_NET_BIND_SERVICE; without it, the refusal is what is checked.</summary>
    [Fact]
    public async Task PrivilegedSourcePortsSatisfyASecureAcceptor()
    {
        var transport = NewTransport();
        try
        {
            await using var pair = await NodePair.StartAsync(
                transport,
                server: o => o with { AcceptUnprivilegedPorts = false },
                client: o => o with { DialFromPrivilegedPorts = true });
            Assert.Equal(3, pair.Server.ConnectionCount);
        }
        catch (SocketException e)
        {
            Assert.Equal(SocketError.AccessDenied, e.SocketErrorCode);
        }
    }
}

/// <summary>What two nodes do with each other, whatever carries the bytes.</summary>
public abstract class LNetSuite
{
    private const int Portal = 26;
    private const int BulkPortal = 8;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    protected abstract ITransport NewTransport();

    [Fact]
    public async Task ConnectOpensOneControlAndTwoBulkConnections()
    {
        await using var pair = await NodePair.StartAsync(NewTransport());
        Assert.Equal(3, pair.Server.ConnectionCount);
        Assert.Equal([pair.ClientId], pair.Server.Peers);
        Assert.Equal([pair.ServerId], pair.Client.Peers);
    }

    [Fact]
    public async Task ConnectAgainOpensNothing()
    {
        await using var pair = await NodePair.StartAsync(NewTransport());
        await pair.ConnectAsync();
        Assert.Equal(3, pair.Server.ConnectionCount);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(927)]
    [InlineData(928)]
    [InlineData(20_000)]
    [InlineData(70_000)]
    [InlineData(1 << 20)]
    public async Task PutReachesTheServedPortal(int length)
    {
        await using var pair = await NodePair.StartAsync(NewTransport());
        var received = new Recorder();
        pair.Server.Serve(Portal, received);
        var payload = TestData.Bytes(length);
        Assert.True(pair.Client.TryPut(pair.ServerId, NodePair.ClientNid, Portal, 0x6123456789a40, 224, payload));

        var put = await received.NextAsync();
        Assert.Equal(pair.ClientId, put.Source);
        Assert.Equal(NodePair.ServerNid, put.Self);
        Assert.Equal(Portal, put.Portal);
        Assert.Equal(0x6123456789a40u, put.MatchBits);
        Assert.Equal(0u, put.HdrData);
        Assert.Equal(224u, put.Offset);
        Assert.Equal(payload, put.Payload);
    }

    [Fact]
    public async Task AnswersFromInsideTheReceiverArriveInThePostedBuffer()
    {
        await using var pair = await NodePair.StartAsync(NewTransport());
        pair.Server.Serve(Portal, new Recorder
        {
            Then = put => pair.Server.TryPut(put.Source, put.Self, 25, put.MatchBits, 8, put.Payload),
        });
        var events = new PostedRecorder();
        var buffer = new byte[64];
        using var posted = pair.Client.Post(25, pair.ServerId, 7, buffer, PostOptions.AcceptPut | PostOptions.RemoteOffset | PostOptions.ManyUses, events);

        Assert.True(pair.Client.TryPut(pair.ServerId, NodePair.ClientNid, Portal, 7, 0, TestData.Bytes(16)));
        Assert.Equal("put 8 16 16", await events.NextAsync());
        Assert.Equal(TestData.Bytes(16), buffer[8..24]);
    }

    [Fact]
    public async Task ManySmallMessagesKeepTheirOrderAndAreDeliveredInBatches()
    {
        const int count = 20_000;
        await using var pair = await NodePair.StartAsync(NewTransport());
        var next = 0ul;
        var inOrder = true;
        var received = new Recorder { Then = put => inOrder &= put.MatchBits == next++ };
        pair.Server.Serve(Portal, received);
        for (var i = 0; i < count; i++)
        {
            Assert.True(pair.Client.TryPut(pair.ServerId, NodePair.ClientNid, Portal, (ulong)i, 0, TestData.Bytes(i % 100)));
            if (i % 1000 == 0) await Wait.UntilAsync(() => received.Count >= i - 5000, "the server to keep up");
        }

        await Wait.UntilAsync(() => received.Count == count, "all messages");
        Assert.True(inOrder);
        Assert.InRange(received.Batches, 1, count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(16 << 10)]
    [InlineData(131_077)]
    [InlineData(1 << 20)]
    public async Task GetBulkFetchesWhatThePeerPosted(int length)
    {
        await using var pair = await NodePair.StartAsync(NewTransport());
        var events = new PostedRecorder();
        var source = TestData.Bytes(length);
        using var posted = pair.Client.Post(BulkPortal, pair.ServerId, 99, source, PostOptions.AcceptGet, events);
        var sink = new byte[length];

        Assert.Equal(length, await pair.Server.GetBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, 99, sink, Long).WithinBounds());
        Assert.Equal(source, sink);
        Assert.Equal($"get {length}", await events.NextAsync());
        Assert.Equal(0, pair.Client.Posted.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(16 << 10)]
    [InlineData(131_077)]
    [InlineData(1 << 20)]
    public async Task PutBulkStoresIntoWhatThePeerPosted(int length)
    {
        await using var pair = await NodePair.StartAsync(NewTransport());
        var events = new PostedRecorder();
        var buffer = new byte[length + 1];
        using var posted = pair.Client.Post(BulkPortal, pair.ServerId, 99, buffer, PostOptions.AcceptPut, events);

        var payload = TestData.Bytes(length);
        Assert.Equal(length, await pair.Server.PutBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, 99, payload, Long).WithinBounds());
        Assert.Equal(payload, buffer[..length]);
        Assert.Equal($"put 0 {length} {length}", await events.NextAsync());
    }

    [Fact]
    public async Task PutBulkIsToldHowMuchATruncatingBufferStored()
    {
        await using var pair = await NodePair.StartAsync(NewTransport());
        var events = new PostedRecorder();
        using var posted = pair.Client.Post(
            BulkPortal, new PeerId(Nid.Any), 99, new byte[50_000], PostOptions.AcceptPut | PostOptions.Truncate, events);

        Assert.Equal(50_000, await pair.Server.PutBulkAsync(
            pair.ClientId, NodePair.ServerNid, BulkPortal, 99, TestData.Bytes(100_000), Long).WithinBounds());
        Assert.Equal("put 0 50000 100000", await events.NextAsync());
    }

    [Fact]
    public async Task ManyTransfersInBothDirectionsAtOnce()
    {
        const int count = 24;
        const int length = 1 << 20;
        await using var pair = await NodePair.StartAsync(NewTransport());
        var events = new PostedRecorder();
        var buffers = Enumerable.Range(0, count).Select(i => i % 2 == 0 ? new byte[length] : TestData.Bytes(length, i)).ToArray();
        var sinks = new byte[count][];
        var tasks = new List<Task<int>>();
        for (var i = 0; i < count; i++)
        {
            pair.Client.Post(BulkPortal, pair.ServerId, (ulong)i, buffers[i], i % 2 == 0 ? PostOptions.AcceptPut : PostOptions.AcceptGet, events);
            sinks[i] = i % 2 == 0 ? TestData.Bytes(length, i) : new byte[length];
            tasks.Add((i % 2 == 0
                ? pair.Server.PutBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, (ulong)i, sinks[i], Long)
                : pair.Server.GetBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, (ulong)i, sinks[i], Long)).WithinBounds());
        }

        Assert.All(await Task.WhenAll(tasks), stored => Assert.Equal(length, stored));
        for (var i = 0; i < count; i++) Assert.True(buffers[i].AsSpan().SequenceEqual(sinks[i]), $"transfer {i}");
    }

    [Fact]
    public async Task PingTellsTheOneNid()
    {
        await using var pair = await NodePair.StartAsync(NewTransport());
        var info = await pair.Server.PingAsync(pair.ClientId, Long, default).WithinBounds();
        Assert.Equal(NodePair.ClientNid, info.PrimaryNid);
        Assert.Equal(PingFeatures.Default, info.Features);
        Assert.Equal(PeerId.LustrePid, info.Pid);
        Assert.Equal([new PingInterface(Nid.Loopback, 1), new PingInterface(NodePair.ClientNid, PingInterface.Up)], info.Interfaces.ToArray());
    }

    [Fact]
    public async Task NothingCanBeSentToAPeerThatIsNotThere()
    {
        await using var pair = await NodePair.StartAsync(NewTransport());
        var stranger = new PeerId(Nid.Parse("10.9.9.9@tcp"));
        Assert.False(pair.Server.TryPut(stranger, NodePair.ServerNid, Portal, 0, 0, default));
        await Assert.ThrowsAsync<PeerUnreachableException>(
            () => pair.Server.GetBulkAsync(stranger, NodePair.ServerNid, BulkPortal, 0, new byte[1], Long).WithinBounds());
    }

    [Fact]
    public async Task LosingTheClientFailsWhatWaitsForItAndIsToldOnce()
    {
        await using var pair = await NodePair.StartAsync(NewTransport());
        var lost = new List<PeerId>();
        pair.Server.PeerLost += peer => { lock (lost) lost.Add(peer); };
        var get = pair.Server.GetBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, 1, new byte[10], Long).AsTask();
        await pair.Client.DisposeAsync();
        await Assert.ThrowsAsync<PeerUnreachableException>(() => get);
        await Wait.UntilAsync(() => !pair.Server.IsConnected(pair.ClientId), "the peer to go");
        await Wait.UntilAsync(() => { lock (lost) return lost.Count > 0; }, "the event");
        Assert.Equal([pair.ClientId], lost);
    }

    [Fact]
    public async Task CancellingGivesUpAtOnceWhenNothingMoves()
    {
        await using var pair = await NodePair.StartAsync(NewTransport());
        using var cancel = new CancellationTokenSource();
        var get = pair.Server.GetBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, 1, new byte[10], Long, cancel.Token).AsTask();
        var put = pair.Server.PutBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, 1, new byte[10], Long, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => get);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => put);
        Assert.Equal(3, pair.Server.ConnectionCount);
    }

    [Fact]
    public async Task AClientThatComesBackReplacesItsOldConnections()
    {
        var transport = NewTransport();
        await using var pair = await NodePair.StartAsync(transport);
        await using var restarted = NodePair.NewNode(NodePair.ClientNid, transport);
        Assert.NotEqual(pair.Client.Incarnation, restarted.Incarnation);

        await restarted.ConnectAsync(pair.ServerId, pair.Server.ListeningAt!, Wait.Token()).WithinBounds();
        await Wait.UntilAsync(() => !pair.Client.IsConnected(pair.ServerId), "the old incarnation to be dropped");
        await Wait.UntilAsync(() => pair.Server.ConnectionCount == 3, "the new connections");
        Assert.Equal(NodePair.ClientNid, (await pair.Server.PingAsync(pair.ClientId, Long, default).WithinBounds()).PrimaryNid);
    }

    [Fact]
    public async Task AListenerWhosePortIsTakenSaysSo()
    {
        var transport = NewTransport();
        await using var pair = await NodePair.StartAsync(transport);
        await using var second = NodePair.NewNode(NodePair.ClientNid, transport);
        var e = await Assert.ThrowsAsync<SocketException>(() => second.StartListeningAsync(pair.Server.ListeningAt!, default).AsTask());
        Assert.Equal(SocketError.AddressAlreadyInUse, e.SocketErrorCode);
    }

    [Fact]
    public async Task DiallingAClosedPortSaysSo()
    {
        var transport = NewTransport();
        await using var client = NodePair.NewNode(NodePair.ClientNid, transport);
        var e = await Assert.ThrowsAsync<SocketException>(
            () => client.ConnectAsync(new PeerId(NodePair.ServerNid), new IPEndPoint(IPAddress.Loopback, 1), default).AsTask());
        Assert.Equal(SocketError.ConnectionRefused, e.SocketErrorCode);
    }

    [Fact]
    public async Task DiallingAnotherNidThanTheServersFails()
    {
        var transport = NewTransport();
        await using var pair = await NodePair.StartAsync(transport);
        await Assert.ThrowsAsync<PeerUnreachableException>(
            () => pair.Client.ConnectAsync(new PeerId(Nid.Parse("192.168.1.21@tcp")), pair.Server.ListeningAt!, default).WithinBounds());
        Assert.Equal(3, pair.Server.ConnectionCount);
    }
}
