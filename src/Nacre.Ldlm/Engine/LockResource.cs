using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>
/// One lockable thing: its granted locks and its waiting requests. Knows which locks conflict; what follows from a
/// conflict is decided by <see cref="LockTable"/>, whose gate guards everything here.
/// </summary>
/// <remarks>
/// Invariant of PLAIN, IBITS and EXTENT between operations: of every pair of a granted lock and a waiting request that
/// conflict, the granted lock is contended (marked AstSent), or it is a GROUP lock, which nobody calls back.
/// Granted locks that are not contended are kept apart, so that looking for someone to call back never walks over locks
/// that were called back before.
/// </remarks>
internal abstract class LockResource(in LdlmResId name, LockType type)
{
    private readonly LdlmResId _name = name;

    public ref readonly LdlmResId Name => ref _name;

    public LockType Type { get; } = type;

    public int GrantedCount { get; protected set; }

    /// <summary>Null while nobody waits: most resources never have a queue.</summary>
    public WaitingList? Waiting { get; private set; }

    public bool IsEmpty => GrantedCount == 0 && Waiting is null;

    /// <summary>Last cancel batch that touched the resource; keeps one batch from reprocessing it twice.</summary>
    public long TouchedBy { get; set; }

    /// <summary>A granted lock stands in the way of <paramref name="l"/>.</summary>
    public abstract bool ConflictsWithGranted(LdlmLock l);

    /// <summary>Modes incompatible and policies overlapping: two requests, or a request and what is held.</summary>
    public abstract bool Conflict(LdlmLock a, LdlmLock b);

    /// <summary>Settles what exactly is granted (extent, bits) and adds the lock to the granted set.</summary>
    public abstract void Grant(LdlmLock l);

    public abstract void RemoveGranted(LdlmLock l);

    /// <summary>Adds to <paramref name="into"/> every granted, not yet contended lock that conflicts with the waiter and may be called back.</summary>
    public abstract void CollectUncontended(LdlmLock waiter, List<LdlmLock> into);

    /// <summary>Moves a granted lock among the contended ones.</summary>
    public abstract void MarkContended(LdlmLock l);

    /// <summary>A granted GROUP lock of this group admits others of it whoever waits: 03 section 13.3.</summary>
    public virtual bool HasGrantedGroup(ulong gid) => false;

    /// <summary>Nothing granted and nobody who asked before stands in the way.</summary>
    public bool IsFree(LdlmLock l)
    {
        if (ConflictsWithGranted(l))
            return false;
        return l.Mode == LockMode.Group
            ? HasGrantedGroup(l.Policy.Gid) || !OtherGroupWaits(l)
            : !HasConflictingWaiter(l);
    }

    /// <summary>A waiting request that conflicts with <paramref name="l"/>, or null.</summary>
    public virtual LdlmLock? FirstConflictingWaiter(LdlmLock l)
    {
        if (Waiting is null || !MayConflictWithWaiters(l))
            return null;
        for (var waiter = Waiting.First; waiter is not null; waiter = waiter.Next)
            if (waiter != l && Conflict(l, waiter))
                return waiter;
        return null;
    }

    /// <summary>Whether there is one, which some types know without looking for it.</summary>
    public virtual bool HasConflictingWaiter(LdlmLock l) => FirstConflictingWaiter(l) is not null;

    public void AddWaiting(LdlmLock l)
    {
        Waiting ??= new WaitingList();
        if (l.Mode == LockMode.Group && Type != LockType.Flock)
            Waiting.InsertBefore(GroupPlace(l), l);
        else
            Waiting.Append(l);
        OnWaiting(l);
    }

    /// <summary>As <see cref="AddWaiting"/> without regard to the mode: the order of a replay.</summary>
    public void AppendWaiting(LdlmLock l)
    {
        (Waiting ??= new WaitingList()).Append(l);
        OnWaiting(l);
    }

    public void RemoveWaiting(LdlmLock l)
    {
        Waiting!.Remove(l);
        if (Waiting.Count == 0)
            Waiting = null;
        OnNotWaiting(l);
    }

    /// <summary>The request has joined the queue.</summary>
    protected virtual void OnWaiting(LdlmLock l)
    {
    }

    /// <summary>The request has left the queue; its policy is still that of the request.</summary>
    protected virtual void OnNotWaiting(LdlmLock l)
    {
    }

    /// <summary>A GROUP request that <paramref name="l"/> excludes waits already. They wait in front of all others.</summary>
    protected bool OtherGroupWaits(LdlmLock l)
    {
        var waiter = Waiting?.First;
        for (; waiter is not null && waiter.Mode == LockMode.Group; waiter = waiter.Next)
            if (Conflict(waiter, l))
                return true;
        return false;
    }

    /// <summary>The modes of <paramref name="a"/> and <paramref name="b"/> exclude each other.</summary>
    protected static bool ModesExclude(LdlmLock a, LdlmLock b)
    {
        if (!LockModes.Compatible(a.Mode, b.Mode))
            return true;
        return a.Mode == LockMode.Group && b.Mode == LockMode.Group && a.Policy.Gid != b.Policy.Gid;
    }

    private bool MayConflictWithWaiters(LdlmLock l) =>
        (Waiting!.Modes & (LockModes.ConflictSet(l.Mode) | (uint)(l.Mode & LockMode.Group))) != 0;

    /// <summary>GROUP requests wait before the first other request, those of one group together: 03 section 13.3.</summary>
    private LdlmLock? GroupPlace(LdlmLock l)
    {
        var sameGroupSeen = false;
        var waiter = Waiting!.First;
        for (; waiter is not null && waiter.Mode == LockMode.Group; waiter = waiter.Next)
        {
            if (waiter.Policy.Gid == l.Policy.Gid)
                sameGroupSeen = true;
            else if (sameGroupSeen)
                break;
        }
        return waiter;
    }
}
