using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd;

/// <summary>An OST added later reaches mounted clients through the configuration lock.</summary>
public sealed class GrowthTests
{
    [Fact]
    public async Task AMountedClientUsesAnOstThatWasAddedLater()
    {
        await using var server = await TestServer.StartAsync();
        var client = await server.MountAsync();
        var before = await client.CreateAsync(client.Root, "before", Layouts.Striped(2, 65536));

        await server.Node.AddOstAsync(server.Options.FileSystem, CancellationToken.None);
        await Wait.UntilAsync(() => client.Osts.Count == 3, "the client knows the third OST");
        await Wait.UntilAsync(
            async () => (await client.CreateAsync(client.Root, Guid.NewGuid().ToString(), Layouts.Striped(3, 65536))).Layout!.Objects().Count() == 3,
            "the servers use it");

        var file = await client.CreateAsync(client.Root, "after", Layouts.Striped(3, 65536));
        Assert.Equal([0u, 1u, 2u], file.Layout!.Objects().Select(data => data.OstIndex).Order());
        var data = new byte[1 << 20];
        Random.Shared.NextBytes(data);
        await client.WriteAsync(file, 0, data);
        await client.WriteAsync(before, 0, data);

        var other = await server.MountAsync();
        Assert.Equal([0, 1, 2], other.Osts);
        Assert.Equal(data, await other.ReadAsync(await other.OpenAsync(other.Root, "after", MdsOpen.Read), 0, data.Length));
    }

    [Fact]
    public async Task TheLogIsFollowedMoreThanOnce()
    {
        await using var server = await TestServer.StartAsync(new TestServerOptions { Osts = 1 });
        var client = await server.MountAsync();
        for (var count = 2; count <= 4; count++)
        {
            await server.Node.AddOstAsync(server.Options.FileSystem, CancellationToken.None);
            await Wait.UntilAsync(() => client.Osts.Count == count, $"the client knows OST {count - 1}");
        }
    }
}
