using Microsoft.Extensions.Logging.Abstractions;
using Nacre.PtlRpc.Wire;
using Nacre.Testing;
using Nacre.Testing.Rpc;

namespace Nacre.PtlRpc.Tests.Server;

/// <summary>A machine that was killed and started again: a new client with an old address (01 section 4.7).</summary>
public class RestartedClientTests
{
    private readonly FakeTarget _ost = new(TargetKind.Ost, "demo01-OST0000_UUID");

    /// <summary>A write of the old client that comes to its bulk late would ask the new one, which has never heard of it.</summary>
    [Fact]
    public async Task BulkOfTheOldClientIsNotAskedOfTheNewOne()
    {
        var go = new TaskCompletionSource();
        _ost.On(Opcode.OstWrite, async request =>
        {
            await go.Task;
            using var buffer = await request.Export.Server.Bulk.RentAsync(request.BulkShare, request.Aborted);
            await request.PullBulkAsync(Portal.OstBulk, new[] { buffer.Memory }, 1);
        });
        await using var network = await RpcNetwork.StartAsync(_ost);
        var old = await network.AddScriptedClientAsync();
        await old.ConnectAsync(_ost);
        using var write = old.Send(Portal.OstIo, WriteOf(old, out var xid), xid);
        await Eventually.TrueAsync(() => network.Server.Exports(_ost).Single().RequestsInProgress == 1);

        var young = new ScriptedClient(await network.RestartAsync(old.Node), old.Server);
        Assert.Equal(0, (await young.ConnectAsync(_ost)).Body.Status);
        go.SetResult();

        // The clock stands still: waiting for the new client would never end.
        await Eventually.TrueAsync(() => network.Server.Counters(_ost).Dropped == 1 && network.Server.Bulk.InUse == 0);
    }

    [Fact]
    public async Task TheOldClientIsEvictedUnlessItIsHeardOf()
    {
        await using var network = await RpcNetwork.StartAsync(_ost);
        var old = await network.AddScriptedClientAsync();
        var survivor = new ScriptedClient(old.Node, old.Server);
        await old.ConnectAsync(_ost);
        await survivor.ConnectAsync(_ost);
        var node = await network.RestartAsync(old.Node);
        var young = new ScriptedClient(node, old.Server);
        await young.ConnectAsync(_ost);

        // Only LNet was started anew under this one.
        var moved = new ScriptedClient(node, old.Server) { Handle = survivor.Handle, ConnectionCount = survivor.ConnectionCount };
        Assert.Equal(0, (await moved.CallAsync(Portal.OstRequest, moved.NewRequest(Opcode.ObdPing))).Body.Status);
        await network.AdvanceAsync(TimeSpan.FromSeconds(40));
        Assert.Equal(3, network.Server.Exports(_ost).Count);
        await network.AdvanceAsync(TimeSpan.FromSeconds(15));

        await Eventually.TrueAsync(() => network.Server.Exports(_ost).Count == 2);
        Assert.Contains("Evicted " + old.Uuid, _ost.Events);
        await network.AdvanceAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(2, network.Server.Exports(_ost).Count);
    }

    /// <summary>
    /// The first copy of a callback is lost with the old client. The new one does not know what the old one was granted, so it refuses
    /// to the xid and not to the match bits; the owner of a lock must not count as silent because of that.
    /// </summary>
    [Fact]
    public async Task ARefusalOfTheNewClientEndsACallbackToTheOldOne()
    {
        await using var network = await RpcNetwork.StartAsync(_ost);
        var old = await network.AddScriptedClientAsync();
        var wanted = ScriptedClient.DefaultWanted;
        wanted.Flags |= ConnectFlags.Flags2;
        wanted.Flags2 = ConnectFlags2.RepMbits;
        await old.ConnectAsync(_ost, wanted);
        var export = network.Server.Exports(_ost).Single();
        Assert.True(export.Has(ConnectFlags2.RepMbits));
        Assert.True(network.ServerNode.Disconnect(export.Peer, "nobody is there any more"));
        var call = export.CallAsync(
            Opcode.LdlmBlCallback, new byte[104], default, hasBuffer2: false, TimeSpan.FromSeconds(120), default).AsTask();

        await using var young = new RpcClient(
            await network.RestartAsync(old.Node), new RpcClientOptions(), network.Time, NullLogger<RpcClient>.Instance);
        await network.AdvanceUntilAsync(() => call.IsCompleted, TimeSpan.FromSeconds(20));

        using var reply = await call;
        Assert.Equal((MessageType.Error, -Errno.ENOTCONN), (reply.Body.Type, reply.Status));
    }

    private static MessageBuilder WriteOf(ScriptedClient client, out ulong xid)
    {
        xid = client.NextXid();
        var message = client.NewRequest(Opcode.OstWrite, 208, 24, 16, 0, 0);
        message.Body.MatchBits = xid;
        return message;
    }
}
