using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm;

/// <summary>A granted lock of the server itself. Disposing releases it and grants what waited for it; twice is harmless.</summary>
public sealed class ServerLock : IDisposable
{
    private readonly LockTable _table;
    private LdlmLock? _lock;

    internal ServerLock(LockTable table, LdlmLock granted)
    {
        _table = table;
        _lock = granted;
        Resource = granted.Resource.Name;
        Mode = granted.Mode;
    }

    public LdlmResId Resource { get; }

    public LockMode Mode { get; }

    public void Dispose()
    {
        if (Take() is { } held)
            _table.Release(held);
    }

    /// <summary>The lock, for whoever releases it instead; null when it is released.</summary>
    internal LdlmLock? Take() => Interlocked.Exchange(ref _lock, null);
}
