using System.Diagnostics;
using Nacre.Bench.Floor;
using Nacre.Bench.Loads;

namespace Nacre.Bench.Measurement;

/// <summary>How often and how long each load runs.</summary>
internal sealed record RunSettings(int Runs, TimeSpan Duration, TimeSpan WarmUp);

/// <summary>
/// Runs one load against the server and its floor against the floor's peer, in turn, so that both meet the same weather on the
/// machine; the medians are compared.
/// </summary>
internal sealed class LoadRunner(IReadOnlyList<ClientSession> clients, FloorProcess floor, RunSettings settings, int? serverProcess)
{
    /// <summary>From this size on the floor of bulk loads is a plain stream; below it, an exchange of messages.</summary>
    private const int StreamFrom = 64 << 10;

    private const int LargestChunk = 1 << 20;

    /// <exception cref="InvalidDataException">The server answered wrongly.</exception>
    public LoadReport Run(LoadSpec spec, LoadSettings sizes)
    {
        var concurrency = Math.Max(spec.Concurrency / clients.Count, 1);
        foreach (var client in clients) client.KeepAlive();
        var loads = clients.Select(client => spec.Create(client, concurrency, sizes)).ToList();
        var shape = WarmUp(loads);
        List<RunResult> runs = [], floors = [];
        for (var run = 0; run < settings.Runs; run++)
        {
            foreach (var client in clients) client.KeepAlive();
            floors.Add(RunFloor(spec, shape, concurrency));
            runs.Add(RunLoads(loads, settings.Duration));
        }

        foreach (var load in loads) load.Verify();
        return LoadReport.Of(spec with { Concurrency = concurrency * clients.Count }, runs, floors, shape);
    }

    private Shape WarmUp(List<Load> loads)
    {
        var before = Totals();
        var run = RunLoads(loads, settings.WarmUp);
        var after = Totals();
        var requests = after.Requests - before.Requests;
        return new Shape(
            (int)((after.Out - before.Out) / requests),
            (int)((after.In - before.In) / requests),
            (double)requests / run.Operations);
    }

    private (long Requests, long Out, long In) Totals() => (
        clients.Sum(client => client.Node.Requests), clients.Sum(client => client.Node.BytesOut), clients.Sum(client => client.Node.BytesIn));

    private RunResult RunFloor(LoadSpec spec, Shape shape, int concurrency)
    {
        if (spec.Size < StreamFrom)
        {
            return floor.Echo(shape.RequestBytes, shape.ReplyBytes, concurrency, clients.Count, settings.Duration);
        }

        var mode = spec.Kind == LoadKind.Read ? FloorMode.Source : FloorMode.Sink;
        return floor.Stream(mode, Math.Min(spec.Size, LargestChunk) + Client.Frame.Size, settings.Duration);
    }

    private RunResult RunLoads(List<Load> loads, TimeSpan duration)
    {
        var own = ProcessorTime.Of(Environment.ProcessId);
        var server = ProcessorTime.Of(serverProcess);
        var started = Stopwatch.GetTimestamp();
        RunInParallel(loads, duration);
        var elapsed = Stopwatch.GetElapsedTime(started);
        var latency = new LatencyHistogram();
        foreach (var load in loads) latency.Add(load.Latency);
        return new RunResult(
            latency.Count, loads.Sum(load => load.Bytes), elapsed, ProcessorTime.Of(Environment.ProcessId) - own,
            ProcessorTime.Of(serverProcess) - server, latency);
    }

    /// <summary>One thread a client; what one of them throws is thrown here.</summary>
    private static void RunInParallel(List<Load> loads, TimeSpan duration)
    {
        if (loads is [var only])
        {
            only.Run(duration);
            return;
        }

        Exception? failure = null;
        var threads = loads.ConvertAll(load => new Thread(() =>
        {
            try
            {
                load.Run(duration);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, e, null);
            }
        }));
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        if (failure is not null) throw new InvalidDataException(failure.Message, failure);
    }
}

/// <summary>What a load's traffic looks like: bytes on the wire of a request and of its answer, requests an operation.</summary>
internal readonly record struct Shape(int RequestBytes, int ReplyBytes, double RequestsPerOperation);
