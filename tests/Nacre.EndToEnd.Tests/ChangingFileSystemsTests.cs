using Nacre.EndToEnd.Client;
using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Node;

namespace Nacre.EndToEnd;

/// <summary>File systems that are made, changed and removed while the node runs.</summary>
public sealed class ChangingFileSystemsTests
{
    private const string Name = "other";

    [Fact]
    public async Task A_file_system_made_at_run_time_is_there_after_a_restart()
    {
        await using var server = await TestServer.StartAsync();
        await EnsureAsync(server, osts: 2);
        var client = await server.MountAsync(fileSystem: Name);
        Assert.Equal([0, 1], client.Osts);
        var data = await WriteAsync(client, "file");

        await server.RestartAsync();

        var again = await server.MountAsync(fileSystem: Name);
        Assert.Equal(data, await again.ReadAsync(await again.OpenAsync(again.Root, "file", MdsOpen.Read), 0, data.Length));
    }

    [Fact]
    public async Task Ensuring_adds_what_is_lacking_and_takes_nothing_away()
    {
        await using var server = await TestServer.StartAsync();
        await EnsureAsync(server, osts: 1, capacityGib: 1200);
        var client = await server.MountAsync(fileSystem: Name);

        await EnsureAsync(server, osts: 2, capacityGib: 2400);
        await EnsureAsync(server, osts: 2, capacityGib: 2400);
        await Wait.UntilAsync(() => client.Osts.Count == 2, "the client knows the second OST");
        await EnsureAsync(server, osts: 1, capacityGib: 4800);

        var status = server.Node.Status.FileSystems.Single(fileSystem => fileSystem.Name == Name);
        Assert.Equal(4800, status.CapacityGib);
        Assert.Equal([null, 2400L << 30, 2400L << 30], status.Targets.Select(target => target.CapacityBytes));
    }

    [Fact]
    public async Task Clients_of_a_removed_file_system_get_errors_and_its_data_goes()
    {
        await using var server = await TestServer.StartAsync();
        await EnsureAsync(server, osts: 2);
        var client = await server.MountAsync(fileSystem: Name);
        var data = await WriteAsync(client, "file");
        var other = await server.MountAsync();

        await server.Node.RemoveFileSystemAsync(Name, CancellationToken.None).WithinBoundsAsync();

        Assert.Equal(["nacre01"], server.Node.Status.FileSystems.Select(fileSystem => fileSystem.Name));
        await Assert.ThrowsAsync<RpcException>(() => client.MkdirAsync(client.Root, "late").WithinBoundsAsync());
        var refused = await Assert.ThrowsAsync<RpcException>(() => server.MountAsync(fileSystem: Name));
        Assert.Equal(Errno.ENOENT, refused.Errno);
        await Wait.UntilAsync(() => FoldersOf(server).Length == 0, "the data is deleted");
        await WriteAsync(other, "untouched");
        // Nothing to do is success.
        await server.Node.RemoveFileSystemAsync(Name, CancellationToken.None);
    }

    [Fact]
    public async Task A_name_can_be_used_again_and_stale_clients_stay_out()
    {
        await using var server = await TestServer.StartAsync();
        await EnsureAsync(server, osts: 1);
        var stale = await server.MountAsync(fileSystem: Name);
        await WriteAsync(stale, "old");
        var oldFile = await stale.WalkAsync("/old");
        await server.Node.RemoveFileSystemAsync(Name, CancellationToken.None);

        await EnsureAsync(server, osts: 1);
        var fresh = await server.MountAsync(fileSystem: Name);

        Assert.DoesNotContain(await fresh.ReadDirAsync(fresh.Root), entry => entry.Name is not ("." or ".."));
        await Assert.ThrowsAsync<RpcException>(() => stale.MkdirAsync(stale.Root, "intruder").WithinBoundsAsync());
        await WriteAsync(fresh, "new");
        Assert.NotEqual(oldFile.Fid.Sequence, (await fresh.WalkAsync("/new")).Fid.Sequence);
        Assert.Null(await fresh.LookupAsync(fresh.Root, "intruder"));
        // Also when the servers have forgotten who was whose client.
        await server.RestartAsync();
        await fresh.ReconnectAsync();
        await fresh.MkdirAsync(fresh.Root, "still mine");
    }

    /// <summary>What each moment of a removal leaves behind when the node is killed in it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_removal_that_was_cut_off_is_finished_by_the_next_start(bool nameIsUsedAgain)
    {
        await using var server = await TestServer.StartAsync();
        await EnsureAsync(server, osts: 1);
        await server.Node.DisposeAsync();
        var folder = Path.Combine(server.DataFolder, "filesystems", Name);
        Directory.Move(folder, folder + ".removed-1");

        await server.RestartAsync();

        Assert.DoesNotContain(server.Node.FileSystems, record => record.Name == Name);
        Assert.False(File.Exists(Path.Combine(server.DataFolder, "mgs", $"{Name}-client")));
        if (nameIsUsedAgain)
        {
            await EnsureAsync(server, osts: 1);
            await WriteAsync(await server.MountAsync(fileSystem: Name), "file");
        }

        await Wait.UntilAsync(() => !Directory.Exists(folder + ".removed-1"), "the data is deleted");
        Assert.Equal(nameIsUsedAgain, Directory.Exists(folder));
    }

    [Fact]
    public async Task Root_squash_holds_for_mounted_clients_at_once_and_after_a_restart()
    {
        await using var server = await TestServer.StartAsync();
        await EnsureAsync(server, osts: 1);
        var client = await server.MountAsync(fileSystem: Name);
        var exempt = await server.MountAsync(fileSystem: Name);
        await client.ChmodAsync(client.Root, 0x1FF);
        var squash = new SquashRecord(1234, 5678, [$"{exempt.Options.Nid.Address}@tcp"]);

        await EnsureAsync(server, osts: 1, squash: squash);

        await client.MkdirAsync(client.Root, "squashed");
        await exempt.MkdirAsync(exempt.Root, "exempt");
        Assert.Equal((1234u, 5678u), await OwnerAsync(client, "squashed"));
        Assert.Equal((0u, 0u), await OwnerAsync(client, "exempt"));
        await server.RestartAsync();
        var later = await server.MountAsync(fileSystem: Name);
        await later.MkdirAsync(later.Root, "later");
        Assert.Equal((1234u, 5678u), await OwnerAsync(later, "later"));
        await EnsureAsync(server, osts: 1);
        await later.MkdirAsync(later.Root, "root");
        Assert.Equal((0u, 0u), await OwnerAsync(later, "root"));
    }

    [Fact]
    public async Task Changes_at_the_same_time_take_turns()
    {
        await using var server = await TestServer.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(number => Task.Run(async () =>
        {
            var name = $"fs{number}";
            for (var round = 0; round < 3; round++)
            {
                await server.Node.EnsureFileSystemAsync(new FileSystemWish(name, 1 + round, 1200), CancellationToken.None);
                await server.Node.AddOstAsync(name, CancellationToken.None);
                await server.Node.RemoveFileSystemAsync(name, CancellationToken.None);
            }
        }))).WithinBoundsAsync();

        Assert.Equal(["nacre01"], server.Node.FileSystems.Select(record => record.Name));
        await Wait.UntilAsync(
            () => Directory.GetDirectories(Path.Combine(server.DataFolder, "filesystems")).Length == 1, "the data of all is deleted");
    }

    [Theory]
    [InlineData("", 1, 1200)]
    [InlineData("a/b", 1, 1200)]
    [InlineData("ninechars", 1, 1200)]
    [InlineData("fine", 0, 1200)]
    [InlineData("fine", 257, 1200)]
    [InlineData("fine", 1, 0)]
    public async Task What_cannot_be_is_refused(string name, int osts, long capacityGib)
    {
        await using var server = await TestServer.StartAsync();
        await Assert.ThrowsAsync<NodeConfigurationException>(
            () => server.Node.EnsureFileSystemAsync(new FileSystemWish(name, osts, capacityGib), CancellationToken.None));
    }

    private static Task EnsureAsync(TestServer server, int osts, long capacityGib = 2400, SquashRecord? squash = null) =>
        server.Node.EnsureFileSystemAsync(new FileSystemWish(Name, osts, capacityGib, squash), CancellationToken.None).WithinBoundsAsync();

    private static async Task<byte[]> WriteAsync(ScriptedClient client, string name)
    {
        var file = await client.CreateAsync(client.Root, name, Layouts.Striped(1, 65536));
        var data = new byte[100_000];
        Random.Shared.NextBytes(data);
        await client.WriteAsync(file, 0, data);
        await client.CloseAsync(file);
        return data;
    }

    private static async Task<(uint Uid, uint Gid)> OwnerAsync(ScriptedClient client, string name)
    {
        var found = await client.GetAttrAsync(client.Root, name);
        return (found!.Body.Uid, found.Body.Gid);
    }

    private static string[] FoldersOf(TestServer server) =>
        Directory.GetDirectories(Path.Combine(server.DataFolder, "filesystems"), $"{Name}*");
}
