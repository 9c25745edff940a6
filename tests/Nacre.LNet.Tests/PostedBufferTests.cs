using Nacre.LNet.Tests.Support;
using Nacre.LNet.Transports;

namespace Nacre.LNet.Tests;

/// <summary>Matching (01 section 11): which buffer a PUT or GET finds, and where in it the data goes.</summary>
public sealed class PostedBufferTests : IAsyncLifetime
{
    private const int Portal = 8;
    private readonly PostedRecorder _events = new();
    private readonly byte[] _buffer = new byte[100];
    private InMemoryTransport _transport = null!;
    private NodePair _pair = null!;

    public async Task InitializeAsync()
    {
        _transport = new InMemoryTransport(TimeProvider.System);
        _pair = await NodePair.StartAsync(_transport);
    }

    public async Task DisposeAsync() => await _pair.DisposeAsync();

    private PostedBuffer Post(PostOptions options, ulong bits = 1, PeerId? from = null, byte[]? buffer = null) =>
        _pair.Client.Post(Portal, from ?? _pair.ServerId, bits, buffer ?? _buffer, options, _events);

    private void Put(int length, ulong bits = 1, uint offset = 0, int portal = Portal) =>
        Assert.True(_pair.Server.TryPut(_pair.ClientId, NodePair.ServerNid, portal, bits, offset, TestData.Bytes(length)));

    private Task DroppedAsync(int count) => Wait.UntilAsync(() => _pair.Client.DroppedMessages == count, $"{count} dropped messages");

    [Fact]
    public async Task OneUseThenNothing()
    {
        using var posted = Post(PostOptions.AcceptPut);
        Put(10);
        Put(10);
        Assert.Equal("put 0 10 10", await _events.NextAsync());
        await DroppedAsync(1);
        Assert.Equal(0, _pair.Client.Posted.Count);
    }

    [Fact]
    public async Task ManyUsesFillTheBufferOneBehindTheOther()
    {
        using var posted = Post(PostOptions.AcceptPut | PostOptions.ManyUses);
        Put(40);
        Put(50);
        Put(11);
        Put(10);
        Assert.Equal("put 0 40 40", await _events.NextAsync());
        Assert.Equal("put 40 50 50", await _events.NextAsync());
        Assert.Equal("put 90 10 10", await _events.NextAsync());
        await DroppedAsync(1);
    }

    [Theory]
    [InlineData(0u, 100, "put 0 100 100")]
    [InlineData(60u, 40, "put 60 40 40")]
    [InlineData(60u, 41, "put 60 40 41")]
    [InlineData(100u, 5, "put 100 0 5")]
    public async Task ReplyBuffersTakeDataAtTheOffsetTheSenderNamesAndCutIt(uint offset, int length, string expected)
    {
        using var posted = Post(PostOptions.AcceptPut | PostOptions.ManyUses | PostOptions.RemoteOffset | PostOptions.Truncate);
        Put(length, offset: offset);
        Assert.Equal(expected, await _events.NextAsync());
        var stored = Math.Min(length, 100 - (int)offset);
        Assert.Equal(TestData.Bytes(length)[..stored], _buffer[(int)offset..((int)offset + stored)]);
        Assert.DoesNotContain(_buffer[..(int)offset], b => b != 0);
    }

    [Theory]
    [InlineData(101u)]
    [InlineData(uint.MaxValue)]
    public async Task AnOffsetBehindTheBufferIsDropped(uint offset)
    {
        using var posted = Post(PostOptions.AcceptPut | PostOptions.ManyUses | PostOptions.RemoteOffset | PostOptions.Truncate);
        Put(5, offset: offset);
        await DroppedAsync(1);
    }

    [Fact]
    public async Task WhatDoesNotFitIsDroppedAndTheBufferWaitsOn()
    {
        using var posted = Post(PostOptions.AcceptPut);
        Put(101);
        Put(100_000);
        await DroppedAsync(2);
        Put(100);
        Assert.Equal("put 0 100 100", await _events.NextAsync());
    }

    [Fact]
    public async Task OtherPortalsBitsOperationsAndPeersDoNotMatch()
    {
        using var other = Post(PostOptions.AcceptGet);
        using var stranger = Post(PostOptions.AcceptPut, bits: 2, from: new PeerId(Nid.Parse("10.0.0.9")));
        using var bits = Post(PostOptions.AcceptPut, bits: 3);
        Put(1);
        Put(1, bits: 2);
        Put(1, bits: 4);
        Put(1, bits: 3, portal: Portal + 1);
        await DroppedAsync(4);
        Assert.Equal(3, _pair.Client.Posted.Count);
    }

    [Fact]
    public async Task TheFirstPostedOfSeveralMatchesFirst()
    {
        var buffers = Enumerable.Range(0, 3).Select(_ => new byte[10]).ToArray();
        var posted = buffers.Select(b => Post(PostOptions.AcceptPut, buffer: b)).ToArray();
        posted[1].Dispose();
        Put(1);
        Put(2);
        Assert.Equal("put 0 1 1", await _events.NextAsync());
        Assert.Equal("put 0 2 2", await _events.NextAsync());
        Assert.Equal((TestData.Bytes(1)[0], 0, TestData.Bytes(2)[0]), (buffers[0][0], buffers[1][0], buffers[2][0]));
    }

    [Fact]
    public async Task DisposedBuffersAreNotFound()
    {
        var posted = Post(PostOptions.AcceptPut | PostOptions.ManyUses);
        Put(1);
        await _events.NextAsync();
        posted.Dispose();
        posted.Dispose();
        Put(1);
        await DroppedAsync(1);
        await posted.DisposeAsync();
    }

    [Theory]
    [InlineData(PostOptions.None, 100, "get 100")]
    [InlineData(PostOptions.None, 40, "get 40")]
    [InlineData(PostOptions.Truncate, 150, "get 100")]
    public async Task AGetTakesWhatItAsksFor(PostOptions options, int asked, string expected)
    {
        TestData.Bytes(100).CopyTo(_buffer, 0);
        using var posted = Post(PostOptions.AcceptGet | options);
        var sink = new byte[asked];
        var got = await _pair.Server.GetBulkAsync(_pair.ClientId, NodePair.ServerNid, Portal, 1, sink, TimeSpan.FromSeconds(20)).WithinBounds();
        Assert.Equal(expected, $"get {got}");
        Assert.Equal(expected, await _events.NextAsync());
        Assert.Equal(_buffer[..got], sink[..got]);
    }

    [Fact]
    public async Task AGetForMoreThanThereIsIsDropped()
    {
        using var posted = Post(PostOptions.AcceptGet);
        using var cancel = new CancellationTokenSource();
        var get = _pair.Server.GetBulkAsync(
            _pair.ClientId, NodePair.ServerNid, Portal, 1, new byte[101], TimeSpan.FromSeconds(20), cancel.Token).AsTask();
        await DroppedAsync(1);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => get);
        Assert.Equal(1, _pair.Client.Posted.Count);
    }

    [Fact]
    public async Task DisposingWaitsForATransferThatHasBegun()
    {
        // The server's BULK_OUT stops in the middle of the second message.
        _transport.Faults = number => number % 3 == 1
            ? new ConnectionFaults(StreamFaults.None, new StreamFaults { StallAfter = 100_000 })
            : ConnectionFaults.None;
        await using var pair = await NodePair.StartAsync(_transport);
        var buffer = new byte[1 << 20];
        var posted = pair.Client.Post(Portal, pair.ServerId, 1, buffer, PostOptions.AcceptPut, _events);
        var put = pair.Server.PutBulkAsync(pair.ClientId, NodePair.ServerNid, Portal, 1, TestData.Bytes(1 << 20), TimeSpan.FromSeconds(20)).AsTask();
        await Wait.UntilAsync(() => buffer.AsSpan(0, 90_000).IndexOfAnyExcept((byte)0) >= 0, "some of the data");

        var disposing = posted.DisposeAsync().AsTask();
        Assert.False(disposing.IsCompleted);
        pair.Client.Disconnect(pair.ServerId, "on purpose");
        await disposing.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("broken", await _events.NextAsync());
        await Assert.ThrowsAsync<PeerUnreachableException>(() => put);
    }
}
