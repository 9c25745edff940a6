using Nacre.Fuse.Tests.Harness;
using Nacre.Testing;

namespace Nacre.Fuse.Tests.Session;

public class InterruptTests
{
    [FuseFact]
    public async Task A_killed_process_does_not_wait_for_its_operation()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("mkdir d");
        var hold = new Hold(mount.Vfs, "lookup", mount.Vfs.Find("d"));
        var (_, status) = await mount.TryShellAsync("timeout -s KILL 0.3 stat d/f");
        Assert.Equal(137, status);
        await hold.Reached;
        hold.Release();
    }

    [FuseFact]
    public async Task A_killed_process_does_not_wait_for_what_cannot_be_cancelled_either()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("touch f");
        var hold = new Hold(mount.Vfs, "open", mount.Vfs.Find("f"), cancellable: false);
        var (_, status) = await mount.TryShellAsync("timeout -s KILL 0.3 cat f");
        Assert.Equal(137, status);
        await hold.Reached;
        hold.Release();
        // The file that was opened for nobody is closed again.
        Assert.Equal("", await mount.ShellAsync("cat f"));
    }

    [FuseFact]
    public async Task A_signal_that_is_handled_does_not_disturb_an_operation()
    {
        await using var mount = await TwinMount.StartAsync();
        await mount.ShellAsync("mkdir d && touch d/f");
        await mount.Vfs.KernelCache!.DropNameAsync(mount.Vfs.Find("d"), "f"u8.ToArray());
        var hold = new Hold(mount.Vfs, "lookup", mount.Vfs.Find("d"));
        // A shell that handles SIGUSR1 opens the file itself, and is sent the signal while it waits for the lookup.
        var shell = mount.ShellAsync("trap : USR1; echo $$ > ../" + Path.GetFileName(mount.Root) + ".pid; read x < d/f; echo opened");
        string pidFile = mount.Root + ".pid";
        await hold.Reached;
        await TwinMount.TryShellAsync($"kill -USR1 $(cat {pidFile}); sleep 0.5; kill -USR1 $(cat {pidFile})", "/");
        Assert.False(shell.IsCompleted);
        hold.Release();
        Assert.Equal("opened", await shell.Within());
        File.Delete(pidFile);
    }
}
