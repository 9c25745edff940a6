using System.Globalization;
using System.Text.Json.Nodes;
using Nacre.ControlPlane.Shapes;
using Nacre.EndToEnd.Harness;
using Nacre.Fuse.Mounting;
using static Nacre.EndToEnd.Harness.Programs;

namespace Nacre.EndToEnd;

/// <summary>A file system from its order to its end, as its user sees it: by the API, and through a mount by programs.</summary>
[Collection(Alone.Name)]
public sealed class ApiLifeTests
{
    [FuseFact]
    public async Task Created_mounted_grown_under_a_writing_program_and_deleted()
    {
        using var folder = new TestFolder();
        using var mount = new TestFolder();
        var port = TestServer.FreePort();
        await using var node = await ApiNode.StartAsync(Path.Combine(folder.Path, "data"), port);

        var made = await node.Api.CreateAsync(ApiNode.CreateRequest(), CancellationToken.None);
        Assert.Equal(FileSystemLifecycle.Creating, made.Lifecycle);
        made = await node.UntilAsync(made.FileSystemId, one => one.Lifecycle == FileSystemLifecycle.Available, "it is available");
        Assert.Equal(2, made.NetworkInterfaceIds!.Count);
        var device = $"127.0.0.1@tcp:/{made.LustreConfiguration.MountName}";
        Assert.Equal((0, ""), await RunAsync(NacreCommand, "mount", device, mount.Path, "-o", $"port={port.ToString(CultureInfo.InvariantCulture)}"));
        try
        {
            Assert.Contains("OST:0]", (await RunAsync(NacreCommand, "lfs", "df", mount.Path)).Said, StringComparison.Ordinal);

            await GrowWhileWritingAsync(node, made.FileSystemId, mount.Path);
            await SquashRootAsync(node, made.FileSystemId, mount.Path);

            await node.Api.DeleteAsync(new JsonObject { ["FileSystemId"] = made.FileSystemId }, CancellationToken.None);
            await Wait.UntilAsync(
                async () => (await node.Api.ListAsync(CancellationToken.None)).Count == 0, "it is gone");
            // Whoever uses it gets errors, and nobody hangs.
            Assert.NotEqual(0, (await RunAsync("/bin/sh", "-c", $"echo late > {mount.Path}/late")).Status);
        }
        finally
        {
            await RunAsync(NacreCommand, "umount", mount.Path);
        }

        Assert.Null(MountTable.Find(mount.Path));
    }

    private static async Task GrowWhileWritingAsync(ApiNode node, string id, string mount)
    {
        var writer = RunAsync(
            "/bin/sh",
            "-ec",
            $"n=0; while [ ! -e {mount}/stop ]; do echo $n >> {mount}/log; head -c 500000 /dev/zero > {mount}/file$((n % 8)); n=$((n+1)); done");
        try
        {
            await node.Api.UpdateAsync(new JsonObject { ["FileSystemId"] = id, ["StorageCapacity"] = 2400 }, CancellationToken.None);
            var grown = await node.UntilAsync(
                id,
                one => one.AdministrativeActions!.All(action => action.Status == ActionStatus.Completed),
                "the growth is completed");
            Assert.Equal(2400, grown.StorageCapacity);
            await Wait.UntilAsync(
                async () => (await RunAsync(NacreCommand, "lfs", "df", mount)).Said.Contains("OST:1]", StringComparison.Ordinal), "the mount knows the new OST");
        }
        finally
        {
            await RunAsync("/bin/sh", "-c", $"touch {mount}/stop");
        }

        Assert.Equal((0, ""), await writer);
        var log = await File.ReadAllLinesAsync(Path.Combine(mount, "log"));
        Assert.Equal(Enumerable.Range(0, log.Length).Select(number => number.ToString(CultureInfo.InvariantCulture)), log);
        // New files may have objects on the new one.
        Assert.Equal((0, ""), await RunAsync(NacreCommand, "lfs", "setstripe", "-i", "1", "-c", "1", Path.Combine(mount, "there")));
        Assert.Equal((0, ""), await RunAsync("/bin/sh", "-c", $"echo there > {mount}/there"));
    }

    private static async Task SquashRootAsync(ApiNode node, string id, string mount)
    {
        var squash = new JsonObject { ["RootSquashConfiguration"] = new JsonObject { ["RootSquash"] = "1234:5678" } };
        Assert.Equal((0, ""), await RunAsync("/bin/sh", "-c", $"chmod 777 {mount} && touch {mount}/before"));

        await node.Api.UpdateAsync(new JsonObject { ["FileSystemId"] = id, ["LustreConfiguration"] = squash }, CancellationToken.None);
        await node.UntilAsync(id, one => one.AdministrativeActions![0].Status == ActionStatus.Completed, "root is squashed");

        Assert.Equal((0, "1234:5678 0:0"), await RunAsync(
            "/bin/sh", "-c", $"touch {mount}/after && stat -c %u:%g {mount}/after {mount}/before | xargs"));
        Assert.NotEqual(0, (await RunAsync("/bin/sh", "-c", $"chown 1:1 {mount}/before")).Status);
    }
}
