using System.Runtime.CompilerServices;
using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm;

/// <summary>Locks the target takes for its own operations: 03 sections 10.6, 12.3 and 13.5.</summary>
public sealed partial class LdlmNamespace
{
    /// <summary>
    /// Takes an IBITS lock; waits, without holding a thread, while clients give up what conflicts. Cancelling
    /// <paramref name="ct"/> withdraws the request.
    /// </summary>
    public ValueTask<ServerLock> LockAsync(in LdlmResId res, LockMode mode, InodeBits bits, CancellationToken ct) =>
        LockLocal(LocalLock(mode, LdlmPolicy.IBits(bits)), res, LockType.IBits, ct);

    /// <summary>
    /// Takes an EXTENT lock on bytes <paramref name="start"/> to <paramref name="end"/> inclusive, exactly. With
    /// AST_DISCARD_DATA in <paramref name="flags"/> holders throw their dirty data away.
    /// </summary>
    public ValueTask<ServerLock> LockExtentAsync(
        in LdlmResId res, LockMode mode, ulong start, ulong end, LdlmFlags flags, CancellationToken ct)
    {
        var l = LocalLock(mode, LdlmPolicy.Extent(start, end));
        if ((flags & LdlmFlags.AstDiscardData) != 0)
            l.Set(LockMarks.DiscardBlockers);
        return LockLocal(l, res, LockType.Extent, ct);
    }

    /// <summary>Takes a PLAIN lock, as the MGS does before it changes a configuration log.</summary>
    public ValueTask<ServerLock> LockPlainAsync(in LdlmResId res, LockMode mode, CancellationToken ct) =>
        LockLocal(LocalLock(mode, default), res, LockType.Plain, ct);

    /// <summary>Takes an IBITS lock if that needs no waiting; nobody is called back. Null otherwise.</summary>
    public ServerLock? TryLock(in LdlmResId res, LockMode mode, InodeBits bits)
    {
        var l = LocalLock(mode, LdlmPolicy.IBits(bits));
        return _table.Enqueue(l, res, LockType.IBits, WaitRule.Never) == EnqueueResult.Granted ? new ServerLock(_table, l) : null;
    }

    /// <summary>Someone holds, or waits for, what excludes such a lock.</summary>
    public bool HasConflict(in LdlmResId res, LockMode mode, InodeBits bits) =>
        _table.HasConflict(res, mode, LdlmPolicy.IBits(bits));

    private static LdlmLock LocalLock(LockMode mode, in LdlmPolicy policy)
    {
        var l = new LdlmLock(null, 0, mode, policy);
        l.Set(LockMarks.WakesTask);
        return l;
    }

    private ValueTask<ServerLock> LockLocal(LdlmLock l, in LdlmResId res, LockType type, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return _table.Enqueue(l, res, type, WaitRule.Wait) switch
        {
            EnqueueResult.Granted => new ValueTask<ServerLock>(new ServerLock(_table, l)),
            EnqueueResult.Waiting => WaitForServerLockAsync(l, ct),
            var result => throw Refusal(result),
        };
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ServerLock> WaitForServerLockAsync(LdlmLock l, CancellationToken ct)
    {
        await WaitForGrantAsync(l, ct).ConfigureAwait(false);
        return new ServerLock(_table, l);
    }

    /// <summary>Ends with the grant. Otherwise throws, and the lock is gone: cancelled, or its export closed.</summary>
    private async ValueTask WaitForGrantAsync(LdlmLock l, CancellationToken ct)
    {
        using var registration = ct.UnsafeRegister(
            static (state, token) =>
            {
                var (table, waiting) = ((LockTable, LdlmLock))state!;
                table.StopWaiting(waiting, token);
            },
            (_table, l));
        try
        {
            await l.Waiter!.Task.ConfigureAwait(false);
        }
        catch (OperationCanceledException gone) when (!gone.CancellationToken.CanBeCanceled)
        {
            // Nobody cancelled the wait: the client has named the lock's handle in a cancel, or in another enqueue, while it waited.
            throw new RpcException(Errno.ECANCELED, message: "the client gave the lock up while it waited");
        }
    }
}
