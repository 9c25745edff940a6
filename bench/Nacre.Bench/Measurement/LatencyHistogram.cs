using System.Diagnostics;
using System.Numerics;

namespace Nacre.Bench.Measurement;

/// <summary>
/// Counts durations in buckets whose width is at most 1/32 of their value, so a percentile is at most 3 % too high.
/// Recording allocates nothing. Not thread-safe; each client has its own, and they are added up at the end.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 5;
    private const int SubBuckets = 1 << SubBits;
    private readonly long[] _counts = new long[(64 - SubBits) * SubBuckets];

    public long Count { get; private set; }

    /// <param name="ticks">Of <see cref="Stopwatch"/>.</param>
    public void Record(long ticks)
    {
        _counts[BucketOf((ulong)Math.Max(ticks, 0))]++;
        Count++;
    }

    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++) _counts[i] += other._counts[i];
        Count += other.Count;
    }

    /// <summary>Upper bound, in microseconds, of the durations of the given fraction of all; 0 when there are none.</summary>
    public double Percentile(double fraction)
    {
        var wanted = (long)Math.Ceiling(Count * fraction);
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= wanted && _counts[i] > 0) return UpperBound(i) * 1e6 / Stopwatch.Frequency;
        }

        return 0;
    }

    private static int BucketOf(ulong value)
    {
        if (value < SubBuckets) return (int)value;
        var shift = BitOperations.Log2(value) - SubBits;
        return ((shift + 1) << SubBits) + (int)((value >> shift) & (SubBuckets - 1));
    }

    private static ulong UpperBound(int bucket)
    {
        if (bucket < SubBuckets) return (ulong)bucket + 1;
        var shift = (bucket >> SubBits) - 1;
        return ((ulong)(SubBuckets | (bucket & (SubBuckets - 1))) + 1) << shift;
    }
}
