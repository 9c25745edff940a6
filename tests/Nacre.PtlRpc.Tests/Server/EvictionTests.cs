using Nacre.PtlRpc.Wire;
using Nacre.Testing;
using Nacre.Testing.Rpc;

namespace Nacre.PtlRpc.Tests.Server;

/// <summary>The ping evictor (02 section 9.7).</summary>
public class EvictionTests
{
    private readonly FakeTarget _ost = new(TargetKind.Ost, "demo01-OST0000_UUID");

    [Fact]
    public async Task ASilentClientIsEvictedAndNoticesIt()
    {
        await using var network = await RpcNetwork.StartAsync(_ost);
        var silent = await network.AddScriptedClientAsync();
        var lively = await network.AddScriptedClientAsync();
        await silent.ConnectAsync(_ost);
        await lively.ConnectAsync(_ost);

        for (var i = 0; i < 11; i++)
        {
            await network.AdvanceAsync(TimeSpan.FromSeconds(20));
            Assert.Equal(0, (await lively.CallAsync(Portal.OstRequest, lively.NewRequest(Opcode.ObdPing))).Body.Status);
        }

        // 220 s.
        Assert.Equal(2, network.Server.Exports(_ost).Count);
        await network.AdvanceAsync(TimeSpan.FromSeconds(15));

        await Eventually.TrueAsync(() => network.Server.Exports(_ost).Count == 1);
        Assert.Contains("Evicted " + silent.Uuid, _ost.Events);
        Assert.Equal(1, network.Server.Counters(_ost).Evictions);
        Assert.Equal(
            -Errno.ENOTCONN, (await silent.CallAsync(Portal.OstRequest, silent.NewRequest(Opcode.ObdPing))).Body.Status);

        // It comes back with its old handle and without INITIAL, and learns by the new handle that it was evicted.
        var old = silent.Handle;
        var reply = await silent.ConnectAsync(_ost);
        Assert.Equal(ConnectOperationFlags.Replayable, reply.Body.OperationFlags);
        Assert.NotEqual(old, reply.Body.Handle);
    }

    [Fact]
    public async Task ANodeThatSleptEvictsNobody()
    {
        await using var network = await RpcNetwork.StartAsync(_ost);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_ost);

        network.Time.Advance(TimeSpan.FromHours(3));
        await network.AdvanceAsync(TimeSpan.FromSeconds(100));

        Assert.Single(network.Server.Exports(_ost));
    }

    [Fact]
    public async Task EvictingTwiceTellsTheTargetOnce()
    {
        await using var network = await RpcNetwork.StartAsync(_ost);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_ost);
        var export = network.Server.Exports(_ost).Single();

        network.Server.Evict(export, "once");
        network.Server.Evict(export, "twice");

        Assert.Equal(1, _ost.Events.Count(e => e.StartsWith("Evicted", StringComparison.Ordinal)));
        Assert.True(export.IsClosed && export.Closed.IsCancellationRequested);
    }
}
