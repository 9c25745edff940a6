using Nacre.Client.Tests.Harness;
using Nacre.EndToEnd.Harness;

namespace Nacre.Client.Tests.Operations;

/// <summary>What operations cost in requests: each is a wait for the network.</summary>
public sealed class RequestCountTests
{
    [Fact]
    public async Task A_file_is_created_without_asking_an_OST()
    {
        const string name = "count01";
        await using var world = await ClientWorld.StartAsync(new TestServerOptions { FileSystem = name });
        var client = await world.MountAsync();
        // Connections, FIDs, what is learnt of the root.
        await client.TouchAsync(client.Root, "first");
        using var counter = new RequestCounter(name);
        counter.Take();

        var open = await client.CreateAsync(client.Root, "f");
        Assert.Equal((1, 0), counter.Take());

        await client.Vfs.ReleaseAsync(open);
        Assert.Equal((1, 0), counter.Take());
    }

    [Fact]
    public async Task What_was_created_shows_what_others_have_written_since()
    {
        await using var world = await ClientWorld.StartAsync();
        var (one, two) = (await world.MountAsync(), await world.MountAsync());
        var created = (await one.Vfs.CreateAsync(one.Root, Mounted.Bytes("f"), 0x1a4, 0x12, 0x42, one.Who, CancellationToken.None)).Value;
        Assert.Equal(0, created.Entry.Attributes.Size);
        Assert.False(created.Entry.AttributesMayBeCached);

        var other = await two.OpenAsync((await two.LookupAsync(two.Root, "f")).Node!, 2);
        await two.Vfs.WriteAsync(other, 0, new byte[10], Vfs.WriteOptions.None, CancellationToken.None);

        Assert.Equal(10, (await one.StatAsync(created.Opened.File.Node)).Size);
    }
}
