using Nacre.Fuse.Tests.Harness;
using Nacre.Testing;

namespace Nacre.Fuse.Tests.Cache;

/// <summary>
/// A drop while an operation is under way that holds in the kernel what the drop needs, and that itself waits until the drop
/// is done: as when the operation
/// waits for a lock of another client, which waits for ours.
/// </summary>
public class DeadlockTests
{
    [FuseFact]
    public async Task The_drop_of_a_name_does_not_wait_for_a_lookup_in_its_folder()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("mkdir d && touch d/f && stat d/f");
        var directory = mount.Vfs.Find("d");
        var hold = new Hold(mount.Vfs, "lookup", directory);
        var stat = TwinMount.Blocking(() => Posix.TryStat(mount.Path("d/other")));
        await hold.Reached;
        await mount.Vfs.KernelCache!.DropNameAsync(directory, "f"u8.ToArray()).AsTask().Within();
        Assert.False(stat.IsCompleted);
        hold.Release();
        await stat.Within();

        // It was done in the background, then: the name is asked for again.
        int lookups = mount.Vfs.CountOf("lookup");
        await Eventually.TrueAsync(() =>
        {
            Posix.TryStat(mount.Path("d/f"));
            return mount.Vfs.CountOf("lookup") > lookups;
        });
    }

    [FuseFact]
    public async Task The_drop_of_a_name_does_not_wait_for_a_create_in_its_folder()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("mkdir d && touch d/f && stat d/f");
        var directory = mount.Vfs.Find("d");
        var hold = new Hold(mount.Vfs, "create", directory);
        var create = TwinMount.Blocking(() => Posix.Open(mount.Path("d/new"), Posix.Create | Posix.WriteOnly));
        await hold.Reached;
        await mount.Vfs.KernelCache!.DropNameAsync(directory, "f"u8.ToArray()).AsTask().Within();
        Assert.False(create.IsCompleted);
        hold.Release();
        Posix.Close(await create.Within());
    }

    [FuseFact]
    public async Task The_drop_of_a_name_does_not_wait_for_a_rename_into_its_folder()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("mkdir a b && touch a/f b/g && stat b/g");
        var hold = new Hold(mount.Vfs, "rename", mount.Vfs.Find("a"));
        var rename = TwinMount.Blocking(() => Posix.renameat2(-100, mount.Path("a/f"), -100, mount.Path("b/f"), 0));
        await hold.Reached;
        await mount.Vfs.KernelCache!.DropNameAsync(mount.Vfs.Find("b"), "g"u8.ToArray()).AsTask().Within();
        Assert.False(rename.IsCompleted);
        hold.Release();
        Assert.Equal(0, await rename.Within());
    }

    [FuseFact]
    public async Task A_rename_can_drop_its_own_new_name_and_the_folder_stays_cached()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("mkdir a b && touch a/f b/g");
        var target = mount.Vfs.Find("b");
        mount.Vfs.Gate = async (operation, _, _) =>
        {
            if (operation == "rename") await mount.Vfs.KernelCache!.DropNameAsync(target, "f"u8.ToArray());
        };
        Assert.Equal(0, Posix.renameat2(-100, mount.Path("a/f"), -100, mount.Path("b/f"), 0));
        int before = mount.Vfs.CountOf("lookup");
        await Eventually.TrueAsync(() =>
        {
            Posix.Stat(mount.Path("b/f"));
            return mount.Vfs.CountOf("lookup") > before;
        });
        int lookups = mount.Vfs.CountOf("lookup");
        for (int i = 0; i < 10; i++) Posix.Stat(mount.Path("b/f"));
        Assert.Equal(lookups, mount.Vfs.CountOf("lookup"));
    }

    [FuseFact]
    public async Task The_drop_of_pages_does_not_wait_for_a_read_but_drops_all_others()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("head -c 1048576 /dev/zero | tr '\\0' o > f");
        var node = mount.Vfs.Find("f");
        await mount.Vfs.KernelCache!.DropDataAsync(node, 0, long.MaxValue);
        int fd = Posix.Open(mount.Path("f"), Posix.ReadOnly);
        // Cached: before and behind the one that will be read. Read at random places, so that the kernel reads nothing
        // ahead.
        Posix.Check(Posix.posix_fadvise(fd, 0, 0, 1));
        Posix.Read(fd, 4096, 0);
        Posix.Read(fd, 4096, 800 << 10);
        var hold = new Hold(mount.Vfs, "read", node);
        var read = TwinMount.Blocking(() => Posix.Read(fd, 4096, 400 << 10));
        await hold.Reached;
        await mount.Vfs.RemoteWriteAsync(node, 0, Filled('n', 1 << 20)).Within();
        Assert.False(read.IsCompleted);
        hold.Release();
        Assert.Equal(Filled('n', 4096), await read.Within());
        Assert.Equal(Filled('n', 4096), Posix.Read(fd, 4096, 0));
        Assert.Equal(Filled('n', 4096), Posix.Read(fd, 4096, 800 << 10));
        Posix.Close(fd);
    }

    [FuseFact]
    public async Task The_drop_of_pages_does_not_wait_for_a_write_of_part_of_a_page()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("head -c 65536 /dev/zero | tr '\\0' o > f");
        var node = mount.Vfs.Find("f");
        await mount.Vfs.KernelCache!.DropDataAsync(node, 0, long.MaxValue);
        int fd = Posix.Open(mount.Path("f"), Posix.ReadWrite);
        Posix.Check(Posix.posix_fadvise(fd, 0, 0, 1));
        Posix.Read(fd, 4096, 40960);
        var hold = new Hold(mount.Vfs, "write", node);
        var write = TwinMount.Blocking(() =>
        {
            Posix.Write(fd, Filled('w', 10), 5);
            return 0;
        });
        await hold.Reached;
        await mount.Vfs.RemoteWriteAsync(node, 0, Filled('n', 65536)).Within();
        Assert.False(write.IsCompleted);
        hold.Release();
        await write.Within();
        Assert.Equal([.. Filled('n', 5), .. Filled('w', 10), .. Filled('n', 5)], Posix.Read(fd, 20, 0));
        Assert.Equal(Filled('n', 100), Posix.Read(fd, 100, 40960));
        Posix.Close(fd);
    }

    [FuseFact]
    public async Task The_drop_of_a_page_is_waited_for_when_a_write_of_part_of_it_waits()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("head -c 65536 /dev/zero | tr '\\0' o > f");
        var node = mount.Vfs.Find("f");
        int fd = Posix.Open(mount.Path("f"), Posix.ReadWrite);
        // The page is there: the kernel does not keep it locked until the answer, and shows it.
        Assert.Equal(Filled('o', 20), Posix.Read(fd, 20, 0));
        var hold = new Hold(mount.Vfs, "write", node);
        var write = TwinMount.Blocking(() =>
        {
            Posix.Write(fd, Filled('w', 10), 5);
            return 0;
        });
        await hold.Reached;
        await mount.Vfs.RemoteWriteAsync(node, 0, Filled('n', 65536)).Within();
        Assert.Equal(Filled('n', 20), Posix.Read(fd, 20, 0));
        Assert.False(write.IsCompleted);
        hold.Release();
        await write.Within();
        Assert.Equal([.. Filled('n', 5), .. Filled('w', 10), .. Filled('n', 5)], Posix.Read(fd, 20, 0));
        Posix.Close(fd);
    }

    [FuseFact]
    public async Task The_drop_of_changed_pages_does_not_wait_for_a_truncation()
    {
        await using var mount = await TwinMount.StartAsync();
        int fd = Posix.Open(mount.Path("f"), Posix.Create | Posix.ReadWrite);
        Posix.Check(Posix.ftruncate(fd, 8192));
        var node = mount.Vfs.Find("f");
        WriteMapped(fd, 5000, "mapped"u8.ToArray());
        var hold = new Hold(mount.Vfs, "setattr", node);
        var truncate = TwinMount.Blocking(() => Posix.ftruncate(fd, 6000));
        await hold.Reached;
        await mount.Vfs.KernelCache!.DropDataAsync(node, 0, long.MaxValue).AsTask().Within();
        Assert.False(truncate.IsCompleted);
        hold.Release();
        Assert.Equal(0, await truncate.Within());
        Posix.Check(Posix.fsync(fd));
        Assert.Equal("mapped"u8.ToArray(), mount.Vfs.BytesOf(node)[5000..5006]);
        Posix.Close(fd);
    }

    [FuseFact]
    public async Task Pages_mapped_through_a_file_open_for_append_are_dropped()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("head -c 8192 /dev/zero | tr '\\0' o > f");
        var node = mount.Vfs.Find("f");
        int fd = Posix.Open(mount.Path("f"), Posix.ReadWrite | Posix.Append);
        await mount.Vfs.KernelCache!.DropDataAsync(node, 0, long.MaxValue).AsTask().Within();
        Assert.Equal(Filled('o', 6), ReadMapped(fd, 5000, 6));
        await mount.Vfs.RemoteWriteAsync(node, 0, Filled('n', 8192)).Within();
        Assert.Equal(Filled('n', 6), ReadMapped(fd, 5000, 6));
        Posix.Close(fd);
    }

    [FuseFact]
    public async Task Blocked_drops_do_not_keep_others_waiting()
    {
        await using var mount = await TwinMount.StartAsync();
        const int folders = 20;
        await mount.ShellAsync($"for i in $(seq {folders}); do mkdir d$i; touch d$i/f; stat d$i/f; done; printf old > g; cat g");
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int held = 0;
        mount.Vfs.Gate = async (operation, _, ct) =>
        {
            if (operation != "create") return;
            Interlocked.Increment(ref held);
            await release.Task.WaitAsync(ct);
        };
        var creates = Enumerable.Range(1, folders).Select(i => TwinMount.Blocking(() => Posix.Open(mount.Path($"d{i}/new"), Posix.Create | Posix.WriteOnly))).ToList();
        await Eventually.TrueAsync(() => Volatile.Read(ref held) == folders);
        var drops = Enumerable.Range(1, folders).Select(i =>
            mount.Vfs.KernelCache!.DropNameAsync(mount.Vfs.Find($"d{i}"), "f"u8.ToArray()).AsTask());
        await Task.WhenAll(drops).Within();
        await mount.Vfs.RemoteWriteAsync(mount.Vfs.Find("g"), 0, "new"u8.ToArray()).Within();
        Assert.Equal("new", await mount.ShellAsync("cat g"));
        release.SetResult();
        foreach (int fd in await Task.WhenAll(creates).Within()) Posix.Close(fd);
    }

    [FuseFact]
    public async Task A_promise_under_way_is_not_renewed_after_a_drop()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("mkdir d && touch d/f");
        var directory = mount.Vfs.Find("d");
        await mount.Vfs.KernelCache!.DropNameAsync(directory, "f"u8.ToArray()).AsTask().Within();
        var node = mount.Vfs.Find("d/f");
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // The answer is there, and on its way when name and attributes are called back.
        mount.Vfs.AfterLookup = async name =>
        {
            if (name != "f" || answered.Task.IsCompleted) return;
            answered.SetResult();
            await mount.Vfs.KernelCache!.DropAttributesAsync(node);
            await mount.Vfs.KernelCache!.DropNameAsync(directory, "f"u8.ToArray());
            node.Mode = 0x8100;
        };
        Posix.TryStat(mount.Path("d/f"));
        await answered.Task.Within();
        Assert.Equal(0x8100u, Posix.Stat(mount.Path("d/f")).Mode);
    }

    private static unsafe void WriteMapped(int fd, int offset, byte[] data)
    {
        byte* memory = Posix.Map(fd, 8192, Posix.ProtectRead | Posix.ProtectWrite);
        Posix.CopyIn(memory + offset, data);
        Posix.Check(Posix.munmap(memory, 8192));
    }

    private static unsafe byte[] ReadMapped(int fd, int offset, int length)
    {
        byte* memory = Posix.Map(fd, 8192, Posix.ProtectRead);
        byte[] data = Posix.CopyOut(memory + offset, length);
        Posix.Check(Posix.munmap(memory, 8192));
        return data;
    }

    private static byte[] Filled(char with, int length)
    {
        byte[] bytes = new byte[length];
        Array.Fill(bytes, (byte)with);
        return bytes;
    }
}
