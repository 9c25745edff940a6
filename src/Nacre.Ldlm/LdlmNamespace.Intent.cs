using System.Runtime.CompilerServices;
using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;

namespace Nacre.Ldlm;

/// <summary>Intents, and the locks they give to clients: 03 sections 12.2 and 16.</summary>
public sealed partial class LdlmNamespace
{
    /// <summary>
    /// Gives the client of an intent a lock: <paramref name="bits"/> for certain, waiting for their holders, and those of
    /// <paramref name="tryBits"/> that are free. Null when there are no mandatory bits and no optional one is free: the
    /// reply then is 301. The lock is the client's once <see cref="FillReply"/> has put it into the reply.
    /// </summary>
    /// <remarks>The lock of a first copy of a resent request is found by the client's handle and given again.</remarks>
    public ValueTask<ClientLock?> GrantToClientAsync(
        RpcRequest r, in LdlmResId res, LockMode mode, InodeBits bits, InodeBits tryBits, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var result = EnqueueForClient(r, res, mode, bits, tryBits, WaitRule.Wait, out var l);
        return result switch
        {
            EnqueueResult.Granted => new ValueTask<ClientLock?>(new ClientLock(_table, l)),
            EnqueueResult.Waiting => WaitForClientLockAsync(l, ct),
            EnqueueResult.NothingFree => new ValueTask<ClientLock?>((ClientLock?)null),
            _ => throw Refusal(result),
        };
    }

    /// <summary>As <see cref="GrantToClientAsync"/>, but null when a mandatory bit is not free or the client has as many locks as it
    /// may have. Nobody is called back.</summary>
    public ClientLock? TryGrantToClient(RpcRequest r, in LdlmResId res, LockMode mode, InodeBits bits, InodeBits tryBits) =>
        EnqueueForClient(r, res, mode, bits, tryBits, WaitRule.Never, out var l) switch
        {
            EnqueueResult.Granted => new ClientLock(_table, l),
            EnqueueResult.NothingFree or EnqueueResult.Conflict or EnqueueResult.Limit => null,
            var result => throw Refusal(result),
        };

    /// <summary>
    /// Turns a lock of the server into the client's, without a moment in which neither holds it: for a layout that was
    /// changed under EX and is returned with CR. The new lock must not exclude, or cover, more than the old one.
    /// <paramref name="held"/> is released in any case.
    /// </summary>
    public ClientLock HandToClient(ServerLock held, RpcRequest r, LockMode mode, InodeBits bits)
    {
        var from = held.Take() ?? throw new ObjectDisposedException(nameof(ServerLock));
        if ((LockModes.ConflictSet(mode) & ~LockModes.ConflictSet(from.Mode)) != 0
            || (bits & ~from.Policy.Bits) != InodeBits.None)
        {
            _table.Release(from);
            throw new ArgumentException("The client's lock would exclude more than the server's.", nameof(mode));
        }
        ReplaceLockOf(r, null, mode, bits, out _);
        var to = LockForClient(r, mode, bits, InodeBits.None);
        var result = _table.HandOver(from, to);
        return result == EnqueueResult.Granted ? new ClientLock(_table, to) : throw Refusal(result);
    }

    /// <summary>The operation failed after the lock was made: the client never hears of it.</summary>
    public void CancelClientLock(ClientLock l) => _table.Release(l.Lock);

    /// <summary>
    /// Writes the lock into the reply: flags (the request's, LOCK_CHANGED, AST_SENT if the lock is wanted already),
    /// descriptor and handle. Leaves <c>lock_policy_res1</c> and <c>res2</c> alone. Call it last, when the reply can no
    /// longer fail: from here on the client is called back for this lock.
    /// </summary>
    public static void FillReply(RpcRequest r, ref LdlmReply reply, ClientLock l)
    {
        reply.LockFlags = Echo(r.Get<LdlmRequest>(1)) | LdlmFlags.LockChanged;
        if (l.Table.Announce(l.Lock, LockState.Granted, ref reply) != Announcement.Final)
            throw NotConnected();
    }

    private async ValueTask IntentAsync(RpcRequest r, ulong clientHandle, IntentOpcode opcode)
    {
        try
        {
            await _host.IntentAsync(r, (ulong)opcode).ConfigureAwait(false);
        }
        finally
        {
            _table.ReleaseUntold(OwnerOf(r.Export), clientHandle);
        }
    }

    private EnqueueResult EnqueueForClient(
        RpcRequest r, in LdlmResId res, LockMode mode, InodeBits bits, InodeBits tryBits, WaitRule rule, out LdlmLock l)
    {
        if (ReplaceLockOf(r, res, mode, bits, out var again))
        {
            l = again!;
            return EnqueueResult.Granted;
        }
        l = LockForClient(r, mode, bits, tryBits);
        return _table.Enqueue(l, res, LockType.IBits, rule);
    }

    /// <summary>
    /// What the first copy of a resent request left under the client's handle serves again if it is what is asked for
    /// now, and goes otherwise: the client knows of one lock by this handle only.
    /// </summary>
    private bool ReplaceLockOf(RpcRequest r, LdlmResId? res, LockMode mode, InodeBits bits, out LdlmLock? again)
    {
        again = _table.FindByClientHandle(OwnerOf(r.Export), r.Get<LdlmRequest>(1).Handle0);
        if (again is null)
            return false;
        if (res is { } name && again.Resource.Name == name && again.Mode == mode && (bits & ~again.Policy.Bits) == InodeBits.None
            && _table.StateOf(again) == LockState.Granted)
            return true;
        _table.Release(again);
        return false;
    }

    private LdlmLock LockForClient(RpcRequest r, LockMode mode, InodeBits bits, InodeBits tryBits)
    {
        var l = new LdlmLock(
            OwnerOf(r.Export), r.Get<LdlmRequest>(1).Handle0, mode, LdlmPolicy.IBits(bits, tryBits & ~bits));
        l.Set(LockMarks.WakesTask | LockMarks.ReplyOpen);
        return l;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ClientLock?> WaitForClientLockAsync(LdlmLock l, CancellationToken ct)
    {
        await WaitForGrantAsync(l, ct).ConfigureAwait(false);
        return new ClientLock(_table, l);
    }
}
