using Nacre.FilesystemBench.Processes;

namespace Nacre.FilesystemBench.FileSystems;

/// <summary>bindfs: FUSE that hands every call on to a folder of the local file system. What FUSE costs, without a network.</summary>
internal sealed class BindFileSystem(string folder) : FileSystemUnderTest(folder)
{
    public override string Name => "bindfs";

    public override bool IsPeer => false;

    public override string? Missing => Tool.Missing("bindfs", "bindfs");

    public override async Task<string> DescribeAsync(CancellationToken ct) => (await RunAsync("bindfs", ["--version"], ct)).Trim();

    protected override Task StartServersAsync(CancellationToken ct)
    {
        MakeFolder("data");
        return Task.CompletedTask;
    }

    protected override Task MountCommandAsync(string at, CancellationToken ct) => RunAsync("bindfs", [Path.Combine(Folder, "data"), at], ct);
}
