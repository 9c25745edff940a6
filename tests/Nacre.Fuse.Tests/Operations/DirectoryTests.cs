using System.Runtime.InteropServices;
using Nacre.Client.Vfs;
using Nacre.Fuse.Tests.Harness;
using Nacre.Fuse.Tests.Twin;

namespace Nacre.Fuse.Tests.Operations;

public class DirectoryTests
{
    private const int Names = 10_000;

    [FuseTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ten_thousand_names_are_listed_once_each_from_any_position(bool withEntries)
    {
        await using var mount = await TwinMount.StartAsync();
        mount.Vfs.ListsEntries = withEntries;
        await FillAsync(mount.Vfs);
        var all = List(mount.Root, out long middle);
        Assert.Equal(Names + 2, all.Count);
        Assert.Equal(Names + 2, all.Distinct().Count());
        Assert.Contains(".", all);
        Assert.Contains("..", all);
        Assert.Equal(all[5000..], ListFrom(mount.Root, middle));
    }

    [FuseFact]
    public async Task A_listing_with_attributes_fills_the_cache()
    {
        await using var mount = await TwinMount.StartAsync();
        await FillAsync(mount.Vfs);
        await mount.ShellAsync("ls -l > /dev/null");
        Assert.True(mount.Vfs.CountOf("readdirplus") > 0);
        // Few before the kernel sees that attributes are wanted, then none.
        Assert.InRange(mount.Vfs.CountOf("lookup") + mount.Vfs.CountOf("getattr"), 0, Names / 4);
    }

    private static async Task FillAsync(TwinVfs vfs)
    {
        for (int i = 0; i < Names; i++)
        {
            var made = await vfs.MakeNodeAsync(vfs.Root, System.Text.Encoding.ASCII.GetBytes($"name-{i:d5}"), 0x81A4, 0, 0, Credentials.Root, default);
            vfs.Forget(made.Value.Node!, 1);
        }
    }

    private static unsafe List<string> List(string path, out long middle)
    {
        nint directory = Posix.opendir(path);
        Assert.NotEqual(0, directory);
        var names = new List<string>();
        middle = 0;
        while (Next(directory) is { } name)
        {
            names.Add(name);
            if (names.Count == 5000) middle = Posix.telldir(directory);
        }

        Posix.Check(Posix.closedir(directory));
        return names;
    }

    private static List<string> ListFrom(string path, long position)
    {
        nint directory = Posix.opendir(path);
        // First forwards: the position is not where the list stands.
        for (int i = 0; i < 100; i++) Next(directory);
        Posix.seekdir(directory, position);
        var names = new List<string>();
        while (Next(directory) is { } name) names.Add(name);
        Posix.Check(Posix.closedir(directory));
        return names;
    }

    private static unsafe string? Next(nint directory)
    {
        byte* entry = Posix.readdir(directory);
        // struct dirent: inode, offset, record length, type, name.
        return entry == null ? null : Marshal.PtrToStringUTF8((nint)(entry + 19));
    }
}
