using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Client;

/// <summary>A lock of this client: held, waited for, or just made. Everything in it changes under its namespace's gate.</summary>
public sealed class ClientLock
{
    internal ClientLock(
        ClientNamespace space, ulong handle, in LdlmResId resource, LockType type, LockMode mode, in LdlmPolicy policy,
        ILockOwner? owner, object? state)
    {
        Namespace = space;
        Handle = handle;
        Resource = resource;
        Type = type;
        Mode = mode;
        Policy = policy;
        Owner = owner;
        State = state;
    }

    /// <summary>This client's handle.</summary>
    public ulong Handle { get; }

    public LockType Type { get; }

    /// <summary>As granted once it is, which an intent may make another than the one asked for.</summary>
    public LdlmResId Resource { get; internal set; }

    /// <summary>As granted once it is.</summary>
    public LockMode Mode { get; internal set; }

    /// <summary>Extent or bits as granted once it is.</summary>
    public LdlmPolicy Policy { get; internal set; }

    /// <summary>The server's handle; 0 until it is known.</summary>
    public ulong ServerHandle { get; internal set; }

    public ClientNamespace Namespace { get; }

    /// <summary>
    /// Told before the lock goes. An intent's owner may not be known before its reply: set it before the reference from
    /// <see cref="ClientNamespace.AcceptAsync"/> is disposed.
    /// </summary>
    public ILockOwner? Owner { get; set; }

    /// <summary>Belongs to the owner.</summary>
    public object? State { get; set; }

    /// <summary>EXTENT: size and times that came with the grant.</summary>
    public OstLvb Lvb { get; internal set; }

    /// <summary>IBITS with the LAYOUT bit: the layout that came with the grant; empty when it has to be fetched (03 section 14.3).</summary>
    public ReadOnlyMemory<byte> LvbBytes { get; internal set; }

    /// <summary>Called back with the order to throw dirty data away instead of writing it.</summary>
    public bool Discard { get; internal set; }

    /// <summary>Called back or otherwise on its way out: nobody new can match it.</summary>
    public bool IsLeaving { get; internal set; }

    /// <summary>Set by the owner when nothing is cached under the lock any more, before it is cancelled.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>
    /// What came with the grant has been taken over by whoever is going to use it. Nobody can match the lock before: the size it brought tells which pages are
    /// zeros.
    /// </summary>
    internal bool IsAnnounced { get; set; } = true;

    /// <summary>On its way out so far that nothing can be written under it any more.</summary>
    internal bool IsClosed { get; set; }

    /// <summary>Set by the one who waits for the last of those who still write under it.</summary>
    internal TaskCompletionSource? Drained { get; set; }

    /// <summary>Lost or given up: what was cached under it is of the past.</summary>
    public bool IsGone => Stage == LockStage.Gone;

    public override string ToString() => $"{Type} {Mode} {Resource} {Policy.Start:x}-{Policy.End:x} {Stage}";

    internal LockStage Stage { get; set; }

    /// <summary>
    /// References out; the request that made it is one until it has handed its own on. On its way out a lock has none but those of
    /// <see cref="ClientNamespace.TryMatchDirty"/>.
    /// </summary>
    internal int Users { get; set; } = 1;

    /// <summary>Timestamp of the last release, for age and glimpses.</summary>
    internal long UnusedSince { get; set; }

    /// <summary>Set by the one who waits for the grant.</summary>
    internal TaskCompletionSource? Waiter { get; set; }

    /// <summary>Positive errno with which the lock was lost before it was granted.</summary>
    internal int Failure { get; set; }

    /// <summary>Its place among the unused ones; null when it is not there.</summary>
    internal LinkedListNode<ClientLock>? Unused { get; set; }

    /// <summary>Next lock of the same resource.</summary>
    internal ClientLock? Next { get; set; }

    /// <summary>Nobody keeps an unused one of these beyond its purpose, or only the server ends it (03 section 17.2).</summary>
    internal bool IsAgeless => Type is LockType.Plain or LockType.Flock || Mode == LockMode.Group;

    internal bool Covers(LockType type, LockMode mode, in LdlmPolicy policy) => Type == type
        && IncludesMode(mode)
        && type switch
        {
            LockType.Extent => Policy.Start <= policy.Start && Policy.End >= policy.End,
            LockType.IBits => (policy.Bits & ~Policy.Bits) == 0,
            LockType.Plain => true,
            _ => false,
        };

    /// <summary>At least as exclusive as the other mode: whatever conflicts with that one conflicts with this.</summary>
    private bool IncludesMode(LockMode mode) => Mode == mode
        || (Mode != LockMode.Group && mode != LockMode.Group && (LockModes.CompatibleSet(Mode) & ~LockModes.CompatibleSet(mode)) == 0);
}

/// <summary>States of 03 section 19.1, as far as they are not told by <see cref="ClientLock.Users"/>.</summary>
internal enum LockStage
{
    /// <summary>Not granted: about to be asked for, asked for, or waiting at the server.</summary>
    Pending,
    Granted,

    /// <summary>What is cached under it is being flushed; it is still known by its handle.</summary>
    Leaving,
    Gone,
}
