using Nacre.Client.Tests.Harness;
using Nacre.EndToEnd.Harness;
using Nacre.Server.Node;

namespace Nacre.Client.Tests.Operations;

/// <summary>A file system that is removed while it is mounted.</summary>
public sealed class RemovalTests
{
    [Fact]
    public async Task What_uses_a_removed_file_system_gets_errors_and_the_mount_can_be_left()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var open = await client.CreateAsync(client.Root, "open");
        var write = await client.Vfs.WriteAsync(open, 0, new byte[1 << 20], default, CancellationToken.None);
        Assert.Equal(1 << 20, write.Value.Length);

        await world.Server.Node.RemoveFileSystemAsync(world.Server.Options.FileSystem, CancellationToken.None).WithinBoundsAsync();

        Assert.NotEqual(0, await client.LookupErrnoAsync(client.Root, "late").WithinBoundsAsync());
        Assert.NotEqual(0, (await client.Vfs.SyncAsync(open, dataOnly: false, CancellationToken.None).AsTask().WithinBoundsAsync()).Errno);
        await client.Vfs.ReleaseAsync(open).AsTask().WithinBoundsAsync();
        await client.Mount.UnmountAsync().AsTask().WithinBoundsAsync();
    }

    [Fact]
    public async Task A_mount_of_the_old_does_not_touch_a_new_one_of_the_same_name()
    {
        await using var world = await ClientWorld.StartAsync();
        var name = world.Server.Options.FileSystem;
        var stale = await world.MountAsync();
        var open = await stale.CreateAsync(stale.Root, "open");
        await world.Server.Node.RemoveFileSystemAsync(name, CancellationToken.None);
        await world.Server.Node.EnsureFileSystemAsync(new FileSystemWish(name, 2, 2400), CancellationToken.None);
        var fresh = await world.MountAsync();
        await fresh.TouchAsync(fresh.Root, "new");

        Assert.NotEqual(0, await stale.LookupErrnoAsync(stale.Root, "new").WithinBoundsAsync());
        await stale.Vfs.ReleaseAsync(open).AsTask().WithinBoundsAsync();

        Assert.Equal(["new"], await fresh.ListAsync(fresh.Root));
    }
}
