using Nacre.Fuse.Tests.Harness;
using Nacre.PtlRpc.Wire;
using Nacre.Testing;

namespace Nacre.Fuse.Tests.Cache;

/// <summary>What another client changes shows at once, though all was cached.</summary>
public class CoherenceTests
{
    [FuseFact]
    public async Task Data_size_and_mode_changed_elsewhere_show()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("printf before > f && cat f && stat f");
        var node = mount.Vfs.Find("f");
        int fd = Posix.Open(mount.Path("f"), Posix.ReadOnly);
        Assert.Equal("before"u8.ToArray(), Posix.Read(fd, 100, 0));
        await mount.Vfs.RemoteWriteAsync(node, 0, "AFTERWARDS"u8.ToArray()).Within();
        Assert.Equal("AFTERWARDS"u8.ToArray(), Posix.Read(fd, 100, 0));
        await mount.Vfs.RemoteChmodAsync(node, 0x180).Within();
        Assert.Equal(0x8180u, Posix.Stat(mount.Path("f")).Mode);
        Posix.Close(fd);
    }

    [FuseFact]
    public async Task Names_made_and_removed_elsewhere_show()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("mkdir d && touch d/gone && stat d/gone && ! stat d/new");
        await mount.Vfs.RemoteMakeAsync(mount.Vfs.Find("d"), "new").Within();
        Assert.Equal(0, Posix.TryStat(mount.Path("d/new")));
        await mount.Vfs.RemoteUnlinkAsync(mount.Vfs.Find("d"), "gone").Within();
        Assert.Equal(Errno.ENOENT, Posix.TryStat(mount.Path("d/gone")));
    }

    [FuseFact]
    public async Task A_process_stays_where_it_works_when_the_name_of_that_folder_is_dropped()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("mkdir d");
        var shell = mount.ShellAsync("cd d && touch ready && while test -e ready; do sleep 0.01; done; /bin/pwd");
        await Eventually.TrueAsync(() => Posix.TryStat(mount.Path("d/ready")) == 0);
        await mount.Vfs.KernelCache!.DropNameAsync(mount.Vfs.RootNode, "d"u8.ToArray()).AsTask().Within();
        Posix.Check(Posix.unlink(mount.Path("d/ready")));
        Assert.Equal(mount.Path("d"), await shell);
    }

    [FuseFact]
    public async Task Pages_made_dirty_through_a_mapping_are_written_before_they_are_dropped()
    {
        await using var mount = await TwinMount.StartAsync();
        int fd = Posix.Open(mount.Path("f"), Posix.Create | Posix.ReadWrite);
        Posix.Check(Posix.ftruncate(fd, 8192));
        var node = mount.Vfs.Find("f");
        Dirty(fd, out nint memory);
        await mount.Vfs.KernelCache!.DropDataAsync(node, 0, long.MaxValue).AsTask().Within();
        Assert.Equal("dirty"u8.ToArray(), mount.Vfs.BytesOf(node)[4100..4105]);
        // The mapping lives on, and sees what comes then.
        node.Bytes.Write(4100, "fresh"u8);
        Assert.Equal("fresh"u8.ToArray(), Content(memory));
        Posix.Close(fd);
    }

    private static unsafe void Dirty(int fd, out nint memory)
    {
        byte* mapped = Posix.Map(fd, 8192, Posix.ProtectRead | Posix.ProtectWrite);
        Posix.CopyIn(mapped + 4100, "dirty"u8.ToArray());
        memory = (nint)mapped;
    }

    private static unsafe byte[] Content(nint memory)
    {
        byte[] content = Posix.CopyOut((byte*)memory + 4100, 5);
        Posix.Check(Posix.munmap((byte*)memory, 8192));
        return content;
    }
}
