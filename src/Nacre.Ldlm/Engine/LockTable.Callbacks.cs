using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>Sending callbacks and what their answers mean: 03 section 9.</summary>
/// <remarks>
/// Each owner has a queue and a window of calls in flight, so a client that does not answer holds up only its own
/// callbacks. No thread waits: whoever queued a callback starts the first calls, whoever got an answer starts the next.
/// </remarks>
internal sealed partial class LockTable
{
    /// <summary>Starts queued callbacks up to the window. Only called by the one who set <see cref="LockOwner.IsPumping"/>.</summary>
    internal void PumpCallbacks(LockOwner owner)
    {
        while (true)
        {
            Callback callback;
            lock (_gate)
            {
                if (owner.CallbacksInFlight >= _options.CallbackWindow || !owner.Callbacks.TryDequeue(out callback))
                {
                    owner.IsPumping = false;
                    return;
                }
                owner.CallbacksInFlight++;
            }
            _ = SendAsync(owner, callback);
        }
    }

    private static void Queue(LockOwner owner, in Callback callback, LockWork work)
    {
        owner.Callbacks.Enqueue(callback);
        work.Pump(owner);
    }

    /// <summary>Never fails: what goes wrong with a client evicts it, what goes wrong in the server is logged.</summary>
    private async Task SendAsync(LockOwner owner, Callback callback)
    {
        try
        {
            await (callback.Kind switch
            {
                CallbackKind.Blocking => SendBlockingAsync(owner, callback),
                CallbackKind.Completion => SendCompletionAsync(owner, callback),
                CallbackKind.FlockCompletion or CallbackKind.FlockRefusal => SendFlockAsync(owner, callback),
                var other => throw new InvalidOperationException($"{other} callbacks are not queued"),
            }).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.CallbackFailed(_log, e, _name, owner.Client.Description);
        }
        CallbackDone(owner);
    }

    private void CallbackDone(LockOwner owner)
    {
        lock (_gate)
        {
            owner.CallbacksInFlight--;
            if (owner.IsPumping || owner.Callbacks.Count == 0)
                return;
            owner.IsPumping = true;
        }
        PumpCallbacks(owner);
    }

    private async Task SendBlockingAsync(LockOwner owner, Callback callback)
    {
        var l = callback.Lock;
        LdlmFlags flags;
        lock (_gate)
        {
            if (l.State != LockState.Granted || !l.IsContended)
                return; // cancelled or converted before its turn came
            flags = l.Has(LockMarks.Discard) ? LdlmFlags.DiscardData : LdlmFlags.None;
            _timers.Start(l);
        }
        var body = new byte[LdlmRequest.Size];
        CallbackMessages.Blocking(body, l, callback.Blocker, flags);
        var status = await CallAsync(owner, callback.Kind, Opcode.LdlmBlCallback, body, default, false, () => RestartTimer(l))
            .ConfigureAwait(false);
        Settle(owner, callback, status);
    }

    private async Task SendCompletionAsync(LockOwner owner, Callback callback)
    {
        var l = callback.Lock;
        var lvb = l.Resource.Type == LockType.Extent ? CurrentLvb(l.Resource, owner.Client.LvbLength) : [];
        var flags = LdlmFlags.None;
        LdlmLockDesc desc;
        lock (_gate)
        {
            if (l.State != LockState.Granted)
                return;
            desc = l.Describe();
            if (l.Resource.Type == LockType.IBits)
                desc.Policy.CancelBits = InodeBits.None;
            if (l.IsContended)
                flags = LdlmFlags.AstSent | (l.Has(LockMarks.Discard) ? LdlmFlags.DiscardData : LdlmFlags.None);
            if (l.IsContended && !l.IsAnnounced)
                _timers.Start(l);
            l.Set(LockMarks.Announced);
        }
        var body = new byte[LdlmRequest.Size];
        CallbackMessages.Completion(body, l, desc, flags);
        var status = await CallAsync(owner, callback.Kind, Opcode.LdlmCpCallback, body, lvb, true, () => RestartTimer(l))
            .ConfigureAwait(false);
        Settle(owner, callback, status);
    }

    private async Task SendFlockAsync(LockOwner owner, Callback callback)
    {
        var body = new byte[LdlmRequest.Size];
        CallbackMessages.Completion(body, callback.Lock, callback.Blocker, callback.Flags);
        int? status = null;
        try
        {
            status = await CallAsync(owner, callback.Kind, Opcode.LdlmCpCallback, body, default, true, null).ConfigureAwait(false);
        }
        finally
        {
            if (callback.Undo is not null)
                SettleFlock((FlockResource)callback.Lock.Resource, callback.Undo, undoIt: status == -Errno.EINVAL);
        }
        // A refused waiter owes no answer (03 section 15.3).
        if (callback.Kind == CallbackKind.FlockCompletion && status is not (0 or -Errno.EINVAL))
            EvictFor(owner, callback.Kind, status);
    }

    /// <summary>The client is told once more, so it has the whole time again; the copies end with the first one's timeout.</summary>
    private void RestartTimer(LdlmLock l)
    {
        lock (_gate)
            _timers.Restart(l);
    }

    /// <summary>The status of the answer, or null when none came within the callback timeout.</summary>
    private async ValueTask<int?> CallAsync(
        LockOwner owner, CallbackKind kind, uint opcode, byte[] body, ReadOnlyMemory<byte> lvb, bool hasLvb, Action? resending)
    {
        TimeSpan timeout;
        lock (_gate)
            timeout = _timers.TimeoutOf(owner);
        try
        {
            var reply = await owner.Client.CallAsync(opcode, body, lvb, hasLvb, timeout, resending, _stop).ConfigureAwait(false);
            return reply.Status;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return 0; // the target stops: nobody is to blame
        }
        catch (Exception e)
        {
            if (!owner.Dropped)
                Log.CallbackUnanswered(_log, e, _name, owner.Client.Description, kind);
            return null;
        }
    }

    /// <summary>03 section 9.2. A cancel that arrived meanwhile outweighs whatever the answer says.</summary>
    private void Settle(LockOwner owner, in Callback callback, int? status)
    {
        if (status == 0)
            return;
        var l = callback.Lock;
        if (status == -Errno.EINVAL)
        {
            Log.LockUnknownToClient(_log, _name, owner.Client.Description, l.Handle);
            Release(l);
            return;
        }
        lock (_gate)
        {
            if (l.State != LockState.Granted || (callback.Kind == CallbackKind.Blocking && !l.IsContended))
                return;
        }
        EvictFor(owner, callback.Kind, status);
    }

    private void EvictFor(LockOwner owner, CallbackKind kind, int? status)
    {
        if (owner.Dropped)
            return;
        if (status is { } refused)
            Log.CallbackRefused(_log, _name, owner.Client.Description, kind, refused);
        owner.Client.Evict(status is null ? $"{kind} callback unanswered" : $"{kind} callback answered with {status}");
    }

    /// <summary>The object's attributes as of now. An object that is gone has none left: zeros.</summary>
    private byte[] CurrentLvb(LockResource resource, int length)
    {
        Span<byte> lvb = stackalloc byte[OstLvb.Size];
        lvb.Clear();
        var result = _lvbs(resource.Name, resource.Type, lvb);
        if (result < 0)
            Log.NoLvb(_log, _name, resource.Name.ToString(), -result);
        return lvb[..length].ToArray();
    }

    private void DropCallbacks(LockOwner owner)
    {
        foreach (var callback in owner.Callbacks)
            if (callback.Undo is not null && callback.Lock.Resource is FlockResource flocks)
            {
                flocks.Undos.Remove(callback.Undo);
                ForgetIfEmpty(flocks);
            }
        owner.Callbacks.Clear();
    }
}
