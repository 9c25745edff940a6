using Nacre.Client.Tests.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Tests.Operations;

public sealed class StatusTests
{
    [Fact]
    public async Task Space_and_names_are_told()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();

        var status = (await client.Vfs.GetStatusAsync(CancellationToken.None)).Value;

        Assert.Equal(255u, status.NameLength);
        Assert.InRange(status.FreeBlocks, 1UL, status.Blocks);
        Assert.InRange(status.FreeFiles, 1UL, status.Files);
        Assert.True(status.Blocks * status.BlockSize > 1UL << 30);
    }

    [Fact]
    public async Task Permission_is_the_servers_affair()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var secret = await client.MkdirAsync(client.Root, "secret", 0x1c0);
        await client.TouchAsync(secret, "f");
        var user = client.As(500, 500);

        Assert.Equal(Errno.EACCES, await user.LookupErrnoAsync(secret, "f2"));
        Assert.Equal(Errno.EACCES, await user.UnlinkAsync(secret, "f"));
        Assert.Equal(Errno.EPERM, await user.ChmodAsync(secret, 0x1ff));
    }

    [Fact]
    public async Task A_supplementary_group_opens_what_its_members_may()
    {
        await using var world = await ClientWorld.StartAsync();
        var client = await world.MountAsync();
        var shared = await client.MkdirAsync(client.Root, "shared", 0x1f8, umask: 0);
        var owned = new Vfs.AttributeChange(Vfs.AttributeFields.Gid) { Gid = 700 };
        Assert.Equal(0, (await client.Vfs.SetAttributesAsync(shared, null, owned, client.Who, CancellationToken.None)).Errno);

        Assert.Equal(Errno.EACCES, await client.As(500, 500).LookupErrnoAsync(shared, "f"));
        Assert.Equal(Errno.ENOENT, await client.As(500, 500, 600, 700).LookupErrnoAsync(shared, "f"));
        await client.As(500, 500, 600, 700).MkdirAsync(shared, "d");
    }
}
