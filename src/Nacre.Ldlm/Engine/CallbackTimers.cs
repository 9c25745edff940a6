namespace Nacre.Ldlm.Engine;

/// <summary>
/// The callback timers of 03 section 9.4: how long the owner of a called-back lock has left. The span follows what the owner
/// has needed lately, so deadlines come in no order: a wheel of seconds holds them, in which every operation takes constant
/// time. Guarded by the gate of the table.
/// </summary>
/// <remarks>A timer fires up to a second late, and never early.</remarks>
internal sealed class CallbackTimers
{
    /// <summary>Seconds the wheel spans. Longer timers work, but their locks are looked at once each turn.</summary>
    private const int Slots = 1024;

    private readonly TimerList?[] _slots = new TimerList?[Slots];
    private readonly TimeProvider _time;
    private readonly LdlmOptions _options;

    // All seconds up to this one have been looked at; no lock is due before the next.
    private long _swept;

    public CallbackTimers(TimeProvider time, LdlmOptions options)
    {
        _time = time;
        _options = options;
        _swept = time.GetTimestamp() / time.TimestampFrequency;
    }

    public int Count { get; private set; }

    /// <summary>The time this client has to give up a lock, and to answer a callback.</summary>
    public TimeSpan TimeoutOf(LockOwner owner)
    {
        var timeout = (owner.CancelTimes?.Longest ?? _options.AssumedCancelTime) * 1.5;
        return timeout > _options.MinCallbackTimeout ? timeout : _options.MinCallbackTimeout;
    }

    /// <summary>The owner is told now that the lock is wanted: the full span begins.</summary>
    public void Start(LdlmLock l)
    {
        if (l.CalledBackAt == 0)
            l.CalledBackAt = Math.Max(1, Milliseconds);
        Schedule(l, TimeoutOf(l.Owner!));
    }

    /// <summary>The owner is told once more: the full span begins again, if the lock is still to be given up (03 section 9.3).</summary>
    public void Restart(LdlmLock l)
    {
        if (l.TimerList is not null)
            Schedule(l, TimeoutOf(l.Owner!));
    }

    /// <summary>The owner does I/O under the lock: it has half the span left at least.</summary>
    public void Refresh(LdlmLock l)
    {
        var half = TimeoutOf(l.Owner!) / 2;
        if (l.TimerList is not null && l.Deadline < _time.GetTimestamp() + TicksOf(half))
            Schedule(l, half);
    }

    /// <summary>The owner has given up what was wanted; the next callbacks go by how long that took.</summary>
    public void GivenUp(LdlmLock l)
    {
        if (l.CalledBackAt != 0)
        {
            var needed = TimeSpan.FromMilliseconds(Milliseconds - l.CalledBackAt);
            (l.Owner!.CancelTimes ??= new CancelTimes()).Observe(needed < _options.MaxCancelTime ? needed : _options.MaxCancelTime, Milliseconds);
        }
        Stop(l);
    }

    public void Stop(LdlmLock l)
    {
        l.CalledBackAt = 0;
        Unlink(l);
    }

    /// <summary>A lock whose time is over, or null. It stays where it is.</summary>
    public LdlmLock? FirstExpired()
    {
        var timestamp = _time.GetTimestamp();
        var now = timestamp / _time.TimestampFrequency;
        _swept = Count == 0 ? now : Math.Max(_swept, now - Slots);
        while (_swept < now)
        {
            // Others in the slot are due a whole turn of the wheel later.
            for (var l = _slots[(_swept + 1) % Slots]?.First; l is not null; l = l.TimerNext)
                if (l.Deadline <= timestamp)
                    return l;
            _swept++;
        }
        return null;
    }

    private long Milliseconds => (long)TimeSpan.FromSeconds((double)_time.GetTimestamp() / _time.TimestampFrequency).TotalMilliseconds;

    private long TicksOf(TimeSpan span) => (long)(span.TotalSeconds * _time.TimestampFrequency);

    private void Schedule(LdlmLock l, TimeSpan span)
    {
        Unlink(l);
        l.Deadline = _time.GetTimestamp() + TicksOf(span);
        // Rounded up, so that the deadline has passed when its second is over.
        var second = Math.Max(_swept + 1, (l.Deadline + _time.TimestampFrequency - 1) / _time.TimestampFrequency);
        (_slots[second % Slots] ??= new TimerList()).Append(l);
        Count++;
    }

    private void Unlink(LdlmLock l)
    {
        if (l.TimerList is null)
            return;
        l.TimerList.Remove(l);
        Count--;
    }

    /// <summary>Locks of one slot, linked through the locks.</summary>
    internal sealed class TimerList
    {
        private LdlmLock? _last;

        public LdlmLock? First { get; private set; }

        public void Append(LdlmLock l)
        {
            l.TimerList = this;
            l.TimerPrevious = _last;
            if (_last is null)
                First = l;
            else
                _last.TimerNext = l;
            _last = l;
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
        }
    }
}
