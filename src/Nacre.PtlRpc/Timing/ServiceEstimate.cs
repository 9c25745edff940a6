namespace Nacre.PtlRpc.Timing;

/// <summary>
/// How long requests of one service take, as it is told to clients in <c>pb_timeout</c>: the maximum over the last 600 s, kept in
/// four bins of 150 s (02 section 6.7). Seconds throughout. Safe for any thread.
/// </summary>
internal sealed class ServiceEstimate
{
    private const int Bins = 4;
    private const long BinMilliseconds = 150_000;

    private readonly Lock _gate = new();
    private readonly int[] _maxima = new int[Bins];
    private long _bin;
    private readonly int _minimum;
    private readonly int _maximum;
    private volatile int _current;

    public ServiceEstimate(int minimum, int maximum)
    {
        _minimum = minimum;
        _maximum = maximum;
        _current = minimum;
    }

    public int Current(long nowMilliseconds)
    {
        if (nowMilliseconds / BinMilliseconds != Volatile.Read(ref _bin))
        {
            Observe(0, nowMilliseconds);
        }

        return _current;
    }

    public void Observe(int seconds, long nowMilliseconds)
    {
        // The common case, a request as quick as all others, writes nothing.
        if (seconds <= _maxima[0] && nowMilliseconds / BinMilliseconds == Volatile.Read(ref _bin))
        {
            return;
        }

        lock (_gate)
        {
            Advance(nowMilliseconds / BinMilliseconds);
            _maxima[0] = Math.Max(_maxima[0], seconds);
            _current = Math.Clamp(_maxima.Max(), _minimum, _maximum);
        }
    }

    private void Advance(long bin)
    {
        var steps = (int)Math.Clamp(bin - _bin, 0, Bins);
        for (var i = 0; i < steps; i++)
        {
            Array.Copy(_maxima, 0, _maxima, 1, Bins - 1);
            _maxima[0] = 0;
        }

        Volatile.Write(ref _bin, Math.Max(bin, _bin));
    }
}
