namespace Nacre.FilesystemBench.FileSystems;

/// <summary>The disk's own file system, where all the others keep their data: the limit.</summary>
internal sealed class LocalFileSystem(string folder) : FileSystemUnderTest(folder)
{
    public override string Name => "local";

    public override bool IsPeer => false;

    public override string? Missing => null;

    public override async Task<string> DescribeAsync(CancellationToken ct) =>
        (await RunAsync("findmnt", ["--noheadings", "--output", "FSTYPE,SOURCE", "--target", Folder], ct)).Trim() + ", without any mount in between";

    /// <summary>There is one mount only: the "other" client's files are in the same cache.</summary>
    public override Task OnSecondMountAsync(Func<string, Task> work, CancellationToken ct) => work(Mount);

    protected override Task StartServersAsync(CancellationToken ct) => Task.CompletedTask;

    protected override Task MountCommandAsync(string at, CancellationToken ct) => Task.CompletedTask;

    protected override Task UnmountCommandAsync(string at) => Task.CompletedTask;
}
