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
    /// is evicted. Not below 100 s in production: the client may have hundreds of megabytes to flush (03 section 9.4).
    /// </summary>
    public TimeSpan CallbackTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Callbacks in flight to one client; further ones queue, at most one of each kind a lock.</summary>
    public int CallbackWindow { get; init; } = 64;

    /// <summary>Clients asked by one glimpse. More than one only where lock-ahead clients hold locks.</summary>
    public int MaxGlimpseTargets { get; init; } = 16;
}
