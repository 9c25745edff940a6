using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Operations;
using Nacre.ControlPlane.Reconciler;
using Nacre.Testing;

namespace Nacre.ControlPlane.Tests.Operations.Support;

/// <summary>All operations over a catalog in a folder of its own, with a twin of the servers and a clock that stands still.</summary>
internal sealed class TestApi : IDisposable
{
    public const string Account = "123456789012";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nacre-fsx-");
    private readonly Dictionary<string, Operation> _operations;

    public TestApi(ControlPlaneSettings? settings = null)
    {
        Catalog = ResourceCatalog.Open(Path.Combine(_folder.FullName, "catalog.db"), Time, NullLogger.Instance);
        var services = new OperationServices(Catalog, DataPlane, Time, settings ?? new ControlPlaneSettings());
        _operations = FsxOperations.All(services).ToDictionary(operation => operation.Name);
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 7, 1, 12, 0, 0, 250, TimeSpan.Zero));

    public TwinDataPlane DataPlane { get; } = new();

    public ResourceCatalog Catalog { get; }

    public IReadOnlyCollection<Operation> Operations => _operations.Values;

    public async Task<JsonObject> CallAsync(string operation, string request, string account = Account)
    {
        using var body = JsonDocument.Parse(request);
        var context = new CallContext(account, "AKIAIOSFODNN7EXAMPLE", "request");
        byte[] answer = await _operations[operation].RunAsync(body.RootElement, context, CancellationToken.None);
        return JsonNode.Parse(answer)!.AsObject();
    }

    public Task<JsonObject> CallAsync(string operation, JsonObject request, string account = Account) =>
        CallAsync(operation, request.ToJsonString(), account);

    public async Task<ApiException> RefusedAsync(string operation, string request, string account = Account) =>
        await Assert.ThrowsAsync<ApiException>(() => CallAsync(operation, request, account));

    public Task<ApiException> RefusedAsync(string operation, JsonObject request) => RefusedAsync(operation, request.ToJsonString());

    /// <summary>Creates a file system and answers its description.</summary>
    public async Task<JsonObject> CreateAsync(JsonObject request) => (await CallAsync("CreateFileSystem", request))["FileSystem"]!.AsObject();

    /// <summary>Creates a file system and lets it become AVAILABLE.</summary>
    public async Task<string> AvailableAsync(JsonObject request)
    {
        string id = Text(await CreateAsync(request), "FileSystemId");
        await SettleAsync(id);
        return id;
    }

    public async Task<JsonObject> DescribeAsync(string id)
    {
        var answer = await CallAsync("DescribeFileSystems", $$"""{"FileSystemIds":["{{id}}"]}""");
        return Assert.Single(answer["FileSystems"]!.AsArray())!.AsObject();
    }

    /// <summary>Updates a file system and answers its description.</summary>
    /// <param name="changes">Members beside the id, as JSON with single quotes.</param>
    public async Task<JsonObject> UpdateAsync(string id, string changes) =>
        (await CallAsync("UpdateFileSystem", Update(id, changes)))["FileSystem"]!.AsObject();

    public Task<ApiException> UpdateRefusedAsync(string id, string changes) => RefusedAsync("UpdateFileSystem", Update(id, changes));

    /// <summary>Lets the reconciler work until it has nothing left to do for the file system. Nothing moves at other times.</summary>
    public async Task SettleAsync(string id)
    {
        var options = new ReconcilerOptions { Times = TransitionTimes.All(TimeSpan.Zero) };
        var log = NullLogger<FileSystemReconciler>.Instance;
        await using var reconciler = new FileSystemReconciler(Catalog, DataPlane, options, TimeProvider.System, log);
        reconciler.Start();
        await Eventually.TrueAsync(() => !Catalog.FileSystems.Unsettled().Contains(id));
    }

    public static string Text(JsonObject from, string member) => from[member]!.GetValue<string>();

    public void Dispose()
    {
        Catalog.Dispose();
        _folder.Delete(recursive: true);
    }

    private static JsonObject Update(string id, string changes)
    {
        var request = Requests.Parse(changes);
        request["FileSystemId"] = id;
        return request;
    }
}
