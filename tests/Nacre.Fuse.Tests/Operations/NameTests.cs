using Nacre.Fuse.Tests.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Tests.Operations;

public class NameTests
{
    [FuseFact]
    public async Task Files_folders_links_and_devices_are_made_listed_and_removed()
    {
        await using var mount = await TwinMount.StartAsync();
        Assert.Equal("content", await mount.ShellAsync("mkdir -p a/b && printf content > a/b/f && ln a/b/f hard && ln -s a/b/f soft && cat soft"));
        Assert.Equal("a/b/f", await mount.ShellAsync("readlink soft"));
        Assert.Equal(2u, Posix.Stat(mount.Path("hard")).Links);
        Assert.Equal("1:3 character special file", await mount.ShellAsync("mknod null c 1 3 && stat -c '%t:%T %F' null"));
        Assert.Equal("fifo", await mount.ShellAsync("mkfifo p && stat -c %F p"));
        Assert.Equal("a hard null p soft", await mount.ShellAsync("echo *"));
        await mount.ShellAsync("rm hard null p soft && rm -r a && test -z \"$(ls)\"");
    }

    [FuseFact]
    public async Task Refusals_come_as_their_errno()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("mkdir d && touch d/f g");
        Assert.Contains("not empty", (await mount.TryShellAsync("rmdir d")).Output, StringComparison.Ordinal);
        Assert.Contains("Not a directory", (await mount.TryShellAsync("ls g/x")).Output, StringComparison.Ordinal);
        Assert.Contains("File exists", (await mount.TryShellAsync("mkdir g")).Output, StringComparison.Ordinal);
        Assert.Equal(Errno.ENOENT, Posix.TryStat(mount.Path("none")));
        Assert.Equal(Errno.ENAMETOOLONG, Posix.TryStat(mount.Path(new string('n', 1025))));
        Posix.Close(Posix.Open(mount.Path(new string('n', 255)), Posix.Create | Posix.WriteOnly));
    }

    [FuseFact]
    public async Task A_name_that_is_cached_costs_no_request_whether_it_is_there_or_not()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("touch f && stat f && ! stat none");
        int lookups = mount.Vfs.CountOf("lookup"), getattrs = mount.Vfs.CountOf("getattr");
        for (int i = 0; i < 100; i++)
        {
            Posix.Stat(mount.Path("f"));
            Assert.Equal(Errno.ENOENT, Posix.TryStat(mount.Path("none")));
        }

        Assert.Equal(lookups, mount.Vfs.CountOf("lookup"));
        Assert.Equal(getattrs, mount.Vfs.CountOf("getattr"));
    }

    [FuseFact]
    public async Task A_name_that_may_not_be_cached_is_asked_for_each_time()
    {
        await using var mount = await TwinMount.StartAsync();
        mount.Vfs.Caches = false;
        await mount.ShellAsync("touch f");
        int before = mount.Vfs.CountOf("lookup");
        for (int i = 0; i < 10; i++) Posix.Stat(mount.Path("f"));
        Assert.True(mount.Vfs.CountOf("lookup") >= before + 10);
    }

    [FuseFact]
    public async Task Forgotten_nodes_are_given_back()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("mkdir d && cd d && for i in $(seq 200); do touch f$i; done && rm -r ../d");
        await Nacre.Testing.Eventually.TrueAsync(() => mount.Mount.NodeCount == 1);
        Assert.Equal(0, mount.Vfs.InUse().References);
    }
}
