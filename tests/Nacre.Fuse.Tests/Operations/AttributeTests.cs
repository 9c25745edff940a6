using Nacre.Fuse.Tests.Harness;

namespace Nacre.Fuse.Tests.Operations;

public class AttributeTests
{
    [FuseFact]
    public async Task Mode_owner_times_and_size_are_set_and_shown()
    {
        await using var mount = await TwinMount.StartAsync();
        Assert.Equal("640 7 8 12", await mount.ShellAsync("touch f && chmod 640 f && chown 7:8 f && truncate -s 12 f && stat -c '%a %u %g %s' f"));
        Assert.Equal("1000000000.123456789", await mount.ShellAsync("touch -d @1000000000.123456789 f && stat -c %.9Y f"));
        Assert.Equal(mount.Vfs.Find("f").BirthTime.Seconds, Posix.Stat(mount.Path("f")).BirthTime);
        Assert.Equal("4096 1048576 524288 262144 1000 500 255", await mount.ShellAsync("stat -f -c '%S %b %f %a %c %d %l' ."));
    }

    [FuseFact]
    public async Task The_umask_counts()
    {
        await using var mount = await TwinMount.StartAsync();
        Assert.Equal("600 750", await mount.ShellAsync("(umask 077 && touch f) && (umask 027 && mkdir d) && echo $(stat -c %a f d)"));
    }

    [FuseFact]
    public async Task Permissions_hold_for_others()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("chmod 755 . && printf secret > f && chmod 600 f && mkdir d && chmod 777 d");
        const string asNobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
        Assert.Contains("Permission denied", (await mount.TryShellAsync($"{asNobody} cat f")).Output, StringComparison.Ordinal);
        Assert.Equal("65534", await mount.ShellAsync($"{asNobody} touch d/g && stat -c %u d/g"));
        await mount.ShellAsync("chmod 1777 d && touch d/mine");
        Assert.Contains("not permitted", (await mount.TryShellAsync($"{asNobody} rm -f d/mine")).Output, StringComparison.Ordinal);
    }

    [FuseFact]
    public async Task Setuid_and_setgid_bits_go_with_a_write_a_truncation_and_a_chown_but_not_for_root()
    {
        await using var mount = await TwinMount.StartAsync();
        const string asNobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
        await mount.ShellAsync("chmod 755 . && for f in w t o r c; do touch $f && chmod 6777 $f; done");
        await mount.ShellAsync($"{asNobody} sh -c 'echo x >> w; truncate -s 3 t; : > o'; echo x >> r; chown 5 c");
        Assert.Equal("777 777 777 6777 777", await mount.ShellAsync("echo $(stat -c %a w t o r c)"));
    }
}
