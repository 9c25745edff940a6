using Nacre.Fuse.Tests.Harness;

namespace Nacre.Fuse.Tests.Operations;

public class MmapTests
{
    private const int Length = 64 << 10;

    [FuseFact]
    public async Task Shared_writable_mappings_come_back_as_writes()
    {
        await using var mount = await TwinMount.StartAsync();
        Use(mount);
        Assert.True(mount.Vfs.CountOf("writeback") > 0);
        Assert.Equal("mapped"u8.ToArray(), mount.Vfs.BytesOf(mount.Vfs.Find("f"))[5000..5006]);
    }

    [FuseTheory]
    [InlineData(Posix.Append)]
    [InlineData(0)]
    public async Task Files_open_for_append_can_be_mapped_too(int flag)
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("head -c 65536 /dev/zero > f");
        int fd = Posix.Open(mount.Path("f"), Posix.ReadWrite | flag);
        MapAndWrite(fd);
        Posix.Close(fd);
        Assert.Equal("mapped"u8.ToArray(), mount.Vfs.BytesOf(mount.Vfs.Find("f"))[5000..5006]);
    }

    private static void Use(TwinMount mount)
    {
        int fd = Posix.Open(mount.Path("f"), Posix.Create | Posix.ReadWrite);
        Posix.Check(Posix.ftruncate(fd, Length));
        MapAndWrite(fd);
        Posix.Close(fd);
    }

    private static unsafe void MapAndWrite(int fd)
    {
        byte* memory = Posix.Map(fd, Length, Posix.ProtectRead | Posix.ProtectWrite);
        Posix.CopyIn(memory + 5000, "mapped"u8.ToArray());
        Posix.Check(Posix.msync(memory, Length, Posix.SynchronousSync));
        Assert.Equal("mapped"u8.ToArray(), Posix.Read(fd, 6, 5000));
        Posix.Check(Posix.munmap(memory, Length));
    }
}
