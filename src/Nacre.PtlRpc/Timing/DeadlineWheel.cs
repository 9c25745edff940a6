namespace Nacre.PtlRpc.Timing;

/// <summary>Somebody who waits for a moment.</summary>
internal interface IDeadlineOwner
{
    /// <summary>
    /// The moment has come. <paramref name="version"/> is what was given when it was set: an owner that has been put to another use
    /// in the meantime sees an old number and does nothing.
    /// </summary>
    void OnDeadline(int version, long nowMilliseconds);
}

/// <summary>An owner's place in the wheel. One per owner, used again and again.</summary>
internal sealed class DeadlineNode(IDeadlineOwner owner)
{
    public readonly IDeadlineOwner Owner = owner;
    public DeadlineNode? Next;
    public DeadlineNode? Previous;
    public long Due;
    public int Slot = -1;
    public int Version;
}

/// <summary>
/// A hashed timer wheel: setting and clearing a deadline costs a few pointer writes under one lock, whatever the number of waiters.
/// A deadline comes up to <see cref="TickMilliseconds"/> late. One timer drives it.
/// </summary>
internal sealed class DeadlineWheel : IAsyncDisposable
{
    public const int TickMilliseconds = 250;
    private const int Slots = 1024;

    private readonly Lock _gate = new();
    private readonly DeadlineNode?[] _slots = new DeadlineNode?[Slots];
    private readonly RpcClock _clock;
    private readonly ITimer _timer;
    private readonly List<(DeadlineNode Node, int Version)> _due = [];
    private long _lastTick;
    private int _running;

    public DeadlineWheel(RpcClock clock)
    {
        _clock = clock;
        _lastTick = clock.Milliseconds / TickMilliseconds;
        var period = TimeSpan.FromMilliseconds(TickMilliseconds);
        _timer = clock.Provider.CreateTimer(static wheel => ((DeadlineWheel)wheel!).Tick(), this, period, period);
    }

    /// <summary>Sets or moves a deadline. A moment that has passed comes with the next tick.</summary>
    public void Set(DeadlineNode node, long dueMilliseconds, int version)
    {
        lock (_gate)
        {
            Unlink(node);
            var tick = Math.Max((dueMilliseconds + TickMilliseconds - 1) / TickMilliseconds, _lastTick + 1);
            node.Due = tick;
            node.Version = version;
            Link(node, (int)(tick % Slots));
        }
    }

    public void Clear(DeadlineNode node)
    {
        // Most requests never waited; they need no lock to know it.
        if (Volatile.Read(ref node.Slot) < 0)
        {
            return;
        }

        lock (_gate)
        {
            Unlink(node);
        }
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private void Tick()
    {
        // A tick that takes longer than a period must not be entered twice: _due is shared.
        if (Interlocked.Exchange(ref _running, 1) != 0)
        {
            return;
        }

        try
        {
            var now = _clock.Milliseconds;
            Collect(now / TickMilliseconds);
            foreach (var (node, version) in _due)
            {
                node.Owner.OnDeadline(version, now);
            }
        }
        finally
        {
            _due.Clear();
            Volatile.Write(ref _running, 0);
        }
    }

    private void Collect(long tick)
    {
        lock (_gate)
        {
            var first = Math.Max(_lastTick + 1, tick - Slots + 1);
            for (var t = first; t <= tick; t++)
            {
                CollectSlot((int)(t % Slots), tick);
            }

            _lastTick = Math.Max(_lastTick, tick);
        }
    }

    private void CollectSlot(int slot, long tick)
    {
        var node = _slots[slot];
        while (node is not null)
        {
            var next = node.Next;
            // Others in the slot are due a whole turn of the wheel later.
            if (node.Due <= tick)
            {
                _due.Add((node, node.Version));
                Unlink(node);
            }

            node = next;
        }
    }

    private void Link(DeadlineNode node, int slot)
    {
        node.Next = _slots[slot];
        node.Previous = null;
        if (node.Next is { } next)
        {
            next.Previous = node;
        }

        _slots[slot] = node;
        node.Slot = slot;
    }

    private void Unlink(DeadlineNode node)
    {
        if (node.Slot < 0)
        {
            return;
        }

        if (node.Previous is { } previous)
        {
            previous.Next = node.Next;
        }
        else
        {
            _slots[node.Slot] = node.Next;
        }

        if (node.Next is { } next)
        {
            next.Previous = node.Previous;
        }

        node.Next = node.Previous = null;
        node.Slot = -1;
    }
}
