using Nacre.Client.Tests.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Tests.Operations;

/// <summary>Two mounts: what one changes the other sees, and its kernel is told before the change is done.</summary>
public sealed class CoherenceTests
{
    [Fact]
    public async Task A_name_removed_elsewhere_is_called_back_from_the_kernel_above()
    {
        await using var world = await ClientWorld.StartAsync();
        var (one, two, kernel) = await MountTwoAsync(world);
        await two.TouchAsync(two.Root, "f");
        Assert.True((await one.LookupAsync(one.Root, "f")).NameMayBeCached);

        Assert.Equal(0, await two.UnlinkAsync(two.Root, "f"));

        Assert.True(kernel.WasToldOf(one.Root, "f"));
        Assert.Equal(Errno.ENOENT, await one.LookupErrnoAsync(one.Root, "f"));
    }

    [Fact]
    public async Task A_name_moved_elsewhere_leads_nowhere_any_more()
    {
        await using var world = await ClientWorld.StartAsync();
        var (one, two, kernel) = await MountTwoAsync(world);
        await two.TouchAsync(two.Root, "f");
        var node = (await one.LookupAsync(one.Root, "f")).Node;

        Assert.Equal(0, await two.RenameAsync(two.Root, "f", two.Root, "g"));

        Assert.True(kernel.WasToldOf(one.Root, "f"));
        Assert.Equal(Errno.ENOENT, await one.LookupErrnoAsync(one.Root, "f"));
        Assert.Same(node, (await one.LookupAsync(one.Root, "g")).Node);
    }

    [Fact]
    public async Task An_absent_name_that_may_be_cached_is_called_back_when_it_appears()
    {
        await using var world = await ClientWorld.StartAsync();
        var (one, two, kernel) = await MountTwoAsync(world);
        await one.StatAsync(one.Root);
        Assert.True((await one.LookupAsync(one.Root, "f")).NameMayBeCached);

        await two.TouchAsync(two.Root, "f");

        Assert.True(kernel.WasToldOf(one.Root, "f"));
        Assert.NotNull((await one.LookupAsync(one.Root, "f")).Node);
    }

    [Fact]
    public async Task Attributes_changed_elsewhere_are_called_back()
    {
        await using var world = await ClientWorld.StartAsync();
        var (one, two, kernel) = await MountTwoAsync(world);
        await two.MkdirAsync(two.Root, "d", 0x1ff);
        var entry = await one.LookupAsync(one.Root, "d");
        Assert.True(entry.AttributesMayBeCached);

        Assert.Equal(0, await two.ChmodAsync((await two.LookupAsync(two.Root, "d")).Node!, 0x1c0));

        Assert.Contains(entry.Node, kernel.Attributes);
        Assert.Equal(0x41c0u, (await one.StatAsync(entry.Node!)).Mode);
    }

    [Fact]
    public async Task What_is_cached_costs_no_request()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        await client.MkdirAsync(client.Root, "d");
        var node = (await client.LookupAsync(client.Root, "d")).Node!;
        await client.StatAsync(client.Root);
        Assert.Empty(await client.ListAsync(node));
        await world.Server.StopAsync();

        // Nobody answers any more: what comes now is from memory.
        Assert.Same(node, (await client.LookupAsync(client.Root, "d")).Node);
        Assert.Equal(0x4000u, (await client.StatAsync(node)).Mode & 0xf000);
    }

    [Fact]
    public async Task A_directory_listed_by_one_and_filled_by_the_other_is_always_listed_right()
    {
        await using var world = await ClientWorld.StartAsync();
        var (one, two, _) = await MountTwoAsync(world);
        for (var i = 0; i < 20; i++)
        {
            await two.MkdirAsync(two.Root, $"d{i}");
            Assert.Equal(i + 1, (await one.ListAsync(one.Root)).Count);
        }
    }

    private static async Task<(Mounted One, Mounted Two, KernelTwin Kernel)> MountTwoAsync(ClientWorld world)
    {
        var kernel = new KernelTwin();
        var one = await world.MountAsync();
        one.Vfs.KernelCache = kernel;
        return (one, await world.MountAsync(), kernel);
    }
}
