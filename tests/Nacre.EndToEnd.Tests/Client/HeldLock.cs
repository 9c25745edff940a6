using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;

namespace Nacre.EndToEnd.Client;

/// <summary>A lock this client holds or waits for. Everything in it is guarded by the lock table.</summary>
internal sealed class HeldLock(Import import, ulong cookie, LockType type)
{
    public Import Import { get; } = import;

    /// <summary>This client's handle.</summary>
    public ulong Cookie { get; } = cookie;

    public LockType Type { get; } = type;

    public LdlmResId Resource { get; set; }

    public LockMode Mode { get; set; }

    public LdlmPolicy Policy { get; set; }

    /// <summary>The server's handle; 0 until it is known.</summary>
    public ulong ServerHandle { get; set; }

    public bool IsGranted { get; set; }

    /// <summary>Called back: no new users, and it goes when the last one is done.</summary>
    public bool IsWanted { get; set; }

    /// <summary>Called back with the order to throw dirty data away.</summary>
    public bool Discard { get; set; }

    public int Users { get; set; } = 1;

    public OstLvb Lvb { get; set; }

    /// <summary>Completes with the grant; fails when the lock is lost while it waits.</summary>
    public TaskCompletionSource Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Called after a revocation, once the lock is given up.</summary>
    public Action? OnLost { get; set; }

    public bool Covers(LockMode mode, ulong start, ulong end) =>
        IsGranted && !IsWanted && (Mode == mode || (Mode == LockMode.PW && mode == LockMode.PR)) && Policy.Start <= start && Policy.End >= end;
}
