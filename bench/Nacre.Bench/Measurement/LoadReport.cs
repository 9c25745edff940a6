using Nacre.Bench.Loads;

namespace Nacre.Bench.Measurement;

/// <summary>
/// The figures of one load: medians over its runs, the spread of the rate, and the floor. Latencies in microseconds, processor
/// time in microseconds an operation.
/// </summary>
internal sealed record LoadReport
{
    public required string Name { get; init; }

    public required int Concurrency { get; init; }

    public required int Size { get; init; }

    public required double Rate { get; init; }

    public required double LowestRate { get; init; }

    public required double HighestRate { get; init; }

    public required double BytesPerSecond { get; init; }

    public required double P50 { get; init; }

    public required double P99 { get; init; }

    public required int RequestBytes { get; init; }

    public required int ReplyBytes { get; init; }

    /// <summary>Operations a second of the floor: an exchange of messages of the same sizes, or of a stream, its bytes / size.</summary>
    public required double FloorRate { get; init; }

    public required double FloorBytesPerSecond { get; init; }

    public required double FloorP50 { get; init; }

    public required double ServerProcessor { get; init; }

    public required double ClientProcessor { get; init; }

    /// <summary>Of the floor's two processes together, for the same work.</summary>
    public required double FloorProcessor { get; init; }

    public Target? Target { get; init; }

    public double ShareOfFloor => Rate / FloorRate;

    /// <summary>0 where the floor is a stream and has no latency.</summary>
    public double LatencyOverFloor => FloorP50 > 0 ? P50 / FloorP50 : 0;

    public bool? TargetMet => Target switch
    {
        { Kind: TargetKind.Rate } target => Rate >= target.Value,
        { Kind: TargetKind.ShareOfFloor } target => ShareOfFloor >= target.Value,
        { Kind: TargetKind.LatencyOverFloor } target => LatencyOverFloor <= target.Value,
        _ => null,
    };

    public static LoadReport Of(LoadSpec spec, List<RunResult> runs, List<RunResult> floors, Shape shape)
    {
        var isStream = floors[0].Latency.Count == 0;
        var perOperation = isStream ? 1 : shape.RequestsPerOperation;
        return new LoadReport
        {
            Name = spec.Name,
            Concurrency = spec.Concurrency,
            Size = spec.Size,
            Target = spec.Target,
            Rate = Median(runs, run => run.OperationsPerSecond),
            LowestRate = runs.Min(run => run.OperationsPerSecond),
            HighestRate = runs.Max(run => run.OperationsPerSecond),
            BytesPerSecond = Median(runs, run => run.BytesPerSecond),
            P50 = Median(runs, run => run.P50),
            P99 = Median(runs, run => run.P99),
            RequestBytes = shape.RequestBytes,
            ReplyBytes = shape.ReplyBytes,
            FloorRate = Median(floors, run => isStream ? run.BytesPerSecond / spec.Size : run.OperationsPerSecond / perOperation),
            FloorBytesPerSecond = Median(floors, run => run.BytesPerSecond),
            FloorP50 = Median(floors, run => run.P50 * perOperation),
            ServerProcessor = Median(runs, run => run.PeerProcessor / run.Operations * 1e6),
            ClientProcessor = Median(runs, run => run.OwnProcessor / run.Operations * 1e6),
            FloorProcessor = Median(floors, run => (run.OwnProcessor + run.PeerProcessor) * 1e6
                / (isStream ? (double)run.Bytes / spec.Size : run.Operations / perOperation)),
        };
    }

    private static double Median(List<RunResult> runs, Func<RunResult, double> value)
    {
        var sorted = runs.Select(value).Order().ToList();
        var middle = sorted.Count / 2;
        return sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
