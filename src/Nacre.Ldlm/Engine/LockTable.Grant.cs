using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>Granting, calling back, and looking again after something was given up: 03 section 10.</summary>
internal sealed partial class LockTable
{
    /// <summary>The request may be granted: nothing granted and nobody in front of it conflicts.</summary>
    private void Grant(LdlmLock l, LockWork work)
    {
        l.Resource.Grant(l);
        l.State = LockState.Granted;
        MarkIfWanted(l, work);
        if (l.Waiter is not null)
            work.Wake(l.Waiter);
        else if (l.Owner is not null && !l.Has(LockMarks.ReplyOpen))
            Queue(l.Owner, new Callback(CallbackKind.Completion, l), work);
    }

    /// <summary>A request that waits already may want what was just granted.</summary>
    private void MarkIfWanted(LdlmLock l, LockWork work)
    {
        if (l.Mode == LockMode.Group || l.IsContended || !l.Resource.HasConflictingWaiter(l))
            return;
        if (l.Resource is InodeBitsResource bits && !l.IsAnnounced)
            MarkContended(l, bits.WaitingBits(l, withOptional: false), discard: false);
        else
            Contend(l, l.Resource.FirstConflictingWaiter(l)!, work);
    }

    /// <summary>Calls back every granted lock in the way of a request that has begun to wait.</summary>
    private void CallBackFor(LdlmLock waiter, LockWork work)
    {
        if (_recovering)
            return;
        waiter.Resource.CollectUncontended(waiter, _scratch);
        foreach (var l in _scratch)
            Contend(l, waiter, work);
        _scratch.Clear();
    }

    /// <summary>
    /// The granted lock is wanted. A server's own lock is released at the end of its operation anyway; a client gets a BL
    /// AST, or hears of it with the announcement if that is still to be sent.
    /// </summary>
    private void Contend(LdlmLock l, LdlmLock blocker, LockWork work)
    {
        MarkContended(l, (ulong)blocker.Policy.Bits, blocker.Has(LockMarks.DiscardBlockers));
        if (l.Owner is not null && l.IsAnnounced)
            Queue(l.Owner, new Callback(CallbackKind.Blocking, l) { Blocker = blocker.DescribeAsBlocker() }, work);
    }

    /// <param name="bits">IBITS: what is wanted of the lock, for a reply that tells so.</param>
    private static void MarkContended(LdlmLock l, ulong bits, bool discard)
    {
        l.Resource.MarkContended(l);
        l.Set(LockMarks.AstSent);
        if (discard)
            l.Set(LockMarks.Discard);
        if (l.Resource.Type == LockType.IBits)
            l.Policy.CancelBits = (InodeBits)bits;
    }

    /// <summary>Something on the resource was given up: grants what has become free, in order.</summary>
    private void Reprocess(LockResource resource, LockWork work)
    {
        if (!_recovering && resource.Waiting is not null)
        {
            if (resource is FlockResource flocks)
                ReprocessFlocks(flocks, work);
            else
                ReprocessQueue(resource, work);
        }
        ForgetIfEmpty(resource);
    }

    private void ReprocessQueue(LockResource resource, LockWork work)
    {
        AheadSet ahead = resource.Type == LockType.Extent ? _extentsAhead : _bitsAhead;
        ahead.Clear();
        LdlmLock? next;
        for (var l = resource.Waiting!.First; l is not null; l = next)
        {
            next = l.Next;
            if (ahead.Blocks(l) || resource.ConflictsWithGranted(l))
            {
                ahead.Add(l);
                if (ahead.BlocksAll(resource.Waiting!))
                    return;
                continue;
            }
            resource.RemoveWaiting(l);
            Grant(l, work);
        }
    }
}
