namespace Nacre.Ldlm.Engine;

/// <summary>
/// The callback timers of 03 section 9.4: how long the owner of a called-back lock has left. Two lists, because there are
/// two spans, full and half: within each the locks are in the order of their deadlines, so that every operation takes
/// constant time. Guarded by the gate of the table.
/// </summary>
internal sealed class CallbackTimers(TimeProvider time, TimeSpan timeout)
{
    private readonly long _full = (long)(timeout.TotalSeconds * time.TimestampFrequency);
    private readonly TimerList _started = new();
    private readonly TimerList _refreshed = new();

    public int Count => _started.Count + _refreshed.Count;

    /// <summary>Starts, or starts again, the full span.</summary>
    public void Start(LdlmLock l)
    {
        Stop(l);
        _started.Append(l, time.GetTimestamp() + _full);
    }

    /// <summary>The owner does I/O under the lock: it has half the span left at least.</summary>
    public void Refresh(LdlmLock l)
    {
        var deadline = time.GetTimestamp() + _full / 2;
        if (l.TimerList is null || l.Deadline >= deadline)
            return;
        Stop(l);
        _refreshed.Append(l, deadline);
    }

    public void Stop(LdlmLock l) => l.TimerList?.Remove(l);

    /// <summary>A lock whose time is over, or null. It stays in the list.</summary>
    public LdlmLock? FirstExpired()
    {
        var now = time.GetTimestamp();
        return _started.First is { } started && started.Deadline <= now ? started
            : _refreshed.First is { } refreshed && refreshed.Deadline <= now ? refreshed
            : null;
    }

    /// <summary>Locks by deadline, linked through the locks.</summary>
    internal sealed class TimerList
    {
        private LdlmLock? _last;

        public LdlmLock? First { get; private set; }

        public int Count { get; private set; }

        public void Append(LdlmLock l, long deadline)
        {
            l.Deadline = deadline;
            l.TimerList = this;
            l.TimerPrevious = _last;
            if (_last is null)
                First = l;
            else
                _last.TimerNext = l;
            _last = l;
            Count++;
        }

        public void Remove(LdlmLock l)
        {
            if (l.TimerPrevious is null)
                First = l.TimerNext;
            else
                l.TimerPrevious.TimerNext = l.TimerNext;
            if (l.TimerNext is null)
                _last = l.TimerPrevious;
            else
                l.TimerNext.TimerPrevious = l.TimerPrevious;
            l.TimerPrevious = l.TimerNext = null;
            l.TimerList = null;
            Count--;
        }
    }
}
