using System.Globalization;
using Nacre.Cli.Mount;
using Nacre.Client;
using Nacre.EndToEnd.Harness;
using Nacre.Fuse;
using Nacre.Fuse.Mounting;
using static Nacre.EndToEnd.Harness.Programs;

namespace Nacre.EndToEnd;

/// <summary><c>nacre mount</c> and <c>nacre umount</c> as processes of their own, against a node on the loopback interface.</summary>
[Collection(Alone.Name)]
public class MountCommandTests
{
    [FuseFact]
    public async Task A_mount_in_the_background_serves_programs_until_it_is_unmounted()
    {
        await using var server = await TestServer.StartAsync(new TestServerOptions { Tcp = true });
        using var folder = new TestFolder();
        string device = $"{server.Nid}:/{server.Options.FileSystem}";
        string port = $"port={server.At.Port.ToString(CultureInfo.InvariantCulture)}";
        Assert.Equal((0, ""), await RunAsync(NacreCommand, "mount", device, folder.Path, "-o", $"{port},flock,_netdev"));
        Assert.Equal(("fuse.nacre", device), (MountTable.Find(folder.Path)?.Type, MountTable.Find(folder.Path)?.Source));

        Assert.Equal((0, "content"), await RunAsync(
            "/bin/sh", "-c", $"cd {folder.Path} && mkdir d && printf content > d/f && mv d/f g && flock g cat g"));
        var again = await RunAsync(NacreCommand, "mount", device, folder.Path, "-o", port);
        Assert.Equal((1, $"nacre: {device} is mounted at {folder.Path} already"), again);
        Assert.Equal((0, ""), await RunAsync(NacreCommand, "umount", folder.Path));
        Assert.Null(MountTable.Find(folder.Path));

        // Written back: a mount of a folder, called as mount(8) calls its helpers, finds it.
        Assert.Equal((0, ""), await RunAsync(NacreCommand, $"{device}/d", folder.Path, "-o", $"ro,{port}", "-t", "fuse.nacre"));
        var (status, said) = await RunAsync("/bin/sh", "-c", $"ls {folder.Path} && touch {folder.Path}/x");
        Assert.NotEqual(0, status);
        Assert.Contains("Read-only", said, StringComparison.Ordinal);
        Assert.Equal((0, ""), await RunAsync(NacreCommand, "umount", folder.Path));
    }

    [FuseFact]
    public async Task A_killed_mount_can_be_unmounted_and_mounted_again()
    {
        await using var server = await TestServer.StartAsync(new TestServerOptions { Tcp = true });
        using var folder = new TestFolder();
        string[] mount =
            ["mount", $"{server.Nid}:/{server.Options.FileSystem}", folder.Path, "-o", $"port={server.At.Port.ToString(CultureInfo.InvariantCulture)}"];
        Assert.Equal((0, ""), await RunAsync(NacreCommand, mount));
        using (var process = MountRecord.Find(MountTable.Find(folder.Path)!.Value.Device)!)
        {
            process.Kill();
            await process.WaitForExitAsync().WaitAsync(Limit);
        }

        Assert.NotEqual(0, (await RunAsync("/bin/ls", folder.Path)).Status);
        Assert.Equal((0, ""), await RunAsync(NacreCommand, "umount", folder.Path));
        Assert.Equal((0, ""), await RunAsync(NacreCommand, mount));
        Assert.Equal((0, ""), await RunAsync("/bin/sh", "-c", $"touch {folder.Path}/f"));
        Assert.Equal((0, ""), await RunAsync(NacreCommand, "umount", folder.Path));
    }

    [FuseFact]
    public async Task A_remount_changes_what_the_kernel_allows_but_not_what_the_process_can()
    {
        await using var server = await TestServer.StartAsync(new TestServerOptions { Tcp = true });
        using var folder = new TestFolder();
        string device = $"{server.Nid}:/{server.Options.FileSystem}";
        string port = $"port={server.At.Port.ToString(CultureInfo.InvariantCulture)}";
        Assert.Equal((1, $"nacre: nothing of nacre is mounted at {folder.Path}"), await RunAsync(NacreCommand, device, folder.Path, "-o", "remount,ro"));
        Assert.Equal((0, ""), await RunAsync(NacreCommand, "mount", device, folder.Path, "-o", port));

        // With the options that mount(8) finds in the mount table.
        Assert.Equal((0, ""), await RunAsync(NacreCommand, device, folder.Path, "-o", "ro,relatime,remount,user_id=0,group_id=0,allow_other,max_read=1048576"));
        Assert.Contains("Read-only", (await RunAsync("/bin/sh", "-c", $"touch {folder.Path}/f")).Said, StringComparison.Ordinal);
        Assert.Equal((0, ""), await RunAsync(NacreCommand, device, folder.Path, "-o", "rw,relatime,remount,user_id=0,group_id=0"));
        Assert.Equal((0, ""), await RunAsync("/bin/sh", "-c", $"touch {folder.Path}/f"));
        Assert.Contains("open for writing", (await RunAsync(
            "/bin/sh", "-c", $"exec 3> {folder.Path}/f; {NacreCommand} {device} {folder.Path} -o remount,ro")).Said, StringComparison.Ordinal);
        Assert.Equal((0, ""), await RunAsync(NacreCommand, "umount", folder.Path));

        Assert.Equal((0, ""), await RunAsync(NacreCommand, "mount", device, folder.Path, "-o", $"ro,{port}"));
        var (status, said) = await RunAsync(NacreCommand, device, folder.Path, "-o", "rw,remount");
        Assert.Equal((1, $"nacre: {folder.Path} was mounted read-only: unmount it, and mount it again"), (status, said));
        Assert.Equal((0, ""), await RunAsync(NacreCommand, "umount", folder.Path));
    }

    [FuseFact]
    public async Task What_is_wrong_is_said_in_one_line()
    {
        using var folder = new TestFolder();
        Assert.Equal(
            (1, "nacre: nothing listens on 127.0.0.1:1"), await RunAsync(NacreCommand, "mount", "127.0.0.1@tcp:/demo", folder.Path, "-o", "port=1"));
        Assert.Equal((1, "nacre: there is no folder /nowhere"), await RunAsync(NacreCommand, "mount", "127.0.0.1@tcp:/demo", "/nowhere"));
        Assert.Equal((1, $"nacre: nothing is mounted at {folder.Path}"), await RunAsync(NacreCommand, "umount", folder.Path));
    }

    [Fact]
    public void Options_of_mount_and_fstab_are_understood()
    {
        var arguments = MountArguments.Parse(
            "10.0.0.1@tcp:10.0.0.2@tcp:/demo/sub", "rw,noauto,_netdev,x-systemd.automount,port=1988,localflock,nosuid,max_threads=3", isRoot: true);
        Assert.Equal((1988, "demo", "/sub", 2), (
            arguments.Lustre.Port, arguments.Lustre.FileSystem, arguments.Lustre.SubDirectory, arguments.Lustre.ManagementNids.Count));
        Assert.Equal((FileLocking.Local, 3, 2, true), (
            arguments.Fuse.Locking, arguments.Fuse.MaxThreads, arguments.Fuse.MountFlags, arguments.Fuse.AllowOther));
        Assert.Equal(0x100_0100, MountArguments.Parse("10.0.0.1@tcp:/demo", "noatime,strictatime,nosymfollow", isRoot: true).Fuse.MountFlags);
        Assert.Equal(
            [AccessTimes.Relative, AccessTimes.Never, AccessTimes.Strict, AccessTimes.Relative],
            ((string[])["rw", "noatime", "strictatime", "strictatime,relatime"])
                .Select(static options => MountArguments.Parse("10.0.0.1@tcp:/demo", options, isRoot: true).Lustre.AccessTimes));
        Assert.True(MountArguments.Parse("10.0.0.1@tcp:/demo", "ro", isRoot: false) is { Lustre.ReadOnly: true, Fuse: { ReadOnly: true, AllowOther: false } });
    }

    [Theory]
    [InlineData("prot=1988", "there is no mount option 'prot='")]
    [InlineData("port=0", "port=0: a number from 1 to 65535 is needed")]
    [InlineData("readonly", "there is no mount option 'readonly'")]
    public void Options_that_are_not_are_refused(string options, string why) =>
        Assert.Equal(why, Assert.Throws<FormatException>(() => MountArguments.Parse("10.0.0.1@tcp:/demo", options, isRoot: true)).Message);
}
