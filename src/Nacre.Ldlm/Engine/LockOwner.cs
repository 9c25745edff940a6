using Nacre.LNet;

namespace Nacre.Ldlm.Engine;

/// <summary>Answer of a client to a callback: status 0, a negative errno or -303; the LVB of a glimpse, else empty.</summary>
internal readonly record struct CallbackReply(int Status, ReadOnlyMemory<byte> Lvb);

/// <summary>A connected client as the grant engine sees it: the seam between locks and RPCs.</summary>
internal interface ILockClient
{
    /// <summary>For logs.</summary>
    string Description { get; }

    /// <summary>Part of a flock holder's identity in deadlock detection: one node can have several exports.</summary>
    Nid Node { get; }

    /// <summary>Length of an object's LVB to this client: 56, or 40 without LVB_TYPE.</summary>
    int LvbLength { get; }

    /// <summary>FLOCK_DEAD was negotiated.</summary>
    bool UnderstandsFlockDeadlock { get; }

    /// <summary>The client withdraws a waiting flock by an unlock of the same range (2.17 and later).</summary>
    bool WithdrawsFlockByUnlock { get; }

    /// <summary>
    /// Sends LDLM_BL, CP or GL_CALLBACK. Resends as needed within <paramref name="timeout"/>, each time after a call of
    /// <paramref name="resending"/>; throws when no answer came.
    /// </summary>
    ValueTask<CallbackReply> CallAsync(
        uint opcode, ReadOnlyMemory<byte> request, ReadOnlyMemory<byte> lvb, bool hasLvb, TimeSpan timeout, Action? resending,
        CancellationToken ct);

    void Evict(string reason);
}

/// <summary>The locks of one client in one namespace. Guarded by the gate of the table.</summary>
internal sealed class LockOwner(LockTable table, ILockClient client)
{
    public LockTable Table { get; } = table;

    public ILockClient Client { get; } = client;

    /// <summary>Once set no lock is attached any more.</summary>
    public bool Dropped { get; set; }

    /// <summary>Made when the client first gives up a lock that was called back; the timers' business.</summary>
    public CancelTimes? CancelTimes { get; set; }

    public int LockCount { get; private set; }

    public LdlmLock? FirstLock { get; private set; }

    /// <summary>Finds the lock of a resent or replayed enqueue.</summary>
    public Dictionary<ulong, LdlmLock> ByClientHandle { get; } = [];

    /// <summary>Callbacks that wait for a place in the window. Bounded: at most a BL and a CP AST for each lock.</summary>
    public Queue<Callback> Callbacks { get; } = new();

    public int CallbacksInFlight { get; set; }

    /// <summary>Someone is starting callbacks from the queue and will see what is added to it.</summary>
    public bool IsPumping { get; set; }

    public void Attach(LdlmLock l)
    {
        l.OwnerNext = FirstLock;
        if (FirstLock is not null)
            FirstLock.OwnerPrevious = l;
        FirstLock = l;
        LockCount++;
        if (l.ClientHandle != 0)
            ByClientHandle[l.ClientHandle] = l;
    }

    public void Detach(LdlmLock l)
    {
        if (l.OwnerPrevious is null)
            FirstLock = l.OwnerNext;
        else
            l.OwnerPrevious.OwnerNext = l.OwnerNext;
        if (l.OwnerNext is not null)
            l.OwnerNext.OwnerPrevious = l.OwnerPrevious;
        l.OwnerPrevious = l.OwnerNext = null;
        LockCount--;
        if (l.ClientHandle != 0 && ByClientHandle.TryGetValue(l.ClientHandle, out var indexed) && indexed == l)
            ByClientHandle.Remove(l.ClientHandle);
    }
}
