using Nacre.PtlRpc.Wire;
using Nacre.Testing;
using Nacre.Testing.Rpc;

namespace Nacre.PtlRpc.Tests.Server;

/// <summary>Requests of the server to its client, and the client's portal 15 (02 section 6.11).</summary>
public class CallbackTests
{
    private readonly FakeTarget _mdt = new(TargetKind.Mdt, "demo01-MDT0000_UUID");

    [Theory]
    [InlineData(0xC1EFFBDul)]
    [InlineData(0ul)]
    public async Task TheClientAnswers(ulong flags2)
    {
        var handler = new Handler(request =>
        {
            Assert.Equal(Opcode.LdlmGlCallback, request.Opcode);
            Assert.Equal(104, request.BufferLength(1));
            Assert.Equal(64, request.BufferLength(2));
            request.StartReply(56);
            request.ReplyBuffer(1).Fill(9);
            return ValueTask.CompletedTask;
        });
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var import = await ConnectAsync(network, handler, flags2);
        var export = network.Server.Exports(_mdt).Single();

        using var reply = await export.CallAsync(
            Opcode.LdlmGlCallback, new byte[104], new byte[64], hasBuffer2: true, TimeSpan.FromSeconds(30), default).AsTask().Within();

        Assert.Equal((MessageType.Reply, 0), (reply.Body.Type, reply.Status));
        Assert.Equal(Enumerable.Repeat((byte)9, 56), reply.Buffer(1).ToArray());
        Assert.Equal(import.ClientHandle, export.ClientHandle);
    }

    [Fact]
    public async Task ErrorsOfTheHandlerAreItsStatus()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        await ConnectAsync(network, new Handler(_ => throw new ErrnoException(Errno.EINVAL)));
        using var reply = await CallAsync(network);
        Assert.Equal((MessageType.Reply, -Errno.EINVAL), (reply.Body.Type, reply.Status));
    }

    [Fact]
    public async Task WithoutAHandlerCallbacksAreRefused()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        await ConnectAsync(network, handler: null);
        using var reply = await CallAsync(network);
        Assert.Equal((MessageType.Error, -Errno.EPROTO), (reply.Body.Type, reply.Status));
    }

    [Fact]
    public async Task AClientThatIsGoneSaysSo()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var import = await ConnectAsync(network, new Handler(_ => ValueTask.CompletedTask));
        await import.DisposeAsync();
        using var reply = await CallAsync(network);
        Assert.Equal((MessageType.Error, -Errno.ENOTCONN), (reply.Body.Type, reply.Status));
    }

    [Fact]
    public async Task ALostCallbackIsSentAgain()
    {
        var seen = new List<(ulong Xid, bool Resent)>();
        var handler = new Handler(request =>
        {
            lock (seen)
            {
                seen.Add((request.Xid, request.IsResent));
                if (seen.Count == 1)
                {
                    request.Drop();
                }
            }

            return ValueTask.CompletedTask;
        });
        await using var network = await RpcNetwork.StartAsync(_mdt);
        await ConnectAsync(network, handler);

        var resends = 0;
        var call = CallAsync(network, () => Interlocked.Increment(ref resends));
        await network.AdvanceUntilAsync(() => call.IsCompleted, TimeSpan.FromSeconds(20));
        (await call).Dispose();
        Assert.Equal(1, resends);

        Assert.Equal(2, seen.Count);
        Assert.Equal(seen[0].Xid, seen[1].Xid);
        Assert.Equal((false, true), (seen[0].Resent, seen[1].Resent));
    }

    [Fact]
    public async Task AClientThatDoesNotAnswerIsGivenUp()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);

        var call = CallAsync(network);
        await network.AdvanceUntilAsync(() => call.IsCompleted, TimeSpan.FromSeconds(40));
        await Assert.ThrowsAsync<TimeoutException>(() => call);
    }

    [Fact]
    public async Task AnEvictionEndsTheWait()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_mdt);
        var export = network.Server.Exports(_mdt).Single();

        var call = CallAsync(network);
        network.Server.Evict(export, "the test says so");

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.Within());
        Assert.Equal(Errno.ENOTCONN, failure.Errno);
    }

    private static async Task<RpcReply> CallAsync(RpcNetwork network, Action? resending = null) =>
        await network.Server.Exports((FakeTarget)network.Server.Targets.Single().Target).Single().CallAsync(
            Opcode.LdlmBlCallback, new byte[104], default, hasBuffer2: false, TimeSpan.FromSeconds(30), default, resending);

    private async Task<Import> ConnectAsync(RpcNetwork network, ICallbackHandler? handler, ulong flags2 = 0xC1EFFBD)
    {
        var client = await network.AddClientAsync();
        var wanted = ImportOptions.MdtWanted;
        wanted.Flags2 = (ConnectFlags2)flags2;
        var import = client.CreateImport(new ImportOptions
        {
            TargetUuid = _mdt.Uuid,
            Kind = TargetKind.Mdt,
            Peer = network.ServerPeer,
            ClientUuid = Guid.NewGuid().ToString(),
            Wanted = wanted,
            Callbacks = handler,
        });
        await import.ConnectAsync().Within();
        return import;
    }

    private sealed class Handler(Func<CallbackRequest, ValueTask> handle) : ICallbackHandler
    {
        public ValueTask HandleAsync(CallbackRequest request) => handle(request);
    }
}
