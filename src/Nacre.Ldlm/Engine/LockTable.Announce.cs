using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

internal enum Announcement
{
    /// <summary>The reply is filled in and final.</summary>
    Final,

    /// <summary>The lock was granted meanwhile: fetch the LVB again, then try again.</summary>
    Changed,

    /// <summary>The lock was dropped meanwhile.</summary>
    Gone,
}

/// <summary>Telling a client the state of its lock in the reply to its request: 03 sections 8.2 and 18.2.</summary>
internal sealed partial class LockTable
{
    public LockState StateOf(LdlmLock l)
    {
        lock (_gate)
            return l.State;
    }

    /// <summary>
    /// Fills lock, handle and the flags that follow from the lock's state. From here on, a waiting lock is announced by a
    /// CP AST and a granted one is called back by a BL AST; what happened before stands in this reply.
    /// </summary>
    /// <param name="expected">The state for which the LVB of the reply was fetched.</param>
    public Announcement Announce(LdlmLock l, LockState expected, ref LdlmReply reply)
    {
        lock (_gate)
        {
            if (l.State == LockState.Gone)
                return Announcement.Gone;
            if (l.State != expected)
                return Announcement.Changed;
            l.Clear(LockMarks.ReplyOpen);
            reply.LockHandle = l.Handle;
            reply.LockDesc = l.Describe();
            if (l.State == LockState.Granted)
                AnnounceGrant(l, ref reply);
            else
                reply.LockFlags |= WaitingFlags(l);
            return Announcement.Final;
        }
    }

    /// <summary>The client's own handle of a lock; 0 when the lock is gone.</summary>
    public ulong ClientHandleOf(ulong handle)
    {
        lock (_gate)
            return _locks.TryGetValue(handle, out var l) ? l.ClientHandle : 0;
    }

    /// <summary>Releases a lock that was made for a client and did not get into a reply.</summary>
    public void ReleaseUntold(LockOwner owner, ulong clientHandle)
    {
        if (FindByClientHandle(owner, clientHandle) is { } l && l.Has(LockMarks.ReplyOpen))
            Release(l);
    }

    private void AnnounceGrant(LdlmLock l, ref LdlmReply reply)
    {
        if (DiffersFromRequest(l))
            reply.LockFlags |= LdlmFlags.LockChanged;
        if (l.IsContended)
            reply.LockFlags |= LdlmFlags.AstSent;
        if (!l.IsAnnounced && l.IsContended)
            _timers.Start(l);
        l.Set(LockMarks.Announced);
    }

    private static bool DiffersFromRequest(LdlmLock l) => l.Resource.Type switch
    {
        LockType.Extent => l.Policy.Start != l.RequestedStart || l.Policy.End != l.RequestedEnd,
        LockType.IBits => (ulong)l.Policy.Bits != l.RequestedStart,
        _ => false,
    };

    // A flock's process may be interrupted by the user; all others wait as long as the holders need.
    private static LdlmFlags WaitingFlags(LdlmLock l) => l.Resource.Type == LockType.Flock
        ? LdlmFlags.BlockGranted
        : LdlmFlags.BlockGranted | LdlmFlags.NoTimeout;
}
