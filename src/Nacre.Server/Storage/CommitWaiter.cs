using System.Threading.Tasks.Sources;

namespace Nacre.Server.Storage;

/// <summary>
/// One wait for a commit. Unlike those of a task that many await, its continuation runs where it is completed, so a thread can
/// work through all who waited for a transaction. Used again once its result was taken; a wait nobody asks is left to the
/// collector.
/// </summary>
internal sealed class CommitWaiter(Action<CommitWaiter> returnToPool) : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core;

    /// <summary>The next one of the same transaction.</summary>
    public CommitWaiter? Next { get; set; }

    public ValueTask Task => new(this, _core.Version);

    public void Complete() => _core.SetResult(true);

    public void Fail(FsException reason) => _core.SetException(reason);

    void IValueTaskSource.GetResult(short token)
    {
        try
        {
            _core.GetResult(token);
        }
        finally
        {
            _core.Reset();
            returnToPool(this);
        }
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
