namespace Nacre.LNet;

/// <summary>
/// Lets through a few log lines a period, so that what a peer sends cannot fill the log. The next line that passes says how many
/// were held back before it. Safe for any thread.
/// </summary>
public sealed class LogRateLimit(TimeProvider time, int lines = 10, int periodMilliseconds = 10_000)
{
    private readonly long _ticksPerPeriod = Math.Max(1, time.TimestampFrequency * periodMilliseconds / 1000);
    private long _period = long.MinValue;
    private int _used;
    private int _suppressed;

    /// <summary>True when a line may be written; <paramref name="suppressed"/> lines were left out before it.</summary>
    public bool TryEnter(out int suppressed)
    {
        suppressed = 0;
        var period = time.GetTimestamp() / _ticksPerPeriod;
        var seen = Interlocked.Read(ref _period);
        if (period != seen && Interlocked.CompareExchange(ref _period, period, seen) == seen) Volatile.Write(ref _used, 0);
        if (Interlocked.Increment(ref _used) > lines)
        {
            Interlocked.Increment(ref _suppressed);
            return false;
        }

        suppressed = Interlocked.Exchange(ref _suppressed, 0);
        return true;
    }
}
