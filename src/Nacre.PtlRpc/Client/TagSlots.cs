namespace Nacre.PtlRpc;

/// <summary>
/// The reply slots of modifying requests (02 section 12.5): a number of them, and one more for a close, so that a close never waits
/// for what it may be needed to finish. First come, first served. Safe for any thread.
/// </summary>
internal sealed class TagSlots
{
    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource<ushort>> _waiting = new();
    private readonly Queue<TaskCompletionSource<ushort>> _closesWaiting = new();
    private readonly List<ushort> _free = [1];
    private int _count = 1;
    private bool _closeSlotFree = true;

    /// <summary>The close's own tag is one beyond the others.</summary>
    private ushort CloseTag => (ushort)(_count + 1);

    /// <summary>
    /// Changes the number of slots: upwards unless a close holds its own, downwards only when none is taken. Otherwise the number stays
    /// until the next connect.
    /// </summary>
    public void Resize(int count)
    {
        lock (_gate)
        {
            count = Math.Max(1, count);
            if (!_closeSlotFree || (count < _count && _free.Count != _count))
            {
                return;
            }

            _free.RemoveAll(tag => tag > count);
            for (var tag = _count + 1; tag <= count; tag++)
            {
                AddSlot((ushort)tag);
            }

            _count = count;
        }
    }

    private void AddSlot(ushort tag)
    {
        if (_waiting.TryDequeue(out var waiter))
        {
            // Completes on another thread, outside of the lock.
            waiter.TrySetResult(tag);
        }
        else
        {
            _free.Add(tag);
        }
    }

    public ValueTask<ushort> AcquireAsync(bool close)
    {
        lock (_gate)
        {
            if (_free.Count > 0)
            {
                var tag = _free[^1];
                _free.RemoveAt(_free.Count - 1);
                return new ValueTask<ushort>(tag);
            }

            if (close && _closeSlotFree)
            {
                _closeSlotFree = false;
                return new ValueTask<ushort>(CloseTag);
            }

            var waiter = new TaskCompletionSource<ushort>(TaskCreationOptions.RunContinuationsAsynchronously);
            (close ? _closesWaiting : _waiting).Enqueue(waiter);
            return new ValueTask<ushort>(waiter.Task);
        }
    }

    public void Release(ushort tag)
    {
        TaskCompletionSource<ushort>? next;
        lock (_gate)
        {
            var queue = tag == CloseTag || _closesWaiting.Count > 0 ? _closesWaiting : _waiting;
            if (!queue.TryDequeue(out next))
            {
                if (tag == CloseTag)
                {
                    _closeSlotFree = true;
                }
                else
                {
                    _free.Add(tag);
                }
            }
        }

        next?.TrySetResult(tag);
    }
}
