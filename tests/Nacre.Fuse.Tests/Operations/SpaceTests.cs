using Nacre.Fuse.Tests.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Tests.Operations;

public class SpaceTests
{
    [FuseFact]
    public async Task Fallocate_reserves_punches_and_refuses()
    {
        await using var mount = await TwinMount.StartAsync();
        int fd = Posix.Open(mount.Path("f"), Posix.Create | Posix.ReadWrite);
        Posix.Check(Posix.fallocate(fd, Posix.KeepSize, 0, 1 << 20));
        Assert.Equal((0L, 2048UL), (Posix.Stat(mount.Path("f"), forced: true).Size, Posix.Stat(mount.Path("f")).Blocks));
        Posix.Check(Posix.fallocate(fd, 0, 0, 1 << 20));
        Assert.Equal(1 << 20, Posix.Stat(mount.Path("f")).Size);
        Posix.Write(fd, [1, 2, 3], 8192);
        Assert.Equal(2, Posix.Read(fd, 3, 8192)[1]);
        Posix.Check(Posix.fallocate(fd, Posix.PunchHole | Posix.KeepSize, 4096, 8192));
        Assert.Equal([0, 0, 0], Posix.Read(fd, 3, 8192));
        Assert.Equal(-1, Posix.fallocate(fd, 8, 0, 4096));
        Assert.Equal(Errno.EOPNOTSUPP, Posix.Errno);
        Posix.Close(fd);
    }

    [FuseFact]
    public async Task Lseek_finds_data_and_holes()
    {
        await using var mount = await TwinMount.StartAsync();
        int fd = Posix.Open(mount.Path("f"), Posix.Create | Posix.ReadWrite);
        Posix.Write(fd, new byte[4096], 1 << 20);
        Posix.Check(Posix.ftruncate(fd, 4 << 20));
        Assert.Equal(1 << 20, Posix.lseek(fd, 0, Posix.SeekData));
        Assert.Equal((1 << 20) + 4096, Posix.lseek(fd, 1 << 20, Posix.SeekHole));
        Assert.Equal(-1, Posix.lseek(fd, 2 << 20, Posix.SeekData));
        Assert.Equal(Errno.ENXIO, Posix.Errno);
        Posix.Close(fd);
    }

    [FuseFact]
    public async Task Copy_file_range_copies_in_the_file_system()
    {
        await using var mount = await TwinMount.StartAsync();
        byte[] data = new byte[3 << 20];
        new Random(2).NextBytes(data);
        int from = Posix.Open(mount.Path("from"), Posix.Create | Posix.ReadWrite), to = Posix.Open(mount.Path("to"), Posix.Create | Posix.ReadWrite);
        Posix.Write(from, data, 0);
        int writes = mount.Vfs.CountOf("write");
        Copy(from, to, data.Length);
        Assert.Equal(data, Posix.Read(to, data.Length, 0));
        Assert.Equal(writes, mount.Vfs.CountOf("write"));
        Assert.True(mount.Vfs.CountOf("copy") >= 3);
        Posix.Close(from);
        Posix.Close(to);
    }

    private static unsafe void Copy(int from, int to, long length)
    {
        long fromOffset = 0, toOffset = 0;
        while (fromOffset < length)
        {
            nint copied = Posix.Check(Posix.copy_file_range(from, &fromOffset, to, &toOffset, (nint)(length - fromOffset), 0));
            Assert.NotEqual(0, copied);
        }
    }
}
