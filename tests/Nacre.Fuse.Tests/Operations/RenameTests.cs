using Nacre.Fuse.Tests.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Tests.Operations;

public class RenameTests
{
    private const uint NoReplace = 1, Exchange = 2, WhiteOut = 4;

    [FuseFact]
    public async Task Names_move_between_folders_and_replace()
    {
        await using var mount = await TwinMount.StartAsync();
        Assert.Equal("new", await mount.ShellAsync("mkdir a b && printf new > a/f && printf old > b/f && mv a/f b/f && cat b/f && test ! -e a/f"));
        Assert.Equal("b", await mount.ShellAsync("mv b a/ && ls a && ls a/b/f >/dev/null"));
    }

    [FuseFact]
    public async Task Flags_exchange_and_refuse_to_replace()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("printf 1 > x && printf 2 > y");
        Assert.Equal(-1, Posix.renameat2(-100, mount.Path("x"), -100, mount.Path("y"), NoReplace));
        Assert.Equal(Errno.EEXIST, Posix.Errno);
        Assert.Equal(0, Posix.renameat2(-100, mount.Path("x"), -100, mount.Path("y"), Exchange));
        Assert.Equal("21", await mount.ShellAsync("cat x y"));
        Assert.Equal(-1, Posix.renameat2(-100, mount.Path("x"), -100, mount.Path("z"), WhiteOut));
        Assert.Equal(Errno.EINVAL, Posix.Errno);
    }
}
