using System.CommandLine;
using System.Globalization;
using Nacre.Bench.Floor;
using Nacre.Bench.Measurement;

namespace Nacre.Bench.Commands;

/// <summary><c>floor</c>: what the machine can do without a server. Tells whether it is quiet enough to measure on.</summary>
internal static class FloorCommand
{
    /// <summary>Bytes on the wire of a getattr request and its reply.</summary>
    private const int RequestBytes = 544;
    private const int ReplyBytes = 560;
    private const int Chunk = 1 << 20;
    private const double Mib = 1 << 20;

    private static readonly Option<double> Seconds = new("--seconds") { Description = "Length of a run.", DefaultValueFactory = _ => 2 };

    public static Command Make()
    {
        var command = new Command("floor", "Measures the floors alone: echo of small messages and raw TCP over loopback.") { Seconds };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult options)
    {
        var duration = TimeSpan.FromSeconds(options.GetValue(Seconds));
        using var floor = FloorProcess.Start();
        foreach (var window in (ReadOnlySpan<int>)[1, 8, 64])
        {
            Print($"echo, {window} in flight", floor.Echo(RequestBytes, ReplyBytes, window, 1, duration), bulk: false);
        }

        Print("raw TCP, from the peer", floor.Stream(FloorMode.Source, Chunk, duration), bulk: true);
        Print("raw TCP, to the peer", floor.Stream(FloorMode.Sink, Chunk, duration), bulk: true);
        return 0;
    }

    private static void Print(string name, RunResult run, bool bulk)
    {
        var figure = bulk ? $"{run.BytesPerSecond / Mib:0} MiB/s" : $"{run.OperationsPerSecond:0}/s, p50 {run.P50:0.0} µs, p99 {run.P99:0.0} µs";
        var cores = (run.OwnProcessor + run.PeerProcessor) / run.Elapsed.TotalSeconds;
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {figure}, {cores:0.00} cores"));
    }
}
