using Nacre.Fuse.Tests.Harness;
using Nacre.Testing;

namespace Nacre.Fuse.Tests.Cache;

/// <summary>The kernel caches inodes without end; the mount holds state for a bounded number of them.</summary>
public class NodeBoundTests
{
    private const int Bound = 160, Step = Bound / 16;

    private static readonly FuseOptions Bounded = new() { AllowOther = true, MaxNodes = Bound };

    [FuseFact]
    public async Task Walking_many_more_files_than_the_bound_leaves_about_the_bound_behind()
    {
        await using var mount = await TwinMount.StartAsync(Bounded);
        await mount.ShellAsync("for d in 1 2 3 4 5 6 7 8; do mkdir $d; (cd $d && seq 250 | xargs touch); done");
        for (int pass = 0; pass < 3; pass++)
        {
            Assert.Equal("2009", await mount.ShellAsync("find . -printf '%s %p\\n' | wc -l"));
            if (!mount.Mount.CanBoundNodes) return;
            // What arrives between two rounds may stay, and what arrived while the last one went on.
            await Eventually.TrueAsync(() => mount.Mount.NodeCount <= Bound + (4 * Step));
            Assert.InRange(mount.Vfs.InUse().Referenced, 1, Bound + (4 * Step));
        }
    }

    [FuseFact]
    public async Task What_is_in_use_stays_and_works()
    {
        await using var mount = await TwinMount.StartAsync(Bounded);
        await mount.ShellAsync("mkdir d e && printf kept > d/open && (cd e && seq 1000 | xargs touch)");
        int fd = Posix.Open(mount.Path("d/open"), Posix.ReadOnly);
        string where = await mount.ShellAsync("cd d && find ../e -type f -printf '%s\\n' | sort -u && ls -l ../e | wc -l && cat open && /bin/pwd");
        Assert.Equal($"0\n1001\nkept{mount.Path("d")}", where);
        Assert.Equal("kept"u8.ToArray(), Posix.Read(fd, 100, 0));
        Assert.Equal(mount.Path("d/open"), File.ResolveLinkTarget($"/proc/self/fd/{fd}", returnFinalTarget: false)!.FullName);
        Posix.Close(fd);
    }
}
