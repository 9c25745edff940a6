using Nacre.Cli.Demo;
using Nacre.Cli.Tests.Harness;
using Nacre.Fuse.Mounting;

namespace Nacre.Cli.Tests;

/// <summary><c>nacre demo</c>, the newcomer's command, as a process of its own.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nacre-demo-");

    private string Mount => Path.Combine(_folder.FullName, "demo-mount");

    public void Dispose() => _folder.Delete(recursive: true);

    [FuseFact]
    public async Task It_mounts_shows_what_to_try_and_leaves_nothing_behind()
    {
        await using var demo = await DemoProcess.StartAsync(Mount);
        Assert.Equal("fuse.nacre", MountTable.Find(Mount)?.Type);
        Assert.Contains("read it back, byte for byte the same", demo.Output, StringComparison.Ordinal);
        Assert.Equal(64 << 20, new FileInfo(Path.Combine(Mount, "big.bin")).Length);
        Assert.Equal(200, Directory.GetFiles(Path.Combine(Mount, "small")).Length);
        await File.WriteAllTextAsync(Path.Combine(Mount, "mine"), "by the user");
        Assert.Equal("by the user", await File.ReadAllTextAsync(Path.Combine(Mount, "mine")));

        var (status, error) = await DemoProcess.FailAsync(Mount);
        Assert.Equal(1, status);
        Assert.Contains("a demo runs here already", error, StringComparison.Ordinal);

        Assert.Equal(0, await demo.StopAsync());
        Assert.Null(MountTable.Find(Mount));
        Assert.Empty(_folder.GetFileSystemInfos());
    }

    [FuseFact]
    public async Task One_that_was_killed_is_cleaned_up_by_the_next()
    {
        await using (var killed = await DemoProcess.StartAsync(Mount)) await killed.KillAsync();
        Assert.NotNull(MountTable.Find(Mount));
        await using var demo = await DemoProcess.StartAsync(Mount);
        Assert.True(File.Exists(Path.Combine(Mount, "README.txt")));
        Assert.Equal(0, await demo.StopAsync());
        Assert.Empty(_folder.GetFileSystemInfos());
    }

    [FuseFact]
    public async Task A_folder_with_something_in_it_is_left_alone()
    {
        Directory.CreateDirectory(Mount);
        await File.WriteAllTextAsync(Path.Combine(Mount, "precious"), "");
        var (status, error) = await DemoProcess.FailAsync(Mount);
        Assert.Equal((1, $"nacre: {Mount} is not empty: move what is in it, or name another folder with --mount"), (status, error));
        Assert.True(File.Exists(Path.Combine(Mount, "precious")));
    }

    [Fact]
    public void What_FUSE_lacks_is_said_with_what_to_install()
    {
        Assert.Contains("modprobe fuse", FuseCheck.Missing(hasDevice: false, isRoot: true, path: ""), StringComparison.Ordinal);
        Assert.Contains("apt-get install fuse3", FuseCheck.Missing(hasDevice: true, isRoot: false, path: _folder.FullName), StringComparison.Ordinal);
        Assert.Null(FuseCheck.Missing(hasDevice: true, isRoot: true, path: ""));
        File.WriteAllText(Path.Combine(_folder.FullName, "fusermount3"), "");
        Assert.Null(FuseCheck.Missing(hasDevice: true, isRoot: false, path: "/nowhere:" + _folder.FullName));
    }
}
