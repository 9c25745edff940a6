using Nacre.Client.Tests.Harness;
using Nacre.EndToEnd.Harness;

namespace Nacre.Client.Tests.Operations;

public sealed class GrowthTests
{
    [Fact]
    public async Task Every_OST_added_later_appears_without_a_remount()
    {
        await using var world = await ClientWorld.StartAsync(new TestServerOptions { Osts = 1 });
        var client = await world.MountAsync();
        var before = (await client.Vfs.GetStatusAsync(CancellationToken.None)).Value;

        for (var count = 2; count <= 4; count++)
        {
            await world.Server.Node.AddOstAsync(world.Server.Options.FileSystem, CancellationToken.None);
            await Wait.UntilAsync(() => client.Mount.Osts.Count == count, $"the client knows OST {count - 1}");
        }

        Assert.Equal([0, 1, 2, 3], client.Mount.Osts);
        await Wait.UntilAsync(
            async () => (await client.Vfs.GetStatusAsync(CancellationToken.None)).Value.Blocks > before.Blocks, "the new space counts");
    }
}
