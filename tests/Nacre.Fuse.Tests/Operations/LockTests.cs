using Nacre.Fuse.Tests.Harness;
using Nacre.PtlRpc.Wire;
using Nacre.Testing;

namespace Nacre.Fuse.Tests.Operations;

public class LockTests
{
    private const int FlockExclusive = 2, FlockUnlock = 8, FlockNoWait = 4;

    [FuseFact]
    public async Task Ranges_exclude_each_other_and_are_found()
    {
        await using var mount = await TwinMount.StartAsync();
        int a = Posix.Open(mount.Path("f"), Posix.Create | Posix.ReadWrite), b = Posix.Open(mount.Path("f"), Posix.ReadWrite);
        Posix.Check(Posix.OfdLock(a, Posix.SetLock, Posix.WriteLock, 0, 100));
        Assert.Equal(-1, Posix.OfdLock(b, Posix.SetLock, Posix.ReadLock, 50, 10));
        Assert.Equal(Errno.EAGAIN, Posix.Errno);
        Posix.Check(Posix.OfdLock(b, Posix.SetLock, Posix.WriteLock, 100, 0));
        var waiting = TwinMount.Blocking(() => Posix.OfdLock(b, Posix.SetLockWait, Posix.WriteLock, 0, 10));
        await Eventually.TrueAsync(() => mount.Vfs.LockWaitersOf(mount.Vfs.Find("f")) == 1);
        Posix.Check(Posix.OfdLock(a, Posix.SetLock, Posix.Unlock, 0, 100));
        Assert.Equal(0, await waiting.Within());
        Posix.Close(a);
        Posix.Close(b);
    }

    [FuseFact]
    public async Task Flocks_are_waited_for_and_go_with_the_last_close()
    {
        await using var mount = await TwinMount.StartAsync();
        int a = Posix.Open(mount.Path("f"), Posix.Create | Posix.ReadWrite), b = Posix.Open(mount.Path("f"), Posix.ReadWrite);
        Posix.Check(Posix.flock(a, FlockExclusive));
        Assert.Equal(-1, Posix.flock(b, FlockExclusive | FlockNoWait));
        Assert.Equal(Errno.EAGAIN, Posix.Errno);
        var waiting = TwinMount.Blocking(() => Posix.flock(b, FlockExclusive));
        await Eventually.TrueAsync(() => mount.Vfs.LockWaitersOf(mount.Vfs.Find("f")) == 1);
        Posix.Close(a);
        Assert.Equal(0, await waiting.Within());
        Posix.Check(Posix.flock(b, FlockUnlock));
        Posix.Close(b);
    }

    [FuseFact]
    public async Task Locks_of_a_process_go_with_it()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("touch f && flock -x f true");
        await Eventually.TrueAsync(() => mount.Vfs.LocksOf(mount.Vfs.Find("f")) == 0);
        Assert.True(mount.Vfs.CountOf("flock") > 0);
    }

    [FuseFact]
    public async Task A_wait_ends_with_a_signal()
    {
        await using var mount = await TwinMount.StartAsync();
        int holder = Posix.Open(mount.Path("f"), Posix.Create | Posix.ReadWrite);
        Posix.Check(Posix.flock(holder, FlockExclusive));
        // The shell's own alarm: timeout sends SIGTERM, then reports 124.
        var (_, status) = await mount.TryShellAsync("timeout 0.3 flock -x f true");
        Assert.Equal(124, status);
        await Eventually.TrueAsync(() => mount.Vfs.InUse().Opens == 1);
        Posix.Close(holder);
    }

    [FuseFact]
    public async Task Local_locks_stay_in_the_kernel_and_no_locks_are_refused()
    {
        await using (var local = await TwinMount.StartAsync(new FuseOptions { Locking = FileLocking.Local }))
        {
            await local.ShellAsync("touch f && flock -x f true");
            Assert.Equal(0, local.Vfs.CountOf("flock"));
        }

        await using var none = await TwinMount.StartAsync(new FuseOptions { Locking = FileLocking.None });
        Assert.NotEqual(0, (await none.TryShellAsync("touch f && flock -x f true")).Status);
        Assert.Equal(0, none.Vfs.CountOf("flock"));
    }
}
