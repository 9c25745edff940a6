using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>POSIX and BSD file locks: 03 section 15.2.</summary>
internal sealed partial class LockTable
{
    private readonly List<LdlmLock> _own = [];

    /// <summary>F_GETLK: the lock that stands in the way, or null.</summary>
    public LdlmLockDesc? TestFlock(LdlmLock probe, in LdlmResId name)
    {
        lock (_gate)
        {
            if (!_resources.TryGetValue(name, out var resource) || resource is not FlockResource flocks)
                return null;
            probe.Resource = flocks;
            return flocks.FirstConflict(probe)?.Describe();
        }
    }

    /// <summary>
    /// Locks (PR, PW) or unlocks (NL) a range. Granted, the lock replaces what the holder had in its range. Nobody is
    /// called back, and those who wait already are not considered.
    /// </summary>
    public EnqueueResult EnqueueFlock(LdlmLock l, in LdlmResId name, bool wait)
    {
        var work = LockWork.Rent();
        EnqueueResult result;
        lock (_gate)
        {
            result = AdmitFlock(l, name);
            if (result == EnqueueResult.Granted)
                result = TryResource(name, LockType.Flock, out var resource)
                    ? EnterFlock(l, (FlockResource)resource, wait, work)
                    : EnqueueResult.WrongType;
        }
        work.Run(this);
        return result;
    }

    private EnqueueResult EnterFlock(LdlmLock l, FlockResource resource, bool wait, LockWork work)
    {
        l.Resource = resource;
        if (l.Mode == LockMode.NL)
        {
            WithdrawWaiter(resource, l, work);
            ForgetUndos(resource, FlockHolder.Of(l), l.Policy.Start, l.Policy.End);
            if (ApplyFlock(resource, l, granted: false))
                Reprocess(resource, work);
            else
                ForgetIfEmpty(resource);
            return EnqueueResult.Granted;
        }
        if (!resource.ConflictsWithGranted(l))
        {
            ForgetUndos(resource, FlockHolder.Of(l), l.Policy.Start, l.Policy.End);
            var freed = ApplyFlock(resource, l, granted: true);
            BreakCyclesThrough(resource, l, work);
            if (freed)
                Reprocess(resource, work);
            return EnqueueResult.Granted;
        }
        if (!wait)
            return EnqueueResult.Conflict;
        if (resource.Waiting?.Count >= _options.MaxWaitingPerResource)
            return EnqueueResult.Limit;
        if (ClosesCycle(l))
            return EnqueueResult.Deadlock;
        Attach(l);
        l.State = LockState.Waiting;
        resource.AddWaiting(l);
        RememberFlockWaiter(l);
        return EnqueueResult.Waiting;
    }

    /// <summary>
    /// An unlock inside a range makes two of one; that is the only way it can exceed the bound. Unlocking whole ranges
    /// always succeeds.
    /// </summary>
    private EnqueueResult AdmitFlock(LdlmLock l, in LdlmResId name)
    {
        var result = Admit(l.Owner);
        if (result != EnqueueResult.Limit || l.Mode != LockMode.NL)
            return result;
        return _resources.TryGetValue(name, out var resource) && resource is FlockResource flocks && Splits(flocks, l)
            ? EnqueueResult.Limit
            : EnqueueResult.Granted;
    }

    private bool Splits(FlockResource resource, LdlmLock l)
    {
        resource.CollectOwn(FlockHolder.Of(l), l.Policy.Start, l.Policy.End, _own);
        var splits = _own.Exists(held => held.Policy.Start < l.Policy.Start && held.Policy.End > l.Policy.End);
        _own.Clear();
        return splits;
    }

    /// <summary>
    /// Makes the range of <paramref name="l"/> the holder's in its mode: equal modes that touch it become one lock,
    /// others are trimmed, split or removed.
    /// </summary>
    /// <returns>True if others may do more now: a writer's range became a reader's, or nobody's.</returns>
    private bool ApplyFlock(FlockResource resource, LdlmLock l, bool granted)
    {
        var freed = false;
        ulong start = l.Policy.Start, end = l.Policy.End;
        var from = start == 0 ? 0 : start - 1;
        var to = end == ulong.MaxValue ? end : end + 1;
        resource.CollectOwn(FlockHolder.Of(l), from, to, _own);
        foreach (var held in _own)
        {
            if (held.Mode == l.Mode)
            {
                l.Policy.Start = Math.Min(l.Policy.Start, held.Policy.Start);
                l.Policy.End = Math.Max(l.Policy.End, held.Policy.End);
                RemovePiece(held);
            }
            else if (held.Policy.Start <= end && held.Policy.End >= start)
            {
                freed |= held.Mode == LockMode.PW || l.Mode == LockMode.NL;
                CutPiece(resource, held, start, end);
            }
        }
        _own.Clear();
        if (granted)
        {
            Attach(l);
            resource.Grant(l);
            l.State = LockState.Granted;
        }
        return freed;
    }

    /// <summary>Takes [start, end] away from a lock that overlaps it.</summary>
    private void CutPiece(FlockResource resource, LdlmLock held, ulong start, ulong end)
    {
        var keepsFront = held.Policy.Start < start;
        var keepsBack = held.Policy.End > end;
        var heldEnd = held.Policy.End;
        if (keepsFront)
            resource.Resize(held, held.Policy.Start, start - 1);
        else if (keepsBack)
            resource.Resize(held, end + 1, heldEnd);
        else
            RemovePiece(held);
        if (keepsFront && keepsBack)
            AddPiece(resource, FlockHolder.Of(held), held.Mode, end + 1, heldEnd, held.Policy.FlockPid);
    }

    /// <summary>A lock that no message of the client introduced.</summary>
    private void AddPiece(FlockResource resource, FlockHolder holder, LockMode mode, ulong start, ulong end, uint pid)
    {
        var piece = new LdlmLock(holder.Owner, 0, mode, LdlmPolicy.Flock(start, end, holder.Id, pid))
        {
            Resource = resource,
            State = LockState.Granted,
        };
        Attach(piece);
        resource.Grant(piece);
    }

    private void RemovePiece(LdlmLock held)
    {
        held.Resource.RemoveGranted(held);
        held.State = LockState.Gone;
        _locks.Remove(held.Handle);
        held.Owner!.Detach(held);
    }

    /// <summary>Grants every waiter that nothing granted excludes any more; again, as a grant can be a downgrade.</summary>
    private void ReprocessFlocks(FlockResource resource, LockWork work)
    {
        for (var again = true; again;)
        {
            again = false;
            LdlmLock? next;
            for (var l = resource.Waiting?.First; l is not null; l = next)
            {
                next = l.Next;
                if (resource.ConflictsWithGranted(l))
                    continue;
                again |= GrantWaitingFlock(resource, l, work);
                if (!BreakCyclesThrough(resource, l, work))
                    continue;
                again = true; // the list has changed under us
                break;
            }
        }
    }

    /// <returns>As <see cref="ApplyFlock"/>.</returns>
    private bool GrantWaitingFlock(FlockResource resource, LdlmLock l, LockWork work)
    {
        resource.RemoveWaiting(l);
        ForgetFlockWaiter(l);
        _locks.Remove(l.Handle);
        l.Owner!.Detach(l); // ApplyFlock attaches it again

        var holder = FlockHolder.Of(l);
        ForgetUndos(resource, holder, l.Policy.Start, l.Policy.End);
        var undo = RecordUndo(resource, l);
        l.State = LockState.Granted;
        var told = l.Describe();
        told.GrantedMode = l.Mode;
        var freed = ApplyFlock(resource, l, granted: true);
        Queue(l.Owner, new Callback(CallbackKind.FlockCompletion, l) { Blocker = told, Undo = undo }, work);
        return freed;
    }

    /// <summary>2.17 clients unlock the very range they wait for when their process is interrupted (03 section 25).</summary>
    private void WithdrawWaiter(FlockResource resource, LdlmLock unlock, LockWork work)
    {
        if (!unlock.Owner!.Client.WithdrawsFlockByUnlock)
            return;
        for (var l = resource.Waiting?.First; l is not null; l = l.Next)
        {
            if (FlockHolder.Of(l) != FlockHolder.Of(unlock)
                || l.Policy.Start != unlock.Policy.Start || l.Policy.End != unlock.Policy.End)
                continue;
            RefuseWaiter(l, LdlmFlags.AstSent, work);
            return;
        }
    }

    /// <summary>The waiter is dropped and told so: CP AST with granted mode 0.</summary>
    private void RefuseWaiter(LdlmLock l, LdlmFlags flags, LockWork work)
    {
        var told = l.Describe();
        Remove(l, null, work);
        Queue(l.Owner!, new Callback(CallbackKind.FlockRefusal, l) { Blocker = told, Flags = flags }, work);
    }
}
