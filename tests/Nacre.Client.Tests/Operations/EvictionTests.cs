using Nacre.Client.Tests.Harness;
using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Tests.Operations;

/// <summary>Servers that forget the client, and connections that break.</summary>
public sealed class EvictionTests
{
    [Fact]
    public async Task After_a_restart_of_the_servers_everything_works_again()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var kernel = new KernelTwin();
        client.Vfs.KernelCache = kernel;
        var directory = await client.MkdirAsync(client.Root, "d");
        await client.LookupAsync(client.Root, "d");
        await client.StatAsync(client.Root);

        await world.Server.RestartAsync();
        client.Mount.Mdc.Import.Reconnect();
        await Wait.UntilAsync(() => client.Mount.Evictions > 0, "the client has noticed the eviction");

        Assert.Equal(["d"], await client.ListAsync(client.Root));
        await client.MkdirAsync(directory, "e");
        Assert.Equal(["e"], await client.ListAsync(directory));
        Assert.True(kernel.WasToldOf(client.Root, "d"));
    }

    [Fact]
    public async Task A_broken_connection_costs_nothing()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        await client.MkdirAsync(client.Root, "a");

        client.Mount.Mdc.Import.Reconnect();
        await client.MkdirAsync(client.Root, "b");

        Assert.Equal(["a", "b"], (await client.ListAsync(client.Root)).Order(StringComparer.Ordinal));
        Assert.Equal(0, client.Mount.Evictions);
    }

    [Fact]
    public async Task A_file_open_across_a_restart_can_be_closed()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var open = await client.CreateAsync(client.Root, "f");

        await world.Server.RestartAsync();
        client.Mount.Mdc.Import.Reconnect();
        await Wait.UntilAsync(() => client.Mount.Evictions > 0, "the client has noticed the eviction");

        await client.Vfs.ReleaseAsync(open).AsTask().WithinBoundsAsync();
        Assert.Equal(0, await client.UnlinkAsync(client.Root, "f"));
    }

    [Fact]
    public async Task A_forced_unmount_ends_what_waits_for_a_dead_server()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        await world.Server.StopAsync();
        client.Mount.Mdc.Import.Reconnect();
        var waiting = client.LookupErrnoAsync(client.Root, "f");

        await client.Mount.UnmountAsync(force: true).AsTask().WithinBoundsAsync();

        Assert.Equal(Errno.EIO, await waiting.WithinBoundsAsync());
    }
}
