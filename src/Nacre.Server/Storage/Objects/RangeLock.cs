namespace Nacre.Server.Storage.Objects;

/// <summary>A range held in a <see cref="RangeLock"/> until disposed.</summary>
public readonly struct HeldRange : IDisposable
{
    private readonly RangeLock _owner;
    private readonly long _ticket;

    internal HeldRange(RangeLock owner, long ticket)
    {
        _owner = owner;
        _ticket = ticket;
    }

    public void Dispose() => _owner?.Release(_ticket);
}

/// <summary>
/// Mutual exclusion of byte ranges. Waits without a thread, first come first served among those that overlap. Allocates only
/// when somebody has to wait.
/// </summary>
internal sealed class RangeLock
{
    private readonly Lock _gate = new();
    private readonly List<Range> _held = [];
    private List<Waiter>? _waiters;
    private long _nextTicket;

    /// <summary>Locks [start, end).</summary>
    public ValueTask<HeldRange> AcquireAsync(long start, long end, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        Waiter waiter;
        lock (_gate)
        {
            var range = new Range(start, end, ++_nextTicket);
            if (IsFree(range, _waiters?.Count ?? 0))
            {
                _held.Add(range);
                return new ValueTask<HeldRange>(new HeldRange(this, range.Ticket));
            }
            waiter = new Waiter(range);
            (_waiters ??= []).Add(waiter);
        }
        return WaitAsync(waiter, ct);
    }

    private async ValueTask<HeldRange> WaitAsync(Waiter waiter, CancellationToken ct)
    {
        using (ct.UnsafeRegister(static state => { var (self, waiting) = ((RangeLock, Waiter))state!; self.GiveUp(waiting); },
            (this, waiter)))
        {
            await waiter.Granted.Task.ConfigureAwait(false);
        }
        return new HeldRange(this, waiter.Range.Ticket);
    }

    internal void Release(long ticket)
    {
        lock (_gate)
        {
            int index = _held.FindIndex(range => range.Ticket == ticket);
            if (index < 0) return;
            _held.RemoveAt(index);
            GrantWaiters();
        }
    }

    private void GiveUp(Waiter waiter)
    {
        lock (_gate)
        {
            // Granted in the meantime: the waiter's await returns the range and its owner disposes it.
            if (_waiters?.Remove(waiter) != true) return;
            waiter.Granted.TrySetCanceled();
            GrantWaiters();
        }
    }

    private void GrantWaiters()
    {
        for (int i = 0; i < _waiters?.Count;)
        {
            var waiter = _waiters[i];
            if (!IsFree(waiter.Range, i))
            {
                i++;
                continue;
            }
            _waiters.RemoveAt(i);
            _held.Add(waiter.Range);
            waiter.Granted.TrySetResult();
        }
    }

    /// <summary>Overlaps nothing held and none of the first <paramref name="earlierWaiters"/> waiters.</summary>
    private bool IsFree(Range range, int earlierWaiters)
    {
        foreach (var held in _held)
            if (held.Overlaps(range)) return false;
        for (int i = 0; i < earlierWaiters; i++)
            if (_waiters![i].Range.Overlaps(range)) return false;
        return true;
    }

    private readonly record struct Range(long Start, long End, long Ticket)
    {
        public bool Overlaps(Range other) => Start < other.End && other.Start < End;
    }

    private sealed class Waiter(Range range)
    {
        public Range Range { get; } = range;
        public TaskCompletionSource Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
