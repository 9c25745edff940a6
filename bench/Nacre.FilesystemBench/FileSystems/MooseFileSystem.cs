using Nacre.FilesystemBench.Processes;

namespace Nacre.FilesystemBench.FileSystems;

/// <summary>MooseFS: a master and a chunk server, all options as they come but for priorities, which are made equal to everybody else's.</summary>
internal sealed class MooseFileSystem(string folder) : FileSystemUnderTest(folder)
{
    private const string EmptyMetadata = "/var/lib/mfs/metadata.mfs.empty";

    public override string Name => "moosefs";

    public override string? Missing =>
        Tool.Missing("moosefs-master moosefs-chunkserver moosefs-client", "mfsmaster", "mfschunkserver", "mfsmount")
        ?? (File.Exists(EmptyMetadata) ? null : $"no {EmptyMetadata}, which a new master starts from");

    public override async Task<string> DescribeAsync(CancellationToken ct) =>
        (await RunAsync("mfsmaster", ["-v"], ct)).Trim().Split('\n')[0] + ", one chunk server";

    protected override async Task StartServersAsync(CancellationToken ct)
    {
        const string common = "WORKING_USER = root\nWORKING_GROUP = root\nNICE_LEVEL = 0\nDISABLE_OOM_KILLER = 0\n";
        var (master, chunks) = (MakeFolder("master"), MakeFolder("chunks"));
        File.Copy(EmptyMetadata, Path.Combine(master, "metadata.mfs"));
        var exports = await WriteAsync("exports", "* / rw,alldirs,admin,maproot=0:0\n", ct);
        var disks = await WriteAsync("disks", MakeFolder("disk") + "\n", ct);
        var masterSettings = await WriteAsync("master.cfg", $"{common}DATA_PATH = {master}\nEXPORTS_FILENAME = {exports}\n", ct);
        var chunkSettings = await WriteAsync(
            "chunks.cfg",
            $"{common}DATA_PATH = {chunks}\nHDD_CONF_FILENAME = {disks}\nMASTER_HOST = {Address}\nCSSERV_LISTEN_HOST = {Address}\n",
            ct);
        await RunDaemonAsync("mfsmaster", ["-c", masterSettings, "start"], ct);
        await RunDaemonAsync("mfschunkserver", ["-c", chunkSettings, "start"], ct);
    }

    protected override async Task MountCommandAsync(string at, CancellationToken ct)
    {
        await RunDaemonAsync("mfsmount", [at, "-H", Address, "-o", "mfsnice=0,mfsallowoomkiller"], ct);
        // Until the chunk server has told the master of its disk there is no space.
        await Tool.UntilAsync("space on the chunk server", Patience, () => new DriveInfo(at).AvailableFreeSpace > 0, ct);
    }

    private async Task<string> WriteAsync(string name, string text, CancellationToken ct)
    {
        var path = Path.Combine(Folder, name);
        await File.WriteAllTextAsync(path, text, ct);
        return path;
    }
}
