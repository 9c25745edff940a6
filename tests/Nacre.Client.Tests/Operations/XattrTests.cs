using System.Text;
using Nacre.Client.Tests.Harness;
using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Tests.Operations;

public sealed class XattrTests
{
    [Fact]
    public async Task An_attribute_is_set_read_listed_and_removed()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var file = await client.TouchAsync(client.Root, "f");

        Assert.Equal(0, await SetAsync(client, file, "user.colour", "red"));
        Assert.Equal("red", await GetAsync(client, file, "user.colour"));
        Assert.Contains("user.colour", await ListAsync(client, file));
        Assert.Equal(0, (await client.Vfs.RemoveXattrAsync(file, Mounted.Bytes("user.colour"), client.Who, CancellationToken.None)).Errno);
        Assert.Null(await GetAsync(client, file, "user.colour"));
        Assert.DoesNotContain("user.colour", await ListAsync(client, file));
    }

    [Fact]
    public async Task What_another_client_sets_is_seen()
    {
        await using var world = await ClientWorld.StartAsync();
        var (one, two) = (await world.MountAsync(), await world.MountAsync());
        await one.TouchAsync(one.Root, "f");
        var (here, there) = ((await one.LookupAsync(one.Root, "f")).Node!, (await two.LookupAsync(two.Root, "f")).Node!);
        Assert.Null(await GetAsync(one, here, "user.a"));

        await SetAsync(two, there, "user.a", "1");

        Assert.Equal("1", await GetAsync(one, here, "user.a"));
    }

    [Fact]
    public async Task Creating_and_replacing_mind_what_is_there()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var file = await client.TouchAsync(client.Root, "f");

        Assert.Equal(Errno.ENODATA, await SetAsync(client, file, "user.a", "1", flags: 2));
        Assert.Equal(0, await SetAsync(client, file, "user.a", "1", flags: 1));
        Assert.Equal(Errno.EEXIST, await SetAsync(client, file, "user.a", "2", flags: 1));
        Assert.Equal("1", await GetAsync(client, file, "user.a"));
    }

    [Fact]
    public async Task Values_too_many_for_one_reply_are_read_one_by_one()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var file = await client.TouchAsync(client.Root, "f");
        var large = new string('v', 3000);
        Assert.Equal(0, await SetAsync(client, file, "user.large", large));

        Assert.Equal(large, await GetAsync(client, file, "user.large"));
        Assert.Contains("user.large", await ListAsync(client, file));
    }

    [Fact]
    public async Task An_access_ACL_shows_in_the_mode_and_in_the_list()
    {
        await using var world = await ClientWorld.StartAsync();
        var (one, two) = (await world.MountAsync(), await world.MountAsync());
        var file = await one.TouchAsync(one.Root, "f", 0x1a4);
        var seen = (await two.LookupAsync(two.Root, "f")).Node!;
        var acl = Convert.FromHexString("02000000" + "01000600ffffffff" + "02000600e8030000" + "04000400ffffffff" + "10000600ffffffff" + "20000400ffffffff");

        var set = await one.Vfs.SetXattrAsync(file, Mounted.Bytes("system.posix_acl_access"), acl, 0, one.Who, CancellationToken.None);

        Assert.Equal(0, set.Errno);
        Assert.Equal(0x81b4u, (await two.StatAsync(seen)).Mode);
        var read = await two.Vfs.GetXattrAsync(seen, Mounted.Bytes("system.posix_acl_access"), two.Who, CancellationToken.None);
        Assert.Equal(acl, read.Value.ToArray());
        Assert.Contains("system.posix_acl_access", await ListAsync(two, seen));
    }

    [Fact]
    public async Task Only_root_sees_trusted_ones()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var file = await client.TouchAsync(client.Root, "f");
        Assert.Equal(0, await SetAsync(client, file, "trusted.a", "1"));

        Assert.Contains("trusted.a", await ListAsync(client, file));
        Assert.DoesNotContain(await ListAsync(client.As(500, 500), file), static name => name.StartsWith("trusted.", StringComparison.Ordinal));
    }

    private static async Task<int> SetAsync(Mounted client, Node node, string name, string value, int flags = 0) =>
        (await client.Vfs.SetXattrAsync(node, Mounted.Bytes(name), Mounted.Bytes(value), flags, client.Who, CancellationToken.None)).Errno;

    private static async Task<string?> GetAsync(Mounted client, Node node, string name)
    {
        var value = await client.Vfs.GetXattrAsync(node, Mounted.Bytes(name), client.Who, CancellationToken.None);
        return value.Errno == Errno.ENODATA ? null : Encoding.UTF8.GetString(value.Value.Span);
    }

    private static async Task<string[]> ListAsync(Mounted client, Node node) =>
        Encoding.UTF8.GetString((await client.Vfs.ListXattrsAsync(node, client.Who, CancellationToken.None)).Value.Span)
            .Split('\0', StringSplitOptions.RemoveEmptyEntries);
}
