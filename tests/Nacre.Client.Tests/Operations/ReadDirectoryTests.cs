using System.Globalization;
using Nacre.Client.Tests.Harness;

namespace Nacre.Client.Tests.Operations;

public sealed class ReadDirectoryTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(int.MaxValue)]
    public async Task Every_name_comes_once_however_little_is_taken_at_a_time(int atATime)
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var names = await FillAsync(client, 300);

        var listed = await client.ListAsync(client.Root, atATime);

        Assert.Equal(names, listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Entries_come_with_attributes()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var names = await FillAsync(client, 100);

        var other = await world.MountAsync();
        var listed = await other.ListAsync(other.Root, 10, withEntries: true);

        Assert.Equal(names, listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_listing_shows_what_another_client_made_meanwhile()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var other = await world.MountAsync();
        Assert.Empty(await client.ListAsync(client.Root));

        await other.MkdirAsync(other.Root, "new");

        Assert.Equal(["new"], await client.ListAsync(client.Root));
    }

    private static async Task<List<string>> FillAsync(Mounted client, int count)
    {
        var names = new List<string>();
        for (var i = 0; i < count; i++)
        {
            names.Add("name" + i.ToString("d4", CultureInfo.InvariantCulture));
            await client.MkdirAsync(client.Root, names[^1]);
        }

        return names;
    }
}
