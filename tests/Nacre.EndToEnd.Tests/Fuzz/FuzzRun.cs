using System.Diagnostics;
using System.Net;
using Nacre.EndToEnd.Captures;
using Nacre.EndToEnd.Harness;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.Server.Node;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>What a fuzz run has found.</summary>
public sealed record FuzzResult(FuzzStatistics Statistics, TimeSpan Duration, long BystanderOperations, IReadOnlyList<string> Violations);

/// <summary>
/// Damaged messages of many peers against a whole node in this process. What must hold: nothing is logged as an error and no exception goes
/// unobserved; well-behaved clients of this file system and of another on the same node keep working; and when all clients are gone, so is everything
/// the node held for them.
/// </summary>
public sealed class FuzzRun : IAsyncDisposable
{
    private const double NormalSpeed = 4;
    private const double DrainSpeed = 100;
    private const long AllowedGrowth = 192L << 20;
    private const int AllowedThreads = 24;
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan RecordInterval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(10);

    private readonly FuzzOptions _options;
    private readonly PumpedTime _time = new() { Speed = NormalSpeed };
    private readonly FuzzCorpus _corpus = new();
    private readonly List<FuzzPeer> _peers = [];
    private readonly List<string> _violations = [];
    private int _recordings;
    private readonly FuzzStatistics _statistics = new();

    private FuzzRun(FuzzOptions options) => _options = options;

    public static async Task<FuzzResult> RunAsync(FuzzOptions options)
    {
        await using var run = new FuzzRun(options);
        return await run.RunAsync();
    }

    public ValueTask DisposeAsync()
    {
        _time.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<FuzzResult> RunAsync()
    {
        var start = Stopwatch.GetTimestamp();
        var server = await TestServer.StartAsync(new TestServerOptions { Time = _time.Clock, CapacityGib = 2, BesideIt = "other" });
        EventHandler<UnobservedTaskExceptionEventArgs> unobserved = (_, e) => server.Log.AddError($"unobserved: {e.Exception}");
        TaskScheduler.UnobservedTaskException += unobserved;
        var baseline = server.Node.Load;
        await RecordAsync(server);
        var bystanders = new[] { await FuzzBystander.StartAsync(server, null), await FuzzBystander.StartAsync(server, "other") };
        using var stop = new CancellationTokenSource();
        var working = bystanders.Select(bystander => bystander.WorkAsync(stop.Token)).ToArray();

        await AttackAsync(server, stop.Token);
        await stop.CancelAsync();
        await EndAsync(bystanders, working);
        await DrainAsync(server, baseline);
        Collect(server);
        TaskScheduler.UnobservedTaskException -= unobserved;
        await DisposeServerAsync(server);
        return new FuzzResult(
            _statistics, Stopwatch.GetElapsedTime(start), bystanders.Sum(bystander => bystander.Operations), _violations);
    }

    /// <summary>Requests of a client that uses this very node.</summary>
    private async Task RecordAsync(TestServer server)
    {
        var recording = new RecordingTransport(server.Transport);
        var client = await server.MountAsync(recording);
        await FuzzWarmup.UseAsync(client, $"warm{++_recordings}");
        await client.UnmountAsync();
        _corpus.SetRecorded(recording.Frames());
    }

    /// <summary>Records anew, now and then, while the attack goes on.</summary>
    private async Task KeepRecordingAsync(TestServer server, Task attacks)
    {
        while (await Task.WhenAny(attacks, Task.Delay(RecordInterval, CancellationToken.None)) != attacks)
        {
            try
            {
                await RecordAsync(server);
            }
            catch (RpcException)
            {
                // The attack was in the way, which its own bystander may not be.
            }
        }
    }

    private async Task AttackAsync(TestServer server, CancellationToken ct)
    {
        for (var i = 0; i < _options.Peers; i++)
        {
            var options = new FuzzPeerOptions(
                server.Transport, server.At, server.Nid, Nid.FromTcp(new IPAddress([10, 66, 0, (byte)(i + 1)])),
                ["MGS", "nacre01-MDT0000_UUID", "nacre01-OST0000_UUID", "nacre01-OST0001_UUID"]);
            _peers.Add(new FuzzPeer(options, _corpus, new Random(unchecked((_options.Seed * 31) + i)), _statistics));
        }

        long before = 0;
        var share = (_options.Messages + _options.Peers - 1) / _options.Peers;
        var warm = _options.Messages / 5;
        var attacks = Task.WhenAll(_peers.Select(peer => Task.Run(() => peer.SendAsync(share, ct), ct)));
        var recording = KeepRecordingAsync(server, attacks);
        for (var last = Stopwatch.GetTimestamp(); !attacks.IsCompleted;)
        {
            await Task.WhenAny(attacks, Task.Delay(200, CancellationToken.None));
            if (before == 0 && _statistics.Sent >= warm)
            {
                before = GC.GetTotalMemory(forceFullCollection: true);
            }

            if (Stopwatch.GetElapsedTime(last) >= ProgressInterval)
            {
                last = Stopwatch.GetTimestamp();
                _options.Progress($"{_statistics}; {server.Node.Load}; heap {GC.GetTotalMemory(false) >> 20} MiB; {server.Log.Errors.Count} errors");
            }
        }

        await attacks;
        await recording;
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        if (grown > AllowedGrowth)
        {
            _violations.Add($"the heap grew by {grown >> 20} MiB");
        }
    }

    private async Task EndAsync(FuzzBystander[] bystanders, Task[] working)
    {
        foreach (var (bystander, work) in bystanders.Zip(working))
        {
            try
            {
                await work.WithinBoundsAsync();
                await bystander.EndAsync();
            }
            catch (Exception failure)
            {
                _violations.Add($"{bystander}: {failure}");
            }
        }

        foreach (var peer in _peers)
        {
            await peer.DisposeAsync();
        }
    }

    /// <summary>Lets time pass until silent clients are evicted; then nothing of them may be left.</summary>
    private async Task DrainAsync(TestServer server, NodeLoad baseline)
    {
        _time.Speed = DrainSpeed;
        var start = Stopwatch.GetTimestamp();
        while (server.Node.Load != baseline && Stopwatch.GetElapsedTime(start) < DrainLimit)
        {
            await Task.Delay(50);
        }

        if (server.Node.Load != baseline)
        {
            _violations.Add($"{server.Node.Load} is left where {baseline} was before");
        }

        if (ThreadPool.ThreadCount > Environment.ProcessorCount + AllowedThreads)
        {
            _violations.Add($"{ThreadPool.ThreadCount} threads in the pool");
        }
    }

    private void Collect(TestServer server)
    {
        // Exceptions nobody has looked at show up when their tasks are collected.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        foreach (var error in server.Log.Errors)
        {
            var causes = _peers.SelectMany(peer => peer.Mentioned(error))
                .Select(message => $"\n  {message.Xid:x}: {Convert.ToHexString(message.Payload.AsSpan(0, Math.Min(4096, message.Payload.Length)))}");
            _violations.Add($"{error}{string.Concat(causes.Take(2))}");
        }
    }

    private async Task DisposeServerAsync(TestServer server)
    {
        try
        {
            await server.DisposeAsync().AsTask().WithinBoundsAsync();
        }
        catch (InvalidOperationException) when (server.Log.Errors.Count > 0)
        {
            // They are among the violations already.
        }
        catch (Exception failure)
        {
            _violations.Add($"the node does not stop: {failure}");
        }
    }
}
