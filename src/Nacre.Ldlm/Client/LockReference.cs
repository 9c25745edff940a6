namespace Nacre.Ldlm.Client;

/// <summary>
/// Pins a lock: it is not cancelled until the last reference is disposed. Dispose exactly once; copies are the same reference.
/// </summary>
public readonly struct LockReference : IDisposable, IEquatable<LockReference>
{
    private readonly ClientLock? _lock;

    internal LockReference(ClientLock held) => _lock = held;

    /// <summary>False for <c>default</c>.</summary>
    public bool IsHeld => _lock is not null;

    /// <exception cref="InvalidOperationException">The reference is <c>default</c>.</exception>
    public ClientLock Lock => _lock ?? throw new InvalidOperationException("no lock is held");

    public void Dispose() => _lock?.Namespace.Release(_lock);

    public bool Equals(LockReference other) => _lock == other._lock;

    public override bool Equals(object? obj) => obj is LockReference other && Equals(other);

    public override int GetHashCode() => _lock?.GetHashCode() ?? 0;

    public static bool operator ==(LockReference left, LockReference right) => left.Equals(right);

    public static bool operator !=(LockReference left, LockReference right) => !left.Equals(right);
}
