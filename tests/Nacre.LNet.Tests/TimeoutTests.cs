using System.Net;
using Microsoft.Extensions.Time.Testing;
using Nacre.LNet.Tests.Support;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;

namespace Nacre.LNet.Tests;

/// <summary>Every wait ends, on a clock that the test moves.</summary>
public class TimeoutTests
{
    private const int BulkPortal = 8;
    private readonly FakeTimeProvider _time = new();
    private readonly InMemoryTransport _transport;

    public TimeoutTests() => _transport = new InMemoryTransport(_time);

    private async Task<LNetNode> ListenAsync(Func<LNetOptions, LNetOptions>? with = null)
    {
        var node = NodePair.NewNode(NodePair.ServerNid, _transport, _time, with);
        await node.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, 0), default);
        return node;
    }

    private void Pass(double seconds) => _time.Advance(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("nothing")]
    [InlineData("half a request")]
    [InlineData("a request")]
    [InlineData("half a HELLO")]
    public async Task ACallerThatDoesNotGoOnIsClosedAfterTheAcceptTimeout(string said)
    {
        await using var server = await ListenAsync();
        using var peer = await ScriptedPeer.DialAsync(_transport, server.ListeningAt!);
        await Wait.UntilAsync(() => server.HandshakeCount == 1, "the caller to be seen");
        await peer.SendAsync(said switch
        {
            "nothing" => [],
            "half a request" => GoldenBytes.AcceptorRequest[..8],
            "a request" => GoldenBytes.AcceptorRequest,
            _ => [.. GoldenBytes.AcceptorRequest, .. GoldenBytes.ClientHello[..20]],
        });
        Pass(4.5);
        Assert.Equal(1, server.HandshakeCount);
        // The HELLO has its own five seconds, which begin with the request.
        await PassUntilAsync(() => server.HandshakeCount == 0, 1, 30);
        Assert.Empty(await peer.ReadToEndAsync());
    }

    [Theory]
    [InlineData(10)]
    [InlineData(50)]
    [InlineData(500)]
    [InlineData(40_000)]
    public async Task AMessageThatStopsInTheMiddleClosesTheConnectionAfterTheLndTimeout(int arrived)
    {
        await using var server = await ListenAsync();
        using var control = await ScriptedPeer.ConnectAsync(_transport, server);
        using var peer = await ScriptedPeer.ConnectAsync(_transport, server, ConnectionType.BulkOut);
        await peer.SendAsync(ScriptedPeer.Put(33, new byte[100_000])[..arrived]);
        Pass(49);
        Assert.Equal(2, server.ConnectionCount);
        await PassUntilAsync(() => server.ConnectionCount == 0, 5, 200);
        Assert.Empty(await peer.ReadToEndAsync());
        Assert.Empty(await control.ReadToEndAsync());
    }

    [Fact]
    public async Task ASilentConnectionLivesForEver()
    {
        await using var server = await ListenAsync();
        using var peer = await ScriptedPeer.ConnectAsync(_transport, server);
        await peer.PingAsync();
        Pass(100_000);
        await peer.PingAsync();
    }

    [Fact]
    public async Task OutputThatIsNotTakenClosesTheConnectionAfterTheLndTimeout()
    {
        await using var server = await ListenAsync();
        using var peer = await ScriptedPeer.ConnectAsync(_transport, server);
        await Wait.UntilAsync(() => server.ConnectionCount == 1, "the connection");
        Assert.True(server.TryPut(ScriptedPeer.Id, NodePair.ServerNid, 25, 0, 0, new byte[1 << 20]));
        Pass(49);
        Assert.Equal(1, server.ConnectionCount);
        await PassUntilAsync(() => server.ConnectionCount == 0, 5, 200);
    }

    [Fact]
    public async Task OperationsWithoutAnAnswerTimeOutAndTheConnectionLives()
    {
        await using var pair = await NodePair.StartAsync(_transport, _time);
        var get = pair.Server.GetBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, 1, new byte[10], TimeSpan.FromSeconds(3)).AsTask();
        var put = pair.Server.PutBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, 1, new byte[100_000], TimeSpan.FromSeconds(4)).AsTask();
        await Wait.UntilAsync(() => pair.Client.DroppedMessages == 2, "both to find no match");
        Pass(2.9);
        Assert.False(get.IsCompleted || put.IsCompleted);
        Pass(0.3);
        await Assert.ThrowsAsync<TimeoutException>(() => get);
        Assert.False(put.IsCompleted);
        Pass(1);
        await Assert.ThrowsAsync<TimeoutException>(() => put);
        Assert.Equal(3, pair.Server.ConnectionCount);
    }

    [Fact]
    public async Task ALateReplyIsDropped()
    {
        _transport.Faults = number => number == 2
            ? new ConnectionFaults(new StreamFaults { Delay = TimeSpan.FromSeconds(10) }, StreamFaults.None)
            : ConnectionFaults.None;
        await using var server = await ListenAsync(o => o with { AcceptTimeout = TimeSpan.FromSeconds(60) });
        await using var client = NodePair.NewNode(NodePair.ClientNid, _transport, _time);
        var connecting = client.ConnectAsync(new PeerId(NodePair.ServerNid), server.ListeningAt!, default).AsTask();
        await PassUntilAsync(() => connecting.IsCompleted, 0.5, 30);
        await connecting;
        await Wait.UntilAsync(() => server.ConnectionCount == 3, "the connections");

        using var posted = client.Post(BulkPortal, new PeerId(NodePair.ServerNid), 1, TestData.Bytes(50_000), PostOptions.AcceptGet, new PostedRecorder());
        var sink = new byte[50_000];
        var get = server.GetBulkAsync(new PeerId(NodePair.ClientNid), NodePair.ServerNid, BulkPortal, 1, sink, TimeSpan.FromSeconds(5)).AsTask();
        await Wait.UntilAsync(() => client.Posted.Count == 0, "the request to be answered");
        Pass(6);
        await Assert.ThrowsAsync<TimeoutException>(() => get);
        await PassUntilAsync(() => server.DroppedMessages == 1, 1, 20);
        Assert.DoesNotContain(sink, b => b != 0);
        Assert.Equal(3, server.ConnectionCount);
    }

    [Fact]
    public async Task AReplyThatStopsInTheMiddleClosesTheConnectionAtTheDeadlineOfTheGet()
    {
        _transport.Faults = number => number == 2
            ? new ConnectionFaults(new StreamFaults { StallAfter = 100_000 }, StreamFaults.None)
            : ConnectionFaults.None;
        await using var pair = await NodePair.StartAsync(_transport, _time);
        using var posted = pair.Client.Post(BulkPortal, pair.ServerId, 1, TestData.Bytes(1 << 20), PostOptions.AcceptGet, new PostedRecorder());
        var sink = new byte[1 << 20];
        using var cancel = new CancellationTokenSource();
        var get = pair.Server.GetBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, 1, sink, TimeSpan.FromSeconds(5), cancel.Token).AsTask();
        await Wait.UntilAsync(() => sink[60_000..80_000].AsSpan().IndexOfAnyExcept((byte)0) >= 0, "some of the data");

        // Giving up does not end it: the memory is still being written.
        await cancel.CancelAsync();
        Assert.False(get.IsCompleted);
        Pass(6);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => get);
        Assert.Equal(0, pair.Server.ConnectionCount);
    }

    [Fact]
    public async Task APutStillWaitingInTheQueueIsTakenBack()
    {
        _transport.Faults = number => number == 1
            ? new ConnectionFaults(StreamFaults.None, new StreamFaults { StallAfter = KsockHello.Size })
            : ConnectionFaults.None;
        await using var pair = await NodePair.StartAsync(_transport, _time);
        using var cancel = new CancellationTokenSource();
        var puts = Enumerable.Range(0, 4)
            .Select(_ => pair.Server.PutBulkAsync(pair.ClientId, NodePair.ServerNid, BulkPortal, 1, new byte[1 << 20], TimeSpan.FromSeconds(5), cancel.Token).AsTask())
            .ToArray();
        await cancel.CancelAsync();
        foreach (var waiting in puts[1..]) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.False(puts[0].IsCompleted);
        Pass(6);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => puts[0]);
    }

    [Fact]
    public async Task KeepalivesLeaveOnBulkInAfterSilence()
    {
        await using var server = NodePair.NewNode(NodePair.ServerNid, _transport, _time, o => o with { Keepalive = TimeSpan.FromSeconds(30) });
        await server.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, 0), default);
        using var bulkOut = await ScriptedPeer.ConnectAsync(_transport, server, ConnectionType.BulkOut);
        await Wait.UntilAsync(() => server.ConnectionCount == 1, "the connection");
        Pass(40);
        Assert.Equal(GoldenBytes.Keepalive, await bulkOut.ReadAsync(KsockHeader.Size));
    }

    [Fact]
    public async Task ARefusedDiallerTriesAgainAfterASecond()
    {
        await using var listener = await _transport.ListenAsync(new IPEndPoint(IPAddress.Loopback, 0), default);
        await using var client = NodePair.NewNode(NodePair.ClientNid, _transport, _time, o => o with { Incarnation = GoldenBytes.ClientIncarnation });
        var connecting = client.ConnectAsync(new PeerId(NodePair.ServerNid), listener.LocalEndPoint, default).AsTask();
        using (var first = new ScriptedPeer(await listener.AcceptAsync(Wait.Token())))
        {
            Assert.Equal(GoldenBytes.AcceptorRequest, await first.ReadAsync(AcceptorRequest.Size));
            Assert.Equal(GoldenBytes.ClientHello, await first.ReadAsync(KsockHello.Size));
            await first.SendAsync([.. GoldenBytes.ServerHello[..48], 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
        }

        var redialled = listener.AcceptAsync(Wait.Token()).AsTask();
        await PassUntilAsync(() => redialled.IsCompleted, 0.5, 20);
        using var second = new ScriptedPeer(await redialled);
        await second.ReadAsync(AcceptorRequest.Size + KsockHello.Size);

        // The peer answers in version 2, so the next connection is offered that.
        await second.SendAsync([.. GoldenBytes.ServerHello[..4], 2, .. GoldenBytes.ServerHello[5..]]);
        using var third = new ScriptedPeer(await listener.AcceptAsync(Wait.Token()));
        await third.ReadAsync(AcceptorRequest.Size);
        var hello = await third.ReadAsync<KsockHello>();
        Assert.Equal((2u, ConnectionType.BulkIn), (hello.Version, hello.Type));

        // It falls silent: the LND timeout ends the attempt.
        await PassUntilAsync(() => connecting.IsCompleted, 10, 60);
        await Assert.ThrowsAsync<PeerUnreachableException>(() => connecting);
        Assert.Equal(0, client.ConnectionCount);
    }

    public static TheoryData<string> WrongAnswers => ["another NID", "process 0", "same type", "version 4", "closed", "acceptor version"];

    [Theory]
    [MemberData(nameof(WrongAnswers))]
    public async Task ADiallerChecksWhoAnswers(string kind)
    {
        await using var listener = await _transport.ListenAsync(new IPEndPoint(IPAddress.Loopback, 0), default);
        await using var client = NodePair.NewNode(NodePair.ClientNid, _transport, _time);
        var connecting = client.ConnectAsync(new PeerId(NodePair.ServerNid), listener.LocalEndPoint, default).AsTask();
        using var server = new ScriptedPeer(await listener.AcceptAsync(Wait.Token()));
        await server.ReadAsync(AcceptorRequest.Size + KsockHello.Size);
        var hello = (byte[])GoldenBytes.ServerHello.Clone();
        switch (kind)
        {
            case "another NID": hello[8]++; break;
            case "process 0": hello[24] = hello[25] = 0; break;
            case "same type": hello[48] = 3; break;
            case "version 4": hello[4] = 4; break;
            case "acceptor version": hello = Hex.Parse("00 71 ce ac 01 00 00 00 00 00 00 00 00 00 00 00"); break;
            default: hello = []; break;
        }

        await server.SendAsync(hello);
        server.FinishSending();
        await Assert.ThrowsAsync<PeerUnreachableException>(() => connecting.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(0, client.ConnectionCount);
    }

    /// <summary>Lets time pass in steps, with room for others to act in between.</summary>
    private async Task PassUntilAsync(Func<bool> condition, double step, double atMost)
    {
        for (var passed = 0d; passed < atMost && !condition(); passed += step)
        {
            Pass(step);
            for (var i = 0; i < 20 && !condition(); i++) await Task.Delay(1);
        }

        Assert.True(condition());
    }
}
