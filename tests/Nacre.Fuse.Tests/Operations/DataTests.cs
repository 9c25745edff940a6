using Nacre.Fuse.Tests.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Tests.Operations;

public class DataTests
{
    [FuseFact]
    public async Task Large_and_odd_transfers_come_through_whole()
    {
        await using var mount = await TwinMount.StartAsync();
        byte[] data = new byte[(5 << 20) + 123];
        new Random(1).NextBytes(data);
        int fd = Posix.Open(mount.Path("f"), Posix.Create | Posix.ReadWrite);
        Posix.Write(fd, data, 77);
        Assert.Equal(data, mount.Vfs.BytesOf(mount.Vfs.Find("f"))[77..]);
        Posix.Close(fd);

        // Not out of the kernel's cache.
        await mount.Vfs.KernelCache!.DropDataAsync(mount.Vfs.Find("f"), 0, long.MaxValue);
        fd = Posix.Open(mount.Path("f"), Posix.ReadOnly);
        Assert.Equal(data, Posix.Read(fd, data.Length + 100, 77));
        Assert.Equal(data[100_000..100_003], Posix.Read(fd, 3, 100_077));
        Posix.Close(fd);
    }

    [FuseFact]
    public async Task Requests_have_up_to_a_mebibyte()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("dd if=/dev/zero of=f bs=1M count=8 status=none");
        Assert.Equal(8, mount.Vfs.CountOf("write"));
        await mount.ShellAsync("dd if=f of=/dev/null bs=1M iflag=direct status=none");
        Assert.InRange(mount.Vfs.CountOf("read"), 8, 9);
    }

    [FuseFact]
    public async Task What_was_read_is_read_from_the_kernel_again()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("head -c 100000 /dev/urandom > f && cat f > /dev/null");
        int reads = mount.Vfs.CountOf("read");
        await mount.ShellAsync("cat f > /dev/null && md5sum f");
        Assert.Equal(reads, mount.Vfs.CountOf("read"));
    }

    [FuseFact]
    public async Task Direct_io_goes_to_the_file_system_and_shows_in_the_cache()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("yes | head -c 65536 > f && cat f > /dev/null");
        int before = mount.Vfs.CountOf("read");
        await mount.ShellAsync("dd if=f of=/dev/null bs=16k iflag=direct status=none");
        Assert.True(mount.Vfs.CountOf("read") > before);
        Assert.Equal("\\0\\0\\0\\0", await mount.ShellAsync(
            "dd if=/dev/zero of=f bs=4k count=1 oflag=direct conv=notrunc status=none && head -c 4 f | od -An -c | tr -d ' \\n'"));
    }

    [FuseFact]
    public async Task Appends_go_behind_what_others_appended_meanwhile()
    {
        await using var mount = await TwinMount.StartAsync();
        int a = Posix.Open(mount.Path("log"), Posix.Create | Posix.WriteOnly | Posix.Append);
        int b = Posix.Open(mount.Path("log"), Posix.WriteOnly | Posix.Append);
        Posix.Append_(a, "one "u8.ToArray());
        var node = mount.Vfs.Find("log");
        // Without a callback: what this client knows of the size is old.
        node.Bytes.Write(4, "two "u8);
        Posix.Append_(b, "three"u8.ToArray());
        Posix.Close(a);
        Posix.Close(b);
        Assert.Equal("one two three", await mount.ShellAsync("cat log"));
    }

    [FuseFact]
    public async Task Synchronous_writes_and_syncs_reach_the_file_system()
    {
        await using var mount = await TwinMount.StartAsync();
        int fd = Posix.Open(mount.Path("f"), Posix.Create | Posix.WriteOnly | Posix.DataSync);
        Posix.Write(fd, [1], 0);
        Assert.Equal(1, mount.Vfs.CountOf("sync-write"));
        int syncs = mount.Vfs.CountOf("fsync") + mount.Vfs.CountOf("fdatasync");
        Posix.Check(Posix.fsync(fd));
        Posix.Check(Posix.fdatasync(fd));
        Assert.Equal(syncs + 2, mount.Vfs.CountOf("fsync") + mount.Vfs.CountOf("fdatasync"));
        Posix.Close(fd);
    }

    [FuseFact]
    public async Task A_handle_outlives_its_name()
    {
        await using var mount = await TwinMount.StartAsync();
        int fd = Posix.Open(mount.Path("f"), Posix.Create | Posix.ReadWrite);
        Posix.Write(fd, "still here"u8.ToArray(), 0);
        Posix.Check(Posix.unlink(mount.Path("f")));
        Assert.Equal("still here"u8.ToArray(), Posix.Read(fd, 100, 0));
        Assert.Equal(Errno.ENOENT, Posix.TryStat(mount.Path("f")));
        Posix.Close(fd);
        await Nacre.Testing.Eventually.TrueAsync(() => mount.Vfs.CountOf("release") == 1);
    }
}
