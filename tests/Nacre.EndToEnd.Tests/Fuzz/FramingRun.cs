using System.Diagnostics;
using System.Net;
using Nacre.EndToEnd.Harness;
using Nacre.LNet;
using Nacre.LNet.Transports;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>What a run against the framing of LNet has found.</summary>
/// <param name="MemoryBefore">Resident bytes after a fifth of the run.</param>
/// <param name="MemoryAfter">Resident bytes when the attackers were gone.</param>
public sealed record FramingResult(
    FramingStatistics Statistics, TimeSpan Duration, long BystanderOperations, long MemoryBefore, long MemoryAfter, IReadOnlyList<string> Violations);

/// <summary>
/// Damaged HELLOs, headers and streams of many peers against one LNet node, in memory or over TCP. What must hold: nothing is logged
/// as an error, no exception goes unobserved, a well-behaved node is not disturbed, and when the attackers are gone, so is all the
/// node held for them.
/// </summary>
public sealed class FramingRun(FuzzOptions options, bool tcp)
{
    private const long AllowedGrowth = 96L << 20;
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(10);

    private readonly LogCollector _log = new();
    private readonly FramingStatistics _statistics = new();
    private readonly List<string> _violations = [];
    private long _before;

    public async Task<FramingResult> RunAsync()
    {
        var start = Stopwatch.GetTimestamp();
        ITransport transport = tcp ? new TcpTransport() : new InMemoryTransport(TimeProvider.System);
        var logging = _log.NewFactory();
        EventHandler<UnobservedTaskExceptionEventArgs> unobserved = (_, e) => _log.AddError($"unobserved: {e.Exception}");
        TaskScheduler.UnobservedTaskException += unobserved;
        await using var target = await FramingTarget.StartAsync(transport, logging, tcp);
        await using var bystander = await FramingBystander.ConnectAsync(target, transport, logging);
        using var stop = new CancellationTokenSource();
        var working = Task.Run(() => bystander.WorkAsync(stop.Token));
        var asking = Task.Run(() => target.AskForBulkAsync(bystander.Id, stop.Token));

        await AttackAsync(target);
        await stop.CancelAsync();
        await NoteAsync("the bystander", working);
        await NoteAsync("the node's own bulk", asking);
        await DrainAsync(target);
        var after = Resident();
        TaskScheduler.UnobservedTaskException -= unobserved;
        _violations.AddRange(_log.Errors);
        if (_before > 0 && after - _before > AllowedGrowth)
        {
            _violations.Add($"memory grew from {_before >> 20} to {after >> 20} MiB");
        }

        return new FramingResult(_statistics, Stopwatch.GetElapsedTime(start), bystander.Operations, _before, after, _violations);
    }

    private async Task AttackAsync(FramingTarget target)
    {
        var share = (options.Messages + options.Peers - 1) / options.Peers;
        var attacks = Task.WhenAll(Enumerable.Range(0, options.Peers).Select(i => Task.Run(() => NewPeer(target, i).SendAsync(share))));
        for (var last = Stopwatch.GetTimestamp(); !attacks.IsCompleted;)
        {
            await Task.WhenAny(attacks, Task.Delay(200));
            if (_before == 0 && _statistics.Sent >= options.Messages / 5)
            {
                _before = Resident();
            }

            if (Stopwatch.GetElapsedTime(last) >= ProgressInterval)
            {
                last = Stopwatch.GetTimestamp();
                options.Progress($"{_statistics}; {target.Node.ConnectionCount} connections; resident {Environment.WorkingSet >> 20} MiB; {_log.Errors.Count} errors");
            }
        }

        await NoteAsync("an attacker", attacks);
    }

    private FramingPeer NewPeer(FramingTarget target, int number)
    {
        var random = new Random(unchecked((options.Seed * 31) + number));
        var self = new PeerId(Nid.FromTcp(new IPAddress([172, 16, 0, (byte)(number + 1)])));
        return new FramingPeer(target, new FramingFrames(self, target.Id, random), random, _statistics);
    }

    private async Task NoteAsync(string who, Task task)
    {
        try
        {
            await task.WaitAsync(DrainLimit);
        }
        catch (Exception failure)
        {
            _violations.Add($"{who}: {failure}");
        }
    }

    /// <summary>The bystander's three connections are all that is left.</summary>
    private async Task DrainAsync(FramingTarget target)
    {
        var start = Stopwatch.GetTimestamp();
        while (Left(target) is { } left)
        {
            if (Stopwatch.GetElapsedTime(start) > DrainLimit)
            {
                _violations.Add(left);
                return;
            }

            await Task.Delay(20);
        }
    }

    private static string? Left(FramingTarget target)
    {
        var node = target.Node;
        return node.ConnectionCount == 3 && node.HandshakeCount == 0 && node.Pending.Count == 0 && node.Posted.Count == FramingTarget.PostedBuffers
            ? null
            : $"{node.ConnectionCount} connections, {node.HandshakeCount} handshakes, {node.Pending.Count} operations and {node.Posted.Count} buffers are left";
    }

    private static long Resident()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return Environment.WorkingSet;
    }
}
