using System.Text.Json.Nodes;
using Nacre.Cli.Fs;
using Nacre.ControlPlane.Auth;
using Nacre.ControlPlane.Client;
using Nacre.ControlPlane.Shapes;

namespace Nacre.Cli.Demo;

/// <summary>The file system of a demo, made as everybody makes one: by the API, with the key that the first start has made.</summary>
internal static class DemoFileSystem
{
    /// <summary>GiB: four OSTs. Space is taken only as it is written.</summary>
    private const int Capacity = 4800;

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>The one there is, in a folder that was kept; else a new one. It can be mounted.</summary>
    /// <exception cref="FsxException">It cannot be made.</exception>
    public static async Task<FileSystem> GetAsync(Uri url, string nodeFolder, CancellationToken ct)
    {
        using var http = new HttpClient();
        var client = new FsxClient(http, url, "us-east-1", Connection.KeyIn(Path.Combine(nodeFolder, CredentialStore.FileName)), TimeProvider.System);
        var one = (await client.ListAsync(ct)).FirstOrDefault(candidate => candidate.Lifecycle != FileSystemLifecycle.Deleting)
            ?? await client.CreateAsync(Request(), ct);
        while (one.Lifecycle == FileSystemLifecycle.Creating)
        {
            await Task.Delay(PollInterval, ct);
            one = await client.DescribeAsync(one.FileSystemId, ct);
        }

        return one.Lifecycle == FileSystemLifecycle.Failed
            ? throw new FsxException(null, $"{one.FileSystemId} could not be made: {one.FailureDetails?.Message}")
            : one;
    }

    private static JsonObject Request() => new()
    {
        ["FileSystemType"] = "LUSTRE",
        ["StorageCapacity"] = Capacity,
        ["SubnetIds"] = new JsonArray("subnet-0123456789abcdef0"),
        ["Tags"] = new JsonArray(FsxClient.ToJson(new Tag("Name", "demo"))),
        ["LustreConfiguration"] = new JsonObject { ["DeploymentType"] = "SCRATCH_2" },
    };
}
