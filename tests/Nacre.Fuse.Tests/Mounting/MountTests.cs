using Microsoft.Extensions.Logging.Abstractions;
using Nacre.Fuse.Mounting;
using Nacre.Fuse.Tests.Harness;
using Nacre.Fuse.Tests.Twin;
using Nacre.Testing;

namespace Nacre.Fuse.Tests.Mounting;

public class MountTests
{
    [FuseFact]
    public async Task The_mount_table_shows_it_and_umount_ends_it()
    {
        var mount = await TwinMount.StartAsync();
        var mounted = MountTable.Find(mount.Root);
        Assert.Equal(("fuse.nacre", "twin"), (mounted?.Type, mounted?.Source));
        await TwinMount.TryShellAsync($"umount {mount.Root}", "/");
        await mount.Mount.Ended.Within();
        await mount.DisposeAsync();
    }

    [FuseFact]
    public async Task Unmounting_while_busy_detaches_and_ends_with_the_last_user()
    {
        var mount = await TwinMount.StartAsync();
        int fd = Posix.Open(mount.Path("f"), Posix.Create | Posix.ReadWrite);
        await mount.Mount.UnmountAsync(TimeSpan.Zero);
        Assert.Null(MountTable.Find(mount.Root));
        Posix.Write(fd, "still works"u8.ToArray(), 0);
        Assert.Equal("still works"u8.ToArray(), Posix.Read(fd, 100, 0));
        Assert.False(mount.Mount.Ended.IsCompleted);
        Posix.Close(fd);
        await mount.Mount.Ended.Within();
        await mount.DisposeAsync();
    }

    [FuseFact]
    public async Task Disposing_cuts_off_whoever_still_waits()
    {
        var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("mkdir d");
        var hold = new Hold(mount.Vfs, "lookup", mount.Vfs.Find("d"));
        var stat = TwinMount.Blocking(() => Posix.TryStat(mount.Path("d/f")));
        await hold.Reached;
        await mount.Mount.DisposeAsync().AsTask().Within();
        Assert.NotEqual(0, await stat.Within());
        hold.Release();
        Directory.Delete(mount.Root);
    }

    [FuseFact]
    public async Task Read_only_is_read_only()
    {
        await using var mount = await TwinMount.StartAsync(new FuseOptions { ReadOnly = true });
        Assert.Contains("Read-only", (await mount.TryShellAsync("touch f")).Output, StringComparison.Ordinal);
    }

    [FuseFact]
    public async Task A_place_that_is_no_folder_is_said_to_be_none()
    {
        var none = await Assert.ThrowsAsync<FuseMountException>(() => FuseMount.MountAsync(
            new TwinVfs(), "twin", "/nowhere/at/all", new FuseOptions(), NullLogger.Instance, default));
        Assert.Equal("there is no folder /nowhere/at/all", none.Message);
        var file = await Assert.ThrowsAsync<FuseMountException>(() => FuseMount.MountAsync(
            new TwinVfs(), "twin", "/etc/passwd", new FuseOptions(), NullLogger.Instance, default));
        Assert.Equal("/etc/passwd is not a folder", file.Message);
    }

    [FuseFact]
    public async Task Fusermount3_mounts_and_unmounts_when_the_mount_is_given_up()
    {
        await using var mount = await TwinMount.StartAsync(new FuseOptions { AutoUnmount = true });
        Assert.Equal("hello", await mount.ShellAsync("printf hello > f && cat f"));
        Assert.Equal("fuse.nacre", MountTable.Find(mount.Root)?.Type);
    }

    [FuseTheory]
    [InlineData(1)]
    [InlineData(7)]
    public async Task Any_number_of_threads_serves(int threads)
    {
        await using var mount = await TwinMount.StartAsync(new FuseOptions { MaxThreads = threads });
        await mount.ShellAsync("for i in 1 2 3 4; do (for j in $(seq 50); do echo $j > f$i-$j; cat f$i-$j > /dev/null; done) & done; wait");
        Assert.Equal("200", await mount.ShellAsync("ls | wc -l"));
    }

    [Fact]
    public void Lines_of_the_mount_table_are_read()
    {
        Assert.True(MountTable.TryParse("36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - fuse.nacre 10.0.0.1@tcp:/demo rw", out var mounted));
        Assert.Equal(new MountTable.Mounted("98:0", "/mnt 2", "fuse.nacre", "10.0.0.1@tcp:/demo"), mounted);
        Assert.False(MountTable.TryParse("36 35 98:0 / /mnt rw -", out _));
    }
}
