namespace Nacre.PtlRpc.Timing;

/// <summary>
/// Lets through a few log lines a period, so that what a peer sends cannot fill the log. Safe for any thread.
/// </summary>
internal sealed class LogRateLimit(RpcClock clock, int lines = 10, int periodMilliseconds = 10_000)
{
    private long _period = long.MinValue;
    private int _used;
    private int _suppressed;

    /// <summary>True when a line may be written; <paramref name="suppressed"/> lines were left out before it.</summary>
    public bool TryEnter(out int suppressed)
    {
        suppressed = 0;
        var period = clock.Milliseconds / periodMilliseconds;
        var seen = Interlocked.Read(ref _period);
        if (period != seen && Interlocked.CompareExchange(ref _period, period, seen) == seen)
        {
            Volatile.Write(ref _used, 0);
        }

        if (Interlocked.Increment(ref _used) > lines)
        {
            Interlocked.Increment(ref _suppressed);
            return false;
        }

        suppressed = Interlocked.Exchange(ref _suppressed, 0);
        return true;
    }
}
