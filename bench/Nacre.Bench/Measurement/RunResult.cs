namespace Nacre.Bench.Measurement;

/// <summary>One run of a load or a floor. Processor times in seconds: of the generator, and of the server or floor peer.</summary>
internal sealed record RunResult(
    long Operations, long Bytes, TimeSpan Elapsed, double OwnProcessor, double PeerProcessor, LatencyHistogram Latency)
{
    public double OperationsPerSecond => Operations / Elapsed.TotalSeconds;

    public double BytesPerSecond => Bytes / Elapsed.TotalSeconds;

    public double P50 => Latency.Percentile(0.5);

    public double P99 => Latency.Percentile(0.99);
}
