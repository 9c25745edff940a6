using Nacre.PtlRpc.Wire;
using Nacre.Testing;
using Nacre.Testing.Rpc;

namespace Nacre.PtlRpc.Tests.Server;

/// <summary>Targets that go for good, and others that get their names.</summary>
public class RemovedTargetTests
{
    private const string Name = "demo01-MDT0000_UUID";
    private readonly FakeTarget _old = new(TargetKind.Mdt, Name);
    private readonly FakeTarget _new = new(TargetKind.Mdt, Name) { Generation = 1 };

    [Fact]
    public async Task A_removal_is_complete_when_no_request_is_executed_any_more()
    {
        var entered = new TaskCompletionSource();
        var leave = new TaskCompletionSource();
        _old.On(Opcode.MdsStatfs, async request =>
        {
            entered.SetResult();
            await leave.Task;
        });
        await using var network = await RpcNetwork.StartAsync(_old);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_old);
        using var call = client.Send(Portal.MdsRequest, client.NewRequest(Opcode.MdsStatfs), client.NextXid());
        await entered.Task.Within();

        var removed = network.Server.RemoveTarget(_old);

        Assert.False(removed.IsCompleted);
        leave.SetResult();
        await removed.Within();
    }

    [Fact]
    public async Task Clients_of_a_removed_target_are_told_to_give_up()
    {
        await using var network = await RpcNetwork.StartAsync(new RpcServerOptions { IsRemoved = uuid => uuid == Name }, _old);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_old);

        await network.Server.RemoveTarget(_old).Within();

        Assert.Equal(-Errno.EACCES, (await client.ConnectAsync(_old)).Body.Status);
    }

    [Fact]
    public async Task A_client_of_a_removed_target_is_no_client_of_its_successor()
    {
        await using var network = await RpcNetwork.StartAsync(_old);
        var stale = await network.AddScriptedClientAsync();
        await stale.ConnectAsync(_old);
        await network.Server.RemoveTarget(_old).Within();
        network.Server.AddTarget(_new);

        Assert.Equal(-Errno.EACCES, (await stale.ConnectAsync(_new)).Body.Status);

        var fresh = await network.AddScriptedClientAsync();
        Assert.Equal(0, (await fresh.ConnectAsync(_new)).Body.Status);
    }

    /// <summary>A restart of the servers forgets all exports; their clients have to be told from those of a predecessor all the same.</summary>
    [Fact]
    public async Task A_client_of_before_a_restart_is_still_a_client()
    {
        await using var network = await RpcNetwork.StartAsync(_new);
        var client = await network.AddScriptedClientAsync();
        await client.ConnectAsync(_new);
        var handle = client.Handle;
        await network.Server.RemoveTarget(_new).Within();
        network.Server.AddTarget(_new);

        Assert.Equal(0, (await client.ConnectAsync(_new)).Body.Status);
        Assert.NotEqual(handle, client.Handle);
    }
}
