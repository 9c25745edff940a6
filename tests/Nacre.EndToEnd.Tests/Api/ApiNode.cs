using System.Text.Json.Nodes;
using Nacre.ControlPlane.Client;
using Nacre.ControlPlane.Shapes;

namespace Nacre.EndToEnd.Harness;

/// <summary>A <c>nacre up</c> process with its API, and a client of that with the key the first start has made.</summary>
public sealed class ApiNode : IAsyncDisposable
{
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly ChildNode _node;

    private ApiNode(ChildNode node, string dataFolder)
    {
        _node = node;
        Url = new Uri(ApiAddress.Read(dataFolder));
        Api = new FsxClient(_http, Url, "us-east-1", Key(dataFolder), TimeProvider.System);
    }

    public Uri Url { get; }

    public FsxClient Api { get; }

    public string Output => _node.Output;

    public static async Task<ApiNode> StartAsync(string dataFolder, int port, params string[] options)
    {
        var node = await ChildNode.StartAsync(dataFolder, port, ["--api", "http://127.0.0.1:0", .. options]);
        return new ApiNode(node, dataFolder);
    }

    /// <summary>What <c>nacre fs create</c> sends without options.</summary>
    public static JsonObject CreateRequest(int capacityGib = 1200, string? token = null) => new()
    {
        ["FileSystemType"] = "LUSTRE",
        ["StorageCapacity"] = capacityGib,
        ["SubnetIds"] = new JsonArray("subnet-0123456789abcdef0"),
        ["ClientRequestToken"] = token ?? Guid.NewGuid().ToString(),
        ["LustreConfiguration"] = new JsonObject { ["DeploymentType"] = "SCRATCH_2" },
    };

    /// <summary>Polls, as every client of FSx does.</summary>
    public async Task<FileSystem> UntilAsync(string id, Func<FileSystem, bool> condition, string what)
    {
        FileSystem? last = null;
        await Wait.UntilAsync(async () => condition(last = await Api.DescribeAsync(id, CancellationToken.None)), what);
        return last!;
    }

    /// <summary>kill -9.</summary>
    public Task KillAsync() => _node.KillAsync();

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        _http.Dispose();
    }

    private static AwsCredentials Key(string dataFolder)
    {
        var settings = File.ReadLines(Path.Combine(dataFolder, "credentials"))
            .Select(line => line.Split(" = ", 2))
            .Where(parts => parts.Length == 2)
            .ToDictionary(parts => parts[0], parts => parts[1]);
        return new AwsCredentials(settings["aws_access_key_id"], settings["aws_secret_access_key"]);
    }
}
