using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>Ways a lock, or a part of it, is given up.</summary>
internal sealed partial class LockTable
{
    /// <summary>Locks removed in one turn at the gate.</summary>
    private const int Batch = 512;

    private readonly List<LockResource> _touched = [];
    private long _batches;

    /// <summary>
    /// LDLM_CANCEL and early cancels. Unknown handles, and those of other clients, are skipped. Returns how many locks
    /// were given up.
    /// </summary>
    public int Cancel(LockOwner owner, ReadOnlySpan<ulong> handles)
    {
        var found = 0;
        while (!handles.IsEmpty)
        {
            var part = handles[..Math.Min(handles.Length, Batch)];
            handles = handles[part.Length..];
            var work = LockWork.Rent();
            lock (_gate)
            {
                var batch = ++_batches;
                foreach (var handle in part)
                {
                    if (!_locks.TryGetValue(handle, out var l) || l.Owner != owner)
                        continue;
                    _timers.GivenUp(l);
                    Remove(l, null, work);
                    Touch(l.Resource, batch);
                    found++;
                }
                ReprocessTouched(work);
            }
            work.Run(this);
        }
        return found;
    }

    /// <summary>The server gives up a lock of its own, or takes back one it made for a client. Harmless when it is gone.</summary>
    public void Release(LdlmLock l) => Release(l, null);

    /// <summary>As <see cref="Release(LdlmLock)"/> for a lock that may still wait: its waiter fails.</summary>
    public void Release(LdlmLock l, Exception? reason)
    {
        var work = LockWork.Rent();
        lock (_gate)
            RemoveAndReprocess(l, reason, work);
        work.Run(this);
    }

    /// <summary>
    /// Turns a lock the server holds into one of a client that allows no more, without a moment in which neither holds it.
    /// Anything but Granted means that the client is gone or has too many locks; the server's lock is released in any case.
    /// </summary>
    public EnqueueResult HandOver(LdlmLock from, LdlmLock to)
    {
        var work = LockWork.Rent();
        EnqueueResult result;
        lock (_gate)
        {
            var resource = from.Resource;
            result = from.State == LockState.Granted ? Admit(to.Owner) : EnqueueResult.OwnerGone;
            if (result == EnqueueResult.Granted)
            {
                Remove(from, null, work);
                to.Resource = resource;
                Attach(to);
                Grant(to, work);
                Reprocess(resource, work);
            }
            else
            {
                RemoveAndReprocess(from, null, work);
            }
        }
        work.Run(this);
        return result;
    }

    /// <summary>Ends the wait of a server task. A lock that was granted meanwhile stays granted.</summary>
    public void StopWaiting(LdlmLock l, CancellationToken cause)
    {
        var work = LockWork.Rent();
        lock (_gate)
        {
            if (l.State == LockState.Waiting)
                RemoveAndReprocess(l, new OperationCanceledException(cause), work);
        }
        work.Run(this);
    }

    /// <summary>
    /// LDLM_CONVERT: the holder keeps only <paramref name="kept"/>. Returns the bits now held, or null when the lock is
    /// unknown, not granted or not an IBITS lock of this owner and mode.
    /// </summary>
    public ConvertResult Convert(LockOwner owner, ulong handle, LockMode mode, InodeBits kept, out InodeBits held)
    {
        var work = LockWork.Rent();
        ConvertResult result;
        lock (_gate)
            result = Convert(owner, handle, mode, kept, work, out held);
        work.Run(this);
        return result;
    }

    /// <summary>Disconnect or eviction: nothing of the owner remains, and nothing of it can come any more.</summary>
    public void Drop(LockOwner owner, Exception reason)
    {
        for (var more = true; more;)
        {
            var work = LockWork.Rent();
            lock (_gate)
            {
                owner.Dropped = true;
                DropCallbacks(owner);
                var batch = ++_batches;
                for (var i = 0; i < Batch && owner.FirstLock is { } l; i++)
                {
                    Remove(l, reason, work);
                    Touch(l.Resource, batch);
                }
                more = owner.FirstLock is not null;
                ReprocessTouched(work);
            }
            work.Run(this);
        }
    }

    /// <summary>Replay: while recovering, nothing is granted by rule and nobody is called back. 03 section 20.</summary>
    public void BeginRecovery()
    {
        lock (_gate)
            _recovering = true;
    }

    public bool IsRecovering
    {
        get
        {
            lock (_gate)
                return _recovering;
        }
    }

    /// <summary>
    /// Enters a replayed lock as the client has it, without looking at conflicts. Only while recovering.
    /// </summary>
    public EnqueueResult Replay(LdlmLock l, in LdlmResId name, LockType type, bool granted)
    {
        lock (_gate)
        {
            var result = Admit(l.Owner);
            if (result != EnqueueResult.Granted)
                return result;
            if (!TryResource(name, type, out var resource))
                return EnqueueResult.WrongType;
            l.Resource = resource;
            l.Set(LockMarks.NoExpansion);
            Attach(l);
            if (granted)
            {
                resource.Grant(l);
                l.State = LockState.Granted;
                return EnqueueResult.Granted;
            }
            l.State = LockState.Waiting;
            resource.AppendWaiting(l);
            if (type == LockType.Flock)
                RememberFlockWaiter(l);
            return EnqueueResult.Waiting;
        }
    }

    /// <summary>All clients are through their replays: the ordinary rules hold again.</summary>
    public void EndRecovery()
    {
        var work = LockWork.Rent();
        lock (_gate)
        {
            _recovering = false;
            foreach (var resource in _resources.Values.ToArray())
            {
                Reprocess(resource, work);
                for (var waiter = resource.Waiting?.First; waiter is not null; waiter = waiter.Next)
                    CallBackFor(waiter, work);
            }
        }
        work.Run(this);
    }

    private ConvertResult Convert(
        LockOwner owner, ulong handle, LockMode mode, InodeBits kept, LockWork work, out InodeBits held)
    {
        held = InodeBits.None;
        if (!_locks.TryGetValue(handle, out var l) || l.Owner != owner || l.State != LockState.Granted)
            return ConvertResult.Unknown;
        if (l.Resource is not InodeBitsResource { Type: LockType.IBits } resource || l.Mode != mode
            || kept == InodeBits.None || (kept & ~l.Policy.Bits) != InodeBits.None)
            return ConvertResult.Refused;
        held = kept;
        if (kept == l.Policy.Bits)
            return ConvertResult.Converted;
        resource.ReduceBits(l, kept);
        _timers.GivenUp(l);
        MarkIfWanted(l, work);
        Reprocess(resource, work);
        return ConvertResult.Converted;
    }

    private void RemoveAndReprocess(LdlmLock l, Exception? reason, LockWork work)
    {
        if (l.State is LockState.New or LockState.Gone)
            return;
        Remove(l, reason, work);
        Reprocess(l.Resource, work);
    }

    private void Touch(LockResource resource, long batch)
    {
        if (resource.TouchedBy == batch)
            return;
        resource.TouchedBy = batch;
        _touched.Add(resource);
    }

    private void ReprocessTouched(LockWork work)
    {
        foreach (var resource in _touched)
            Reprocess(resource, work);
        _touched.Clear();
    }
}

internal enum ConvertResult
{
    Converted,

    /// <summary>No such lock of this client, or it is not granted.</summary>
    Unknown,

    /// <summary>Another mode, another type, or bits the lock does not have.</summary>
    Refused,
}
