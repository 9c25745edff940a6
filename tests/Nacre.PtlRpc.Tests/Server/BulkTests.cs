using Nacre.LNet;
using Nacre.PtlRpc.Wire;
using Nacre.Testing;
using Nacre.Testing.Rpc;

namespace Nacre.PtlRpc.Tests.Server;

/// <summary>Bulk in both directions (02 section 7).</summary>
public class BulkTests
{
    private const int Descriptors = 4;
    private readonly FakeTarget _ost = new(TargetKind.Ost, "demo01-OST0000_UUID");
    private readonly List<byte[]> _received = [];

    private FakeTarget WithWrite(params int[] lengths) => _ost.On(Opcode.OstWrite, async request =>
    {
        var buffers = new BulkBuffer[lengths.Length];
        await request.Export.Server.Bulk.RentAsync(request.BulkShare, buffers, lengths.Length, request.Aborted);
        try
        {
            var sinks = lengths.Select((length, i) => buffers[i].Memory[..length]).ToArray();
            var moved = await request.PullBulkAsync(Portal.OstBulk, sinks, Descriptors);
            Assert.Equal(lengths.Sum(), moved);
            _received.AddRange(sinks.Select(sink => sink.ToArray()));
        }
        finally
        {
            foreach (var buffer in buffers)
            {
                buffer.Dispose();
            }
        }
    });

    private FakeTarget WithRead(params int[] lengths) => _ost.On(Opcode.OstRead, async request =>
        request.Status = await request.PushBulkAsync(
            Portal.OstBulk, lengths.Select((length, i) => (ReadOnlyMemory<byte>)Content(length, i)).ToArray(), Descriptors));

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(5)]
    [InlineData(1 << 20, 1 << 20, 1 << 20, 1 << 20)]
    [InlineData((1 << 20) - 512, 512)]
    public async Task WritesAreFetched(params int[] lengths)
    {
        await using var network = await RpcNetwork.StartAsync(WithWrite(lengths));
        var client = await ConnectAsync(network);
        var (message, xid) = NewBulkRequest(client, Opcode.OstWrite, lengths.Length);
        var posted = lengths.Select((length, i) => client.Node.Post(
            Portal.OstBulk, client.Server, xid + (ulong)i, Content(length, i), PostOptions.AcceptGet, new Ignore())).ToList();

        var reply = await client.CallAsync(Portal.OstIo, message, xid);

        Assert.Equal(0, reply.Body.Status);
        Assert.Equal(lengths.Select(Content), _received);
        Assert.Equal(lengths.Sum(), network.Server.Counters(_ost).BulkWritten);
        Assert.Equal(0, network.Server.Bulk.InUse);
        posted.ForEach(buffer => buffer.Dispose());
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(1 << 20, 1 << 20, 77)]
    public async Task ReadsAreDelivered(params int[] lengths)
    {
        await using var network = await RpcNetwork.StartAsync(WithRead(lengths));
        var client = await ConnectAsync(network);
        // One descriptor more than there is data: it gets a PUT of length 0.
        var (message, xid) = NewBulkRequest(client, Opcode.OstRead, lengths.Length + 1);
        var sinks = Enumerable.Range(0, lengths.Length + 1).Select(_ => new byte[1 << 20]).ToArray();
        var events = new Count();
        foreach (var (sink, i) in sinks.Select((sink, i) => (sink, i)))
        {
            client.Node.Post(Portal.OstBulk, client.Server, xid + (ulong)i, sink, PostOptions.AcceptPut, events);
        }

        var reply = await client.CallAsync(Portal.OstIo, message, xid);

        Assert.Equal(lengths.Sum(), reply.Body.Status);
        Assert.Equal(lengths.Length + 1, events.Puts);
        Assert.Equal(lengths.Select(Content), lengths.Select((length, i) => sinks[i][..length]));
    }

    [Fact]
    public async Task AFailedObjectTransferIsNotAnswered()
    {
        await using var network = await RpcNetwork.StartAsync(WithWrite(4096));
        var client = await ConnectAsync(network);
        var (message, xid) = NewBulkRequest(client, Opcode.OstWrite, 1);

        // Nothing is posted: the GET finds nothing and is lost.
        using var call = client.Send(Portal.OstIo, message, xid);
        await Eventually.TrueAsync(() => network.Server.Bulk.InUse == 1);
        await network.AdvanceUntilAsync(() => network.Server.Bulk.InUse == 0, TimeSpan.FromSeconds(110));

        await client.CallAsync(Portal.OstRequest, client.NewRequest(Opcode.ObdPing));
        Assert.False(call.IsAnswered);
        Assert.NotEmpty(call.Replies);
    }

    [Fact]
    public async Task AFailedTransferOfTheMdtIsAnswered()
    {
        var mdt = new FakeTarget(TargetKind.Mdt, "demo01-MDT0000_UUID").On(
            Opcode.MdsReadpage, async request => await request.PushBulkAsync(Portal.MdsBulk, new ReadOnlyMemory<byte>[] { Content(4096, 0) }, 1));
        await using var network = await RpcNetwork.StartAsync(mdt);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(mdt);
        client.Flags = MessageFlags.ChecksumIncompat18;

        using var call = client.Send(Portal.MdsReadPage, client.NewRequest(Opcode.MdsReadpage, 216, 0), client.NextXid());
        await network.AdvanceUntilAsync(() => call.IsAnswered, TimeSpan.FromSeconds(110));

        Assert.Equal((MessageType.Error, -Errno.ETIMEDOUT), ((await call.FinalAsync()).Body.Type, (await call.FinalAsync()).Body.Status));
    }

    [Fact]
    public async Task AReconnectAbandonsTransfersAndTheCopyIsExecuted()
    {
        await using var network = await RpcNetwork.StartAsync(WithWrite(4096));
        var client = await ConnectAsync(network);
        var (message, xid) = NewBulkRequest(client, Opcode.OstWrite, 1);
        using var abandoned = client.Send(Portal.OstIo, message, xid);
        await Eventually.TrueAsync(() => network.Server.Bulk.InUse == 1);

        Assert.Equal(0, (await client.ConnectAsync(_ost)).Body.Status);
        await Eventually.TrueAsync(() => network.Server.Bulk.InUse == 0);
        abandoned.Dispose();

        // With BULK_MBITS the copy keeps its xid and names other descriptors.
        var bits = client.NextXid();
        message.Body.Flags = BodyFlags.Resent;
        message.Body.ConnectionCount = client.ConnectionCount;
        message.Body.MatchBits = bits;
        client.Node.Post(Portal.OstBulk, client.Server, bits, Content(4096, 0), PostOptions.AcceptGet, new Ignore());
        Assert.Equal(0, (await client.CallAsync(Portal.OstIo, message, xid)).Body.Status);
        Assert.Single(_received);
    }

    [Fact]
    public async Task ACopyOvertakesATransferThatIsStillBeingGivenUp()
    {
        var inside = new TaskCompletionSource();
        var runs = 0;
        _ost.On(Opcode.OstWrite, async request =>
        {
            var run = Interlocked.Increment(ref runs);
            try
            {
                await request.PullBulkAsync(Portal.OstBulk, new Memory<byte>[] { new byte[8] }, 1);
            }
            catch (BulkException failure) when (run == 1)
            {
                Assert.True(failure.Aborted);
                await inside.Task;
                throw;
            }
        });
        await using var network = await RpcNetwork.StartAsync(_ost);
        var client = await ConnectAsync(network);
        var (message, xid) = NewBulkRequest(client, Opcode.OstWrite, 1);
        client.Send(Portal.OstIo, message, xid).Dispose();
        await Eventually.TrueAsync(() => runs == 1);
        await client.ConnectAsync(_ost);

        message.Body.Flags = BodyFlags.Resent;
        message.Body.ConnectionCount = client.ConnectionCount;
        client.Node.Post(Portal.OstBulk, client.Server, xid, Content(8, 0), PostOptions.AcceptGet, new Ignore());
        Assert.Equal(0, (await client.CallAsync(Portal.OstIo, message, xid)).Body.Status);
        Assert.Equal(2, runs);
        inside.SetResult();
        await Eventually.TrueAsync(() => network.Server.Exports(_ost).Single().RequestsInProgress == 0);
    }

    [Theory]
    [InlineData(2, 1, 4)]
    [InlineData(1, 2, 4)]
    [InlineData(1, 1, 3)]
    [InlineData(1, 1, 0)]
    [InlineData(1, 1, 256)]
    public async Task DescriptorsMustFit(int announced, int expected, int nMax)
    {
        _ost.On(Opcode.OstWrite, async request => await request.PullBulkAsync(
            Portal.OstBulk, Enumerable.Range(0, expected).Select(_ => (Memory<byte>)new byte[8]).ToArray(), nMax));
        await using var network = await RpcNetwork.StartAsync(_ost);
        var client = await ConnectAsync(network);
        var (message, xid) = NewBulkRequest(client, Opcode.OstWrite, announced);

        var reply = await client.CallAsync(Portal.OstIo, message, xid);

        Assert.Equal((MessageType.Error, -Errno.EPROTO), (reply.Body.Type, reply.Body.Status));
    }

    private async Task<ScriptedClient> ConnectAsync(RpcNetwork network)
    {
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_ost);
        return client;
    }

    private static (MessageBuilder Message, ulong Xid) NewBulkRequest(ScriptedClient client, uint opcode, int descriptors)
    {
        var xid = client.NextXid();
        var message = client.NewRequest(opcode, 208, 24, 16, 0, 0);
        message.Body.MatchBits = xid + (ulong)descriptors - 1;
        return (message, xid);
    }

    private static byte[] Content(int length, int index)
    {
        var bytes = new byte[length];
        new Random(index).NextBytes(bytes);
        return bytes;
    }

    private sealed class Ignore : IPostedEvents
    {
        public void OnPut(PostedBuffer buffer, int offset, int stored, int sent)
        {
        }

        public void OnGet(PostedBuffer buffer, int length)
        {
        }
    }

    private sealed class Count : IPostedEvents
    {
        private int _puts;

        public int Puts => Volatile.Read(ref _puts);

        public void OnPut(PostedBuffer buffer, int offset, int stored, int sent) => Interlocked.Increment(ref _puts);

        public void OnGet(PostedBuffer buffer, int length)
        {
        }
    }
}
