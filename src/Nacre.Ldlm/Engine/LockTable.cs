using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>Length of the LVB written, 0 if the resource has none, or a negative errno. Called with the gate open.</summary>
internal delegate int LvbSource(in LdlmResId resource, LockType type, Span<byte> lvb);

/// <summary>How a request takes a conflict.</summary>
internal enum WaitRule
{
    Wait,

    /// <summary>BLOCK_NOWAIT: waits for ordinary locks, fails on GROUP locks (03 section 13.3).</summary>
    WaitUnlessGroup,

    /// <summary>Fails, and calls nobody back.</summary>
    Never,
}

internal enum EnqueueResult
{
    Granted,
    Waiting,

    /// <summary>Something conflicts and the rule says not to wait.</summary>
    Conflict,

    /// <summary>No mandatory bits, and none of the optional ones is free.</summary>
    NothingFree,

    /// <summary>The resource exists with another type.</summary>
    WrongType,

    /// <summary>One of the bounds of <see cref="LdlmOptions"/> is reached.</summary>
    Limit,

    /// <summary>The export is closed.</summary>
    OwnerGone,

    /// <summary>FLOCK: waiting would close a cycle.</summary>
    Deadlock,
}

/// <summary>
/// The locks of one namespace: who holds what, who waits, who has to be called back. Knows nothing of RPCs; clients are
/// <see cref="ILockClient"/>s.
/// </summary>
/// <remarks>
/// One gate guards everything. It is never held over an await, a message or a call out of this class; what has to happen
/// outside is gathered in a <see cref="LockWork"/> and done after. Rules that hold whenever the gate is open:
/// the invariant of <see cref="LockResource"/>; no waiting request is grantable, unless the table is recovering;
/// a contended, announced lock of a client has a running timer or a BL AST in its owner's queue.
/// </remarks>
internal sealed partial class LockTable : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<LdlmResId, LockResource> _resources = [];
    private readonly Dictionary<ulong, LdlmLock> _locks = [];
    private readonly BitsAhead _bitsAhead = new();
    private readonly ExtentsAhead _extentsAhead = new();
    private readonly List<LdlmLock> _scratch = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _stop;
    private readonly LdlmOptions _options;
    private readonly CallbackTimers _timers;
    private readonly LvbSource _lvbs;
    private readonly ILogger _log;
    private readonly string _name;
    private readonly ITimer _tick;
    private bool _recovering;

    public LockTable(string name, LvbSource lvbs, LdlmOptions options, TimeProvider time, ILogger log)
    {
        _name = name;
        _lvbs = lvbs;
        _options = options;
        _log = log;
        _stop = _stopping.Token;
        _timers = new CallbackTimers(time, options);
        var period = TimeSpan.FromSeconds(1);
        _tick = time.CreateTimer(static table => ((LockTable)table!).EvictExpired(), this, period, period);
    }

    public int LockCount
    {
        get
        {
            lock (_gate)
                return _locks.Count;
        }
    }

    public int ResourceCount
    {
        get
        {
            lock (_gate)
                return _resources.Count;
        }
    }

    /// <summary>Called-back locks whose cancel is awaited.</summary>
    public int RunningTimers
    {
        get
        {
            lock (_gate)
                return _timers.Count;
        }
    }

    public void Dispose()
    {
        _tick.Dispose();
        _stopping.Cancel();
        var work = LockWork.Rent();
        lock (_gate)
        {
            foreach (var l in _locks.Values)
                if (l is { State: LockState.Waiting, Waiter: { } waiter })
                    work.Fail(waiter, new OperationCanceledException(_stop));
        }
        work.Run(this);
        _stopping.Dispose();
    }

    /// <summary>
    /// Enters a request of a client or of the server, for every type but FLOCK. When it is granted or waits, the lock is in
    /// the table; its grant is told by <see cref="Announce"/>, a CP AST or its <see cref="LdlmLock.Waiter"/>.
    /// </summary>
    public EnqueueResult Enqueue(LdlmLock l, in LdlmResId name, LockType type, WaitRule rule)
    {
        var work = LockWork.Rent();
        EnqueueResult result;
        lock (_gate)
        {
            result = Admit(l.Owner);
            if (result == EnqueueResult.Granted)
                result = TryResource(name, type, out var resource) ? Enter(l, resource, rule, work) : EnqueueResult.WrongType;
        }
        work.Run(this);
        return result;
    }

    /// <summary>Something granted or waiting stands in the way of such a request.</summary>
    public bool HasConflict(in LdlmResId name, LockMode mode, in LdlmPolicy policy)
    {
        lock (_gate)
        {
            if (!_resources.TryGetValue(name, out var resource))
                return false;
            var probe = new LdlmLock(null, 0, mode, policy) { Resource = resource };
            return !resource.IsFree(probe);
        }
    }

    /// <summary>
    /// The client does I/O on [start, end]: its called-back locks there get more time (03 section 9.4).
    /// </summary>
    public void RefreshByIo(LockOwner owner, in LdlmResId name, ulong start, ulong end)
    {
        lock (_gate)
        {
            if (_timers.Count == 0 || !_resources.TryGetValue(name, out var resource)
                || resource is not ExtentResource extents)
                return;
            extents.CollectContended(start, end, _scratch);
            foreach (var l in _scratch)
                if (l.Owner == owner)
                    _timers.Refresh(l);
            _scratch.Clear();
        }
    }

    public bool IsGranted(LockOwner owner, ulong handle, in LdlmResId name)
    {
        lock (_gate)
            return _locks.TryGetValue(handle, out var l) && l.Owner == owner && l.State == LockState.Granted && l.Resource.Name == name;
    }

    public LdlmLock? FindByClientHandle(LockOwner owner, ulong clientHandle)
    {
        lock (_gate)
            return owner.ByClientHandle.GetValueOrDefault(clientHandle);
    }

    private EnqueueResult Enter(LdlmLock l, LockResource resource, WaitRule rule, LockWork work)
    {
        l.Resource = resource;
        var result = Decide(l, resource, rule);
        if (result == EnqueueResult.Granted)
        {
            Attach(l);
            Grant(l, work);
        }
        else if (result == EnqueueResult.Waiting)
        {
            Attach(l);
            l.State = LockState.Waiting;
            if (l.Has(LockMarks.WakesTask))
                l.Waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            resource.AddWaiting(l);
            CallBackFor(l, work);
        }
        else
        {
            ForgetIfEmpty(resource);
        }
        return result;
    }

    private EnqueueResult Decide(LdlmLock l, LockResource resource, WaitRule rule)
    {
        if (resource is InodeBitsResource bits && resource.Type == LockType.IBits && l.Policy.Bits == InodeBits.None
            && (l.Policy.TryBits & ~bits.TakenBits(l)) == InodeBits.None)
            return EnqueueResult.NothingFree;
        if (!_recovering && resource.IsFree(l))
            return EnqueueResult.Granted;
        if (rule == WaitRule.Never
            || (rule == WaitRule.WaitUnlessGroup && resource is ExtentResource extents && extents.ConflictsWithGroup(l)))
            return EnqueueResult.Conflict;
        return resource.Waiting?.Count >= _options.MaxWaitingPerResource ? EnqueueResult.Limit : EnqueueResult.Waiting;
    }

    /// <summary>Granted: the owner may have one lock more.</summary>
    private EnqueueResult Admit(LockOwner? owner)
    {
        if (owner is null)
            return EnqueueResult.Granted;
        if (owner.Dropped)
            return EnqueueResult.OwnerGone;
        return owner.LockCount >= _options.MaxLocksPerExport || _locks.Count >= _options.MaxLocks
            ? EnqueueResult.Limit
            : EnqueueResult.Granted;
    }

    private bool TryResource(in LdlmResId name, LockType type, [NotNullWhen(true)] out LockResource? resource)
    {
        if (_resources.TryGetValue(name, out resource))
            return resource.Type == type;
        resource = type switch
        {
            LockType.Extent => new ExtentResource(name),
            LockType.Flock => new FlockResource(name),
            _ => new InodeBitsResource(name, type),
        };
        _resources.Add(name, resource);
        return true;
    }

    private void ForgetIfEmpty(LockResource resource)
    {
        if (resource.IsEmpty && resource is not FlockResource { Undos.Count: > 0 })
            _resources.Remove(resource.Name);
    }

    private void Attach(LdlmLock l)
    {
        _locks.Add(l.Handle, l);
        l.Owner?.Attach(l);
    }

    /// <summary>
    /// Takes the lock out of the table, wherever it is. The caller reprocesses the resource. A server task that waits for
    /// it fails with <paramref name="reason"/>.
    /// </summary>
    private void Remove(LdlmLock l, Exception? reason, LockWork work)
    {
        if (l.State == LockState.Waiting)
        {
            l.Resource.RemoveWaiting(l);
            if (l.Resource.Type == LockType.Flock)
                ForgetFlockWaiter(l);
            if (l.Waiter is not null)
                work.Fail(l.Waiter, reason ?? new OperationCanceledException());
        }
        else if (l.State == LockState.Granted)
        {
            l.Resource.RemoveGranted(l);
        }
        l.State = LockState.Gone;
        _timers.Stop(l);
        _locks.Remove(l.Handle);
        l.Owner?.Detach(l);
    }

    private void EvictExpired()
    {
        while (true)
        {
            LdlmLock? expired;
            lock (_gate)
            {
                expired = _timers.FirstExpired();
                if (expired is null)
                    return;
                _timers.Start(expired); // should the eviction come to nothing, it is tried again
            }
            var owner = expired.Owner!;
            Log.TimerExpired(_log, _name, owner.Client.Description, expired.Resource.Name.ToString(), expired.Handle);
            owner.Client.Evict($"lock {expired.Handle:x} on {expired.Resource.Name} was called back and not given up");
        }
    }
}
