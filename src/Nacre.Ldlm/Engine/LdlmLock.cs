using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

internal enum LockState : byte
{
    /// <summary>Not yet in any list.</summary>
    New,
    Waiting,
    Granted,

    /// <summary>Removed: cancelled, dropped, refused. Its handle resolves to nothing, for ever.</summary>
    Gone,
}

[Flags]
internal enum LockMarks : byte
{
    None = 0,

    /// <summary>Someone wants the lock: a BL AST was sent, or goes out with the announcement of the grant. A lock is marked
    /// once; only a convert takes the mark away.</summary>
    AstSent = 1,

    /// <summary>The holder shall throw dirty data away.</summary>
    Discard = 2,

    /// <summary>The request forbade expansion.</summary>
    NoExpansion = 4,

    /// <summary>The reply to the enqueue is still being built and will tell the lock's state: no CP AST is needed.</summary>
    ReplyOpen = 8,

    /// <summary>The message that tells the client of the grant has its final contents: a later conflict needs a BL AST.</summary>
    Announced = 16,

    /// <summary>Holders called back for this request get DISCARD_DATA.</summary>
    DiscardBlockers = 32,

    /// <summary>A task of the server waits for the grant: gets a <see cref="LdlmLock.Waiter"/> if it cannot be had at once.</summary>
    WakesTask = 64,
}

/// <summary>
/// One lock of a client or (without an owner) of the server. All state is guarded by the gate of its <see cref="LockTable"/>.
/// </summary>
/// <remarks>
/// A lock is in exactly one place: the waiting list of its resource (Waiting) or its granted set (Granted). The links are
/// members of the lock itself, so that neither place allocates.
/// </remarks>
internal sealed class LdlmLock
{
    /// <summary>What is asked for while waiting, what is held when granted.</summary>
    public LdlmPolicy Policy;

    // Granted set of an EXTENT resource: treap node (ExtentTree).
    public LdlmLock? TreeLeft;
    public LdlmLock? TreeRight;
    public ulong TreeMaxEnd;
    public uint TreePriority;

    /// <summary>FLOCK: the place among the granted ranges; null while it is not granted.</summary>
    public FlockRange? Range;

    // Waiting list, or the list of uncontended granted locks of an IBITS or PLAIN resource.
    public LdlmLock? Previous;
    public LdlmLock? Next;

    // All locks of the owner.
    public LdlmLock? OwnerPrevious;
    public LdlmLock? OwnerNext;

    // Callback timer list, and the list it is in.
    public LdlmLock? TimerPrevious;
    public LdlmLock? TimerNext;
    public CallbackTimers.TimerList? TimerList;

    /// <summary>Time stamp at which the owner is evicted; meaningful while the lock is in a <see cref="TimerList"/>.</summary>
    public long Deadline;

    /// <summary>Milliseconds of the clock when the owner was first told that the lock is wanted; 0 before that.</summary>
    public long CalledBackAt;

    /// <summary>EXTENT: the range of the request message, to tell whether the grant differs from it. IBITS: first word the bits.</summary>
    public ulong RequestedStart;
    public ulong RequestedEnd;

    /// <summary>Completed at the grant, or failed at removal: a task of the server waits for this lock.</summary>
    public TaskCompletionSource? Waiter;

    public LdlmLock(LockOwner? owner, ulong clientHandle, LockMode mode, in LdlmPolicy policy)
    {
        Handle = HandleSource.Next();
        Owner = owner;
        ClientHandle = clientHandle;
        Mode = mode;
        Policy = policy;
        RequestedStart = policy.Start;
        RequestedEnd = policy.End;
    }

    public ulong Handle { get; }

    /// <summary>The client's own handle of the lock; 0 for locks of the server and for split-off pieces of flocks.</summary>
    public ulong ClientHandle { get; }

    /// <summary>The client; null for a lock of the server itself.</summary>
    public LockOwner? Owner { get; }

    public LockMode Mode { get; }

    /// <summary>Set when the lock is attached, never changed after.</summary>
    public LockResource Resource { get; set; } = null!;

    public LockState State { get; set; }

    public LockMarks Marks { get; set; }

    public bool IsContended => (Marks & LockMarks.AstSent) != 0;

    public bool IsAnnounced => (Marks & LockMarks.Announced) != 0;

    public bool Has(LockMarks marks) => (Marks & marks) != 0;

    public void Set(LockMarks marks) => Marks |= marks;

    public void Clear(LockMarks marks) => Marks &= ~marks;

    /// <summary>The descriptor for replies and CP ASTs.</summary>
    public LdlmLockDesc Describe() => new()
    {
        Resource = new LdlmResourceDesc { Type = Resource.Type, Name = Resource.Name },
        ReqMode = Mode,
        GrantedMode = State == LockState.Granted ? Mode : LockMode.None,
        Policy = Policy,
    };

    /// <summary>
    /// The descriptor with which a BL AST names this lock as the newcomer. The first policy word stands in the second one
    /// too, whatever the type, as genuine servers send it (03 section 8.6).
    /// </summary>
    public LdlmLockDesc DescribeAsBlocker()
    {
        var desc = Describe();
        desc.GrantedMode = LockMode.None;
        desc.Policy.End = desc.Policy.Start;
        return desc;
    }
}
