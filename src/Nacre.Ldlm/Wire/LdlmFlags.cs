namespace Nacre.Ldlm.Wire;

/// <summary>Lock flags that travel. Protocol reference 03 section 6.</summary>
[Flags]
public enum LdlmFlags : uint
{
    None = 0,

    /// <summary>Reply: the descriptor differs from the request; without it the client ignores the descriptor.</summary>
    LockChanged = 0x0000_0001,

    /// <summary>Reply: the lock <b>waits</b>. Request with <see cref="Replay"/>: the client <b>holds</b> it granted.</summary>
    BlockGranted = 0x0000_0002,

    /// <summary>Request with <see cref="Replay"/>: the client has the lock waiting.</summary>
    BlockWait = 0x0000_0008,

    /// <summary>Fail at once with EAGAIN when anything conflicts.</summary>
    Speculative = 0x0000_0010,

    /// <summary>Reply and CP AST: granted, but someone wants it already.</summary>
    AstSent = 0x0000_0020,

    Replay = 0x0000_0100,
    IntentOnly = 0x0000_0200,
    HasIntent = 0x0000_1000,

    /// <summary>CP AST: the waiting flock was dropped because it closed a cycle.</summary>
    FlockDeadlock = 0x0000_8000,

    /// <summary>BL and CP AST: throw dirty data away instead of writing it.</summary>
    DiscardData = 0x0001_0000,

    /// <summary>Reply: wait for the CP AST without a limit.</summary>
    NoTimeout = 0x0002_0000,

    /// <summary>Do not wait: F_SETLK, asynchronous glimpse, group lock try.</summary>
    BlockNoWait = 0x0004_0000,

    /// <summary>F_GETLK; must be echoed.</summary>
    TestLock = 0x0008_0000,

    CancelOnBlock = 0x0080_0000,
    NoExpansion = 0x2000_0000,
    DenyOnContention = 0x4000_0000,

    /// <summary>Request: holders called back because of it get <see cref="DiscardData"/>.</summary>
    AstDiscardData = 0x8000_0000,

    /// <summary>The bits that may be set in an enqueue request; a 2.17 server refuses others.</summary>
    EnqueueMask = 0xe08c_131a,

    /// <summary>The bits that may be set in a callback; a 2.17 client refuses others, which ends in its eviction.</summary>
    CallbackMask = 0x0001_8020,
}
