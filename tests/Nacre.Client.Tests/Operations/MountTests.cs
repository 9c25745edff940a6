using Nacre.Client.Tests.Harness;
using Nacre.EndToEnd.Harness;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Tests.Operations;

public sealed class MountTests
{
    [Fact]
    public async Task The_root_is_a_directory_with_the_number_kernel_clients_show()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();

        var root = await client.StatAsync(client.Root);

        Assert.Equal(0x4000u, root.Mode & 0xf000);
        Assert.Equal(144115188193296385UL, root.Inode);
        Assert.Equal([0, 1], client.Mount.Osts);
    }

    [Fact]
    public async Task Unmounting_leaves_no_client_behind()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        await client.MkdirAsync(client.Root, "d");

        await client.Mount.UnmountAsync().AsTask().WithinBoundsAsync();

        var other = await world.MountAsync();
        Assert.Equal(["d"], await other.ListAsync(other.Root));
    }

    [Fact]
    public async Task A_subdirectory_can_be_the_root()
    {
        await using var world = await ClientWorld.StartAsync();
        var whole = await world.MountAsync();
        var inner = await whole.MkdirAsync(await whole.MkdirAsync(whole.Root, "a"), "b");
        await whole.TouchAsync(inner, "f");

        var part = await world.MountAsync(static options => options with { SubDirectory = "/a/b" });

        Assert.Equal(["f"], await part.ListAsync(part.Root));
    }

    [Fact]
    public async Task A_file_system_that_does_not_exist_is_named()
    {
        await using var world = await ClientWorld.StartAsync();

        var failure = await Assert.ThrowsAsync<MountException>(() => world.MountAsync(static options => options with { FileSystem = "other" }));

        Assert.Equal(Errno.ENOENT, failure.Errno);
        Assert.Equal("no file system named other at 10.0.0.1@tcp", failure.Message);
    }

    [Fact]
    public async Task A_missing_subdirectory_is_named()
    {
        await using var world = await ClientWorld.StartAsync();

        var failure = await Assert.ThrowsAsync<MountException>(() => world.MountAsync(static options => options with { SubDirectory = "/none" }));

        Assert.Equal("there is no directory /none in nacre01", failure.Message);
    }

    [Fact]
    public async Task Nothing_listening_is_said_at_once()
    {
        var port = TestServer.FreePort();
        var options = new MountOptions { ManagementNids = [Nid.Parse("127.0.0.1@tcp")], FileSystem = "demo", Port = port };

        var failure = await Assert.ThrowsAsync<MountException>(() => LustreMount.MountAsync(options).WithinBoundsAsync());

        Assert.Equal($"nothing listens on 127.0.0.1:{port}", failure.Message);
    }

    [Fact]
    public async Task A_mount_over_TCP_from_the_servers_own_address_works_twice()
    {
        await using var world = await ClientWorld.StartAsync(new TestServerOptions { Tcp = true });
        var one = await world.MountAsync();
        var two = await world.MountAsync();

        await one.MkdirAsync(one.Root, "d");

        Assert.Equal(["d"], await two.ListAsync(two.Root));
    }

    [Theory]
    [InlineData("10.0.0.1@tcp:/demo", "demo", "", 1)]
    [InlineData("10.0.0.1@tcp:10.0.0.2@tcp:/demo/a/b/", "demo", "/a/b", 2)]
    [InlineData("10.0.0.1,10.0.0.2:/demo", "demo", "", 2)]
    [InlineData("localhost@tcp:/demo", "demo", "", 1)]
    public void Devices_of_mount_commands_are_read(string device, string name, string directory, int nids)
    {
        var options = MountOptions.Parse(device);

        Assert.Equal(name, options.FileSystem);
        Assert.Equal(directory, options.SubDirectory);
        Assert.Equal(nids, options.ManagementNids.Count);
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("10.0.0.1@tcp:/")]
    [InlineData("10.0.0.1@tcp:/muchtoolong")]
    [InlineData("host name@tcp:/demo")]
    [InlineData("10.0.0.256@tcp:/demo")]
    [InlineData("no-such-host.invalid@tcp:/demo")]
    public void Devices_that_are_none_are_refused(string device) => Assert.Throws<FormatException>(() => MountOptions.Parse(device));
}
