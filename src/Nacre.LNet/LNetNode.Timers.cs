namespace Nacre.LNet;

/// <content>
/// All timeouts hang on one coarse timer: what is not overdue costs a comparison a tick, and starting or ending a wait costs
/// nothing.
/// </content>
public sealed partial class LNetNode
{
    private long _lastWatch;
    private int _ticking;

    /// <summary>The clock's time stamp at which a timeout that starts now ends.</summary>
    internal long DeadlineAfter(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan) return long.MaxValue;
        return _time.GetTimestamp() + (long)(timeout.TotalSeconds * _time.TimestampFrequency);
    }

    internal bool HasPassed(TimeSpan timeout, long since, long now) => _time.GetElapsedTime(since, now) >= timeout;

    private void Tick()
    {
        if (Interlocked.Exchange(ref _ticking, 1) != 0) return;
        try
        {
            var now = _time.GetTimestamp();
            _handshakes.Tick(now);
            Pending.Tick(now);
            WatchConnections(now);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Log.TickFailed(Logger, e);
        }
        finally
        {
            Volatile.Write(ref _ticking, 0);
        }
    }

    /// <summary>A stuck connection is noticed late by an eighth of its timeout at most.</summary>
    private void WatchConnections(long now)
    {
        if (!HasPassed(Options.LndTimeout / 8, _lastWatch, now)) return;
        _lastWatch = now;
        foreach (var (_, peer) in _peers)
            foreach (var connection in peer.Connections) connection.Watch(now);
    }
}
