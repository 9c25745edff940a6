namespace Nacre.Ldlm;

/// <summary>Lock types a namespace accepts from clients.</summary>
[Flags]
public enum LockTypes
{
    Plain = 1,
    Extent = 2,
    Flock = 4,
    IBits = 8,
    All = Plain | Extent | Flock | IBits,
}

/// <summary>Bounds and times of one namespace. Every number that a client could drive is bounded here.</summary>
public sealed record LdlmOptions
{
    /// <summary>Types clients may ask for; others end in EFAULT. An OST allows EXTENT, an MGS PLAIN, an MDT IBITS and FLOCK.</summary>
    public LockTypes ClientTypes { get; init; } = LockTypes.All;

    /// <summary>Locks, granted and waiting, one client may have in this namespace; more end in ENOMEM.</summary>
    public int MaxLocksPerExport { get; init; } = 1_000_000;

    /// <summary>Locks of all clients and of the server together; more end in ENOMEM.</summary>
    public int MaxLocks { get; init; } = 16_000_000;

    /// <summary>Requests that may wait for one resource; more end in ENOMEM.</summary>
    public int MaxWaitingPerResource { get; init; } = 16_384;

    /// <summary>
    /// How long a client may keep a lock that was called back, and how long it may leave a callback unanswered, before it
    /// is evicted: one and a half times the longest it has needed lately from a BL AST to the cancel, and not less than this.
    /// Not below 100 s in production: the client may have hundreds of megabytes to flush (03 section 9.4).
    /// </summary>
    public TimeSpan MinCallbackTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>What a client is taken to need from a BL AST to the cancel until it has given up the first lock.</summary>
    public TimeSpan AssumedCancelTime { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>
    /// Longer times from a BL AST to the cancel count as this one, so that a client cannot drive its own timeout up without
    /// limit by writing slowly under the lock.
    /// </summary>
    public TimeSpan MaxCancelTime { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>Callbacks in flight to one client; further ones queue, at most one of each kind a lock.</summary>
    public int CallbackWindow { get; init; } = 64;

    /// <summary>Clients asked by one glimpse. More than one only where lock-ahead clients hold locks.</summary>
    public int MaxGlimpseTargets { get; init; } = 16;
}
