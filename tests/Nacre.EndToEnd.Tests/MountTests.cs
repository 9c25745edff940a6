using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd;

/// <summary>Mount, statfs, unmount, over both transports.</summary>
public sealed class MountTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task MountsShowsSpaceAndUnmounts(bool tcp)
    {
        await using var server = await TestServer.StartAsync(new TestServerOptions { Tcp = tcp });
        var client = await server.MountAsync();

        Assert.Equal(LuFid.Root, client.Root);
        Assert.Equal([0, 1], client.Osts);
        var mdt = await client.StatFsAsync();
        Assert.True(mdt.BlockSize > 0 && (mdt.BlockSize & (mdt.BlockSize - 1)) == 0);
        Assert.Equal(255u, mdt.NameLength);
        var ost = await client.StatFsAsync(1);
        Assert.Equal(32L << 40, (long)(ost.Blocks * ost.BlockSize));
        Assert.Equal([".", ".."], (await client.ReadDirAsync(client.Root)).Select(entry => entry.Name));

        await client.UnmountAsync();
    }

    [Fact]
    public async Task MountsAgainAfterAnUnmountAndARestart()
    {
        await using var server = await TestServer.StartAsync();
        var first = await server.MountAsync();
        var directory = await first.MkdirAsync(first.Root, "kept");
        await first.UnmountAsync();

        await server.RestartAsync();
        var second = await server.MountAsync();

        Assert.Equal(directory, (await second.WalkAsync("/kept")).Fid);
    }
}
