using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Posix;

/// <summary>fcntl(2) and flock(2) locks between two mounts.</summary>
public class FileLockTests(PosixMounts mounts) : PosixTests(mounts)
{
    private const short Read = 0, Write = 1, None = 2;
    private const int Shared = 1, Exclusive = 2, DoNotWait = 4, Unlock = 8;

    [PosixFact]
    public void Writers_of_a_range_exclude_everybody_from_it()
    {
        NewFile("f");
        using var one = Sys.Open(One("f"), Sys.ReadWrite);
        using var two = Sys.Open(Two("f"), Sys.ReadWrite);
        Assert.Equal(0, one.LockRange(Write, 100, 50));
        Assert.Equal(Errno.EAGAIN, two.LockRange(Write, 149, 1));
        Assert.Equal(Errno.EAGAIN, two.LockRange(Read, 0, 0));
        Assert.Equal(0, two.LockRange(Write, 150, 10));
        Assert.Equal(0, two.LockRange(Write, 0, 100));
        // The middle of a lock is given up.
        Assert.Equal(0, one.LockRange(None, 110, 10));
        Assert.Equal(0, two.LockRange(Read, 110, 10));
        Assert.Equal(Errno.EAGAIN, two.LockRange(Read, 109, 1));
    }

    [PosixFact]
    public void Readers_share()
    {
        NewFile("f");
        using var one = Sys.Open(One("f"), Sys.ReadWrite);
        using var two = Sys.Open(Two("f"), Sys.ReadWrite);
        Assert.Equal((0, 0), (one.LockRange(Read, 0, 0), two.LockRange(Read, 0, 0)));
        Assert.Equal(Errno.EAGAIN, two.LockRange(Write, 5, 1));
        Assert.Equal(0, one.LockRange(None, 0, 0));
        Assert.Equal(0, two.LockRange(Write, 5, 1));
    }

    [PosixFact]
    public async Task Who_waits_is_let_in_when_the_lock_goes()
    {
        NewFile("f");
        using var one = Sys.Open(One("f"), Sys.ReadWrite);
        using var two = Sys.Open(Two("f"), Sys.ReadWrite);
        Assert.Equal(0, one.LockRange(Write, 0, 0));
        one.Write("before", 0);
        var waiting = Task.Factory.StartNew(
            () => two.LockRange(Write, 0, 0, wait: true), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        one.Write("behind", 0);
        Assert.False(waiting.IsCompleted);
        Assert.Equal(0, one.LockRange(None, 0, 0));
        Assert.Equal(0, await waiting.WaitAsync(Harness.Wait.Longest));
        Assert.Equal("behind", two.Text);
    }

    [PosixFact]
    public void Closing_a_file_gives_its_locks_up()
    {
        NewFile("f");
        using var two = Sys.Open(Two("f"), Sys.ReadWrite);
        using (var one = Sys.Open(One("f"), Sys.ReadWrite))
        {
            Assert.Equal(0, one.LockRange(Write, 0, 0));
            Assert.Equal(Errno.EAGAIN, two.LockRange(Write, 0, 0));
        }

        Assert.Equal(0, two.LockRange(Write, 0, 0));
    }

    [PosixFact]
    public void Whole_files_are_locked_by_descriptors()
    {
        NewFile("f");
        using var one = Sys.Open(One("f"), Sys.ReadOnly);
        using var again = Sys.Open(One("f"), Sys.ReadOnly);
        using var two = Sys.Open(Two("f"), Sys.ReadOnly);
        Assert.Equal((0, 0, 0), (one.LockWhole(Shared), again.LockWhole(Shared), two.LockWhole(Shared)));
        Assert.Equal(Errno.EAGAIN, two.LockWhole(Exclusive | DoNotWait));
        Assert.Equal((0, 0), (one.LockWhole(Unlock), again.LockWhole(Unlock)));
        Assert.Equal(0, two.LockWhole(Exclusive | DoNotWait));
        Assert.Equal(Errno.EAGAIN, again.LockWhole(Shared | DoNotWait));
    }
}
