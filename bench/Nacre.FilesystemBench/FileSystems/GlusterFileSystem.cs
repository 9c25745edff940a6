using Nacre.FilesystemBench.Processes;

namespace Nacre.FilesystemBench.FileSystems;

/// <summary>GlusterFS: a volume of one brick, all options as they come.</summary>
internal sealed class GlusterFileSystem(string folder) : FileSystemUnderTest(folder)
{
    /// <summary>Where the daemons log, whatever they are told.</summary>
    private const string LogFolder = "/var/log/glusterfs";

    public override string Name => "glusterfs";

    public override string? Missing => Tool.Missing("glusterfs-server glusterfs-client", "glusterd", "gluster", "glusterfs");

    private string Socket => Path.Combine(Folder, "glusterd.socket");

    public override async Task<string> DescribeAsync(CancellationToken ct) =>
        (await RunAsync("glusterfs", ["--version"], ct)).Split('\n')[0] + ", one brick";

    protected override async Task StartServersAsync(CancellationToken ct)
    {
        await RunAsync("mount", ["--bind", MakeFolder("log"), LogFolder], ct);
        Directory.CreateDirectory("/run/gluster");
        var settings = Path.Combine(Folder, "glusterd.vol");
        await File.WriteAllTextAsync(
            settings,
            $"""
            volume management
                type mgmt/glusterd
                option working-directory {MakeFolder("daemon")}
                option run-directory {MakeFolder("run")}
                option glusterd-sockfile {Socket}
                option transport-type socket
                option transport.address-family inet
            end-volume

            """,
            ct);
        await RunAsync("glusterd", ["-f", settings, "-p", Path.Combine(Folder, "glusterd.pid"), "-l", Path.Combine(Folder, "log", "glusterd.log")], ct);
        await Tool.UntilAsync("glusterd's socket", Patience, () => File.Exists(Socket), ct);
        // Not asked twice (--mode=script), and on whichever disk (force).
        await GlusterAsync(["volume", "create", "bench", $"{Address}:{MakeFolder("brick")}", "force"], ct);
        await GlusterAsync(["volume", "start", "bench"], ct);
    }

    protected override Task MountCommandAsync(string at, CancellationToken ct) =>
        RunAsync("glusterfs", [$"--volfile-server={Address}", "--volfile-id=/bench", $"--log-file={at}.log", at], ct);

    private Task<string> GlusterAsync(string[] arguments, CancellationToken ct) =>
        RunAsync("gluster", ["--mode=script", $"--glusterd-sock={Socket}", .. arguments], ct);
}
