namespace Nacre.Ldlm.Engine;

/// <summary>
/// What one operation on the table has to do once the gate is open again: nothing is sent, and nobody is woken, while it
/// is held.
/// </summary>
internal sealed class LockWork
{
    [ThreadStatic]
    private static LockWork? _spare;

    private readonly List<LockOwner> _pumps = [];
    private readonly List<(TaskCompletionSource Waiter, Exception? Error)> _waiters = [];

    public static LockWork Rent()
    {
        var work = _spare ?? new LockWork();
        _spare = null;
        return work;
    }

    /// <summary>The owner's callback queue has something new.</summary>
    public void Pump(LockOwner owner)
    {
        if (owner.IsPumping)
            return;
        owner.IsPumping = true;
        _pumps.Add(owner);
    }

    public void Wake(TaskCompletionSource waiter) => _waiters.Add((waiter, null));

    public void Fail(TaskCompletionSource waiter, Exception error) => _waiters.Add((waiter, error));

    /// <summary>Call with the gate open; the object must not be used after.</summary>
    public void Run(LockTable table)
    {
        foreach (var (waiter, error) in _waiters)
        {
            if (error is null)
                waiter.TrySetResult();
            else if (error is OperationCanceledException canceled)
                waiter.TrySetCanceled(canceled.CancellationToken);
            else
                waiter.TrySetException(error);
        }
        foreach (var owner in _pumps)
            table.PumpCallbacks(owner);
        _waiters.Clear();
        _pumps.Clear();
        _spare = this;
    }
}
