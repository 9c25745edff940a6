using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Nacre.ControlPlane.Client;
using Nacre.ControlPlane.Shapes;
using Nacre.EndToEnd.Harness;
using Nacre.Server.Node.Control;

namespace Nacre.EndToEnd;

/// <summary>Calls of the API while the process is killed at moments nobody chose: what was answered holds, and nothing half-made stays.</summary>
[Collection(Alone.Name)]
public sealed class ApiKillTests
{
    private const int Kills = 4;
    private const int Callers = 3;

    /// <summary>File systems at a time, about: each has stores of its own.</summary>
    private const int Most = 8;

    [Fact]
    public async Task Nothing_answered_is_lost_and_nothing_half_made_stays()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        using var folder = new TestFolder();
        var data = Path.Combine(folder.Path, "data");
        var port = TestServer.FreePort();
        var calls = new Calls();
        try
        {
            for (var round = 0; round < Kills; round++)
            {
                await using var node = await ApiNode.StartAsync(data, port);
                using var stop = new CancellationTokenSource();
                var callers = Enumerable.Range(0, Callers)
                    .Select(_ => calls.RunAsync(node.Api, new Random(random.Next()), stop.Token)).ToList();
                await Task.Delay(random.Next(20, 1500));
                await node.KillAsync();
                await stop.CancelAsync();
                await Task.WhenAll(callers);
            }

            await using var last = await ApiNode.StartAsync(data, port);
            await CheckAsync(last, data, calls);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"with seed {seed}: {e.Message}", e);
        }
    }

    private static async Task CheckAsync(ApiNode node, string data, Calls calls)
    {
        // A call that was not answered may be repeated: it makes nothing twice.
        foreach (var token in calls.Unanswered)
        {
            calls.Made[(await node.Api.CreateAsync(ApiNode.CreateRequest(token: token), CancellationToken.None)).FileSystemId] = token;
        }

        IReadOnlyList<FileSystem> all = [];
        await Wait.UntilAsync(async () =>
        {
            all = await node.Api.ListAsync(CancellationToken.None);
            return all.All(one => one.Lifecycle == FileSystemLifecycle.Available);
        }, "all file systems are settled");
        var present = all.Select(one => one.FileSystemId).ToHashSet();
        Assert.Empty(present.Intersect(calls.Deleted));
        Assert.Empty(calls.Made.Keys.Except(present).Except(calls.MaybeDeleted).Except(calls.Deleted));
        Assert.Empty(present.Except(calls.Made.Keys));

        var served = (await ControlClient.AskAsync(data, new ControlRequest(ControlRequest.ShowStatus), CancellationToken.None)).FileSystems;
        Assert.Equal(all.Select(one => one.LustreConfiguration.MountName).Order(), served.Select(one => one.Name).Order());
        await Wait.UntilAsync(
            () => Directory.GetDirectories(Path.Combine(data, "filesystems")).Length == served.Count, "the data of deleted ones is deleted");
    }

    /// <summary>What callers have asked for, and what they were answered.</summary>
    private sealed class Calls
    {
        private readonly ConcurrentDictionary<string, bool> _unanswered = new();
        private readonly ConcurrentDictionary<string, bool> _maybeDeleted = new();

        public ConcurrentDictionary<string, string> Made { get; } = new();

        public ConcurrentBag<string> Deleted { get; } = [];

        public ICollection<string> Unanswered => _unanswered.Keys;

        public ICollection<string> MaybeDeleted => _maybeDeleted.Keys;

        public async Task RunAsync(FsxClient api, Random random, CancellationToken stop)
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await (Present().Count >= Most || random.Next(3) == 0 ? DeleteAsync(api, random) : CreateAsync(api));
                }
                catch (FsxException e) when (e.Code is null)
                {
                    // The node was killed.
                    return;
                }
            }
        }

        private async Task CreateAsync(FsxClient api)
        {
            var token = Guid.NewGuid().ToString();
            _unanswered[token] = true;
            Made[(await api.CreateAsync(ApiNode.CreateRequest(token: token), CancellationToken.None)).FileSystemId] = token;
            _unanswered.TryRemove(token, out _);
        }

        private async Task DeleteAsync(FsxClient api, Random random)
        {
            var candidates = Present();
            if (candidates.Count == 0)
            {
                return;
            }

            var id = candidates[random.Next(candidates.Count)];
            if (_maybeDeleted.TryAdd(id, true))
            {
                await api.DeleteAsync(new JsonObject { ["FileSystemId"] = id }, CancellationToken.None);
                Deleted.Add(id);
            }
        }

        private List<string> Present() => [.. Made.Keys.Except(_maybeDeleted.Keys)];
    }
}
