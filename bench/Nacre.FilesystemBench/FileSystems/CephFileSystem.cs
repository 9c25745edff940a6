using System.Diagnostics;
using Nacre.FilesystemBench.Processes;

namespace Nacre.FilesystemBench.FileSystems;

/// <summary>
/// CephFS by ceph-fuse: a monitor, one OSD (BlueStore in a file) without replicas, one metadata server. No manager, which serves statistics only, and no
/// authentication; all other options as they come.
/// </summary>
internal sealed class CephFileSystem(string folder) : FileSystemUnderTest(folder)
{
    private const long StoreBytes = 16L << 30;

    public override string Name => "ceph-fuse";

    public override string? Missing => Tool.Missing(
        "ceph-mon ceph-osd ceph-mds ceph-fuse", "ceph-mon", "ceph-osd", "ceph-mds", "ceph-fuse", "ceph", "ceph-authtool");

    private string Settings => Path.Combine(Folder, "ceph.conf");

    public override async Task<string> DescribeAsync(CancellationToken ct) =>
        (await RunAsync("ceph", ["--version"], ct)).Trim() + ", one OSD, one MDS";

    protected override async Task StartServersAsync(CancellationToken ct)
    {
        var keys = Path.Combine(Folder, "keyring");
        await WriteSettingsAsync(keys, ct);
        await RunAsync("ceph-authtool", ["--create-keyring", keys, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *"], ct);
        await RunAsync("ceph-authtool", [keys, "--gen-key", "-n", "client.admin", "--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mds", "allow *"], ct);
        await DaemonAsync("ceph-mon", ["-i", "a", "--mkfs", "--keyring", keys, "--public-addr", Address], ct);
        await DaemonAsync("ceph-mon", ["-i", "a", "--public-addr", Address], ct);
        var disk = Guid.NewGuid().ToString();
        await DaemonAsync("ceph", ["osd", "new", disk], ct);
        await DaemonAsync("ceph-osd", ["-i", "0", "--mkfs", "--osd-uuid", disk], ct);
        await DaemonAsync("ceph-osd", ["-i", "0"], ct);
        await DaemonAsync("ceph", ["osd", "pool", "create", "metadata", "8"], ct);
        await DaemonAsync("ceph", ["osd", "pool", "create", "data", "8"], ct);
        await DaemonAsync("ceph", ["fs", "new", "bench", "metadata", "data"], ct);
        await DaemonAsync("ceph-mds", ["-i", "a"], ct);
        await AwaitMetadataServerAsync(ct);
    }

    protected override Task MountCommandAsync(string at, CancellationToken ct) => DaemonAsync("ceph-fuse", [at], ct);

    /// <summary>It takes part some seconds after its start; until then no client can mount.</summary>
    private async Task AwaitMetadataServerAsync(CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        while (!(await RunAsync("ceph", ["-c", Settings, "mds", "stat"], ct)).Contains("up:active", StringComparison.Ordinal))
        {
            if (Stopwatch.GetElapsedTime(started) > Patience) throw new ToolException("the metadata server did not become active");
        }
    }

    private Task DaemonAsync(string program, string[] arguments, CancellationToken ct) =>
        RunDaemonAsync(program, ["-c", Settings, .. arguments], ct);

    private Task WriteSettingsAsync(string keys, CancellationToken ct) => File.WriteAllTextAsync(
        Settings,
        $"""
        [global]
        fsid = {Guid.NewGuid()}
        mon host = {Address}
        mon initial members = a
        public network = {Address}/32
        cluster network = {Address}/32
        auth cluster required = none
        auth service required = none
        auth client required = none
        keyring = {keys}
        osd pool default size = 1
        osd pool default min size = 1
        osd crush chooseleaf type = 0
        mon allow pool size one = true
        mon data avail warn = 1
        mon data avail crit = 1
        osd objectstore = bluestore
        bluestore block size = {StoreBytes}
        mon data = {MakeFolder("mon")}
        osd data = {MakeFolder("osd")}
        mds data = {MakeFolder("mds")}
        log file = {MakeFolder("log")}/$name.log
        run dir = {MakeFolder("run")}
        admin socket = $run_dir/$name.$pid.asok
        pid file = $run_dir/$name.$pid.pid

        """,
        ct);
}
