using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Client;

/// <summary>How locks end: 03 sections 8.4, 17 and 19.3.</summary>
public sealed partial class ClientNamespace
{
    /// <summary>Handles of one LDLM_CANCEL: what fits into the smallest request every server takes.</summary>
    private const int MaxBatch = 400;

    /// <summary>Locks given up at a time when there are too many: their flushes run side by side.</summary>
    private const int TrimBatch = 64;

    /// <summary>
    /// Takes unused locks of a resource out, to be cancelled with another request (03 section 17.1); their owners' OnCancelAsync has completed when
    /// this returns. The handles must then travel, with whatever request.
    /// </summary>
    /// <param name="modes">A set of mode bits.</param>
    /// <param name="bits">IBITS: locks that have any of them.</param>
    /// <param name="handles">Receives server handles; its length bounds how many are taken.</param>
    /// <returns>Handles written.</returns>
    public ValueTask<int> TakeForEarlyCancelAsync(LdlmResId resource, LockMode modes, InodeBits bits, Memory<ulong> handles)
    {
        List<ClientLock>? taken = null;
        lock (_gate)
        {
            for (var held = FirstOf(resource); held is not null; held = held.Next)
            {
                if (held is not { Stage: LockStage.Granted, Users: 0, IsLeaving: false } || held.ServerHandle == 0
                    || (held.Mode & modes) == 0 || (held.Type == LockType.IBits && (held.Policy.Bits & bits) == 0)
                    || held.IsAgeless || (taken?.Count ?? 0) >= handles.Length)
                {
                    continue;
                }

                BeginLeaving(held);
                (taken ??= []).Add(held);
            }
        }

        return taken is null ? ValueTask.FromResult(0) : EndEarlyAsync(taken, handles);
    }

    /// <summary>
    /// Cancels the locks of a resource, those in use as soon as they are not: what an inode does that leaves memory. The task ends with
    /// the unused ones' cancels on their way.
    /// </summary>
    public async ValueTask CancelResourceAsync(LdlmResId resource)
    {
        List<ClientLock> taken = [];
        lock (_gate)
        {
            for (var held = FirstOf(resource); held is not null; held = held.Next)
            {
                if (held.Stage == LockStage.Granted && !held.IsAgeless)
                {
                    held.IsLeaving = true;
                    if (held.Users == 0)
                    {
                        BeginLeaving(held);
                        taken.Add(held);
                    }
                }
            }
        }

        await GiveUpAsync(taken, LockLoss.Unmount).ConfigureAwait(false);
    }

    /// <summary>Gives all locks up that nobody uses, in batches: unmount. Flocks go with the disconnect.</summary>
    public async ValueTask CancelAllAsync()
    {
        while (TakeUnused(int.MaxValue, TimeSpan.Zero, TrimBatch) is { Count: > 0 } taken)
        {
            await GiveUpAsync(taken, LockLoss.Unmount).ConfigureAwait(false);
        }

        List<ulong> plain = [];
        lock (_gate)
        {
            foreach (var held in _byHandle.Values.Where(held => held is { Type: LockType.Plain, Stage: LockStage.Granted }).ToArray())
            {
                plain.Add(held.ServerHandle);
                Remove(held);
            }
        }

        await SendCancelsAsync(plain).ConfigureAwait(false);
    }

    /// <summary>
    /// The server has forgotten this client; to be called from <see cref="ImportOptions.OnEvicted"/>, which is before anything new can be
    /// sent: what is cached by then is dropped before something new could be cached under a new lock.
    /// </summary>
    public void OnEvicted() => LoseAll(Errno.EIO);

    private void LoseAll(int errno)
    {
        List<ClientLock> lost;
        List<TaskCompletionSource> waiters = [];
        lock (_gate)
        {
            lost = [.. _byHandle.Values];
            foreach (var held in lost)
            {
                if (held.Waiter is { } waiter)
                {
                    waiters.Add(waiter);
                    held.Waiter = null;
                }

                held.Failure = errno;
            }

            // What was being given up is finished by whoever does so; its cancel finds the lock gone and is not sent.
            foreach (var held in lost)
            {
                Remove(held);
            }
        }

        foreach (var waiter in waiters)
        {
            waiter.TrySetException(new RpcException(errno, message: "the lock was lost"));
        }

        foreach (var held in lost)
        {
            _ = NotifyAsync(held, LockLoss.Evicted);
        }
    }

    private void BeginLeaving(ClientLock held)
    {
        held.IsLeaving = true;
        held.Stage = LockStage.Leaving;
        Unpark(held);
    }

    private async ValueTask<int> EndEarlyAsync(List<ClientLock> taken, Memory<ulong> handles)
    {
        var count = 0;
        foreach (var held in taken)
        {
            await NotifyAsync(held, LockLoss.Early).ConfigureAwait(false);
            if (TakeHandle(held) is var handle and not 0)
            {
                handles.Span[count++] = handle;
            }
        }

        return count;
    }

    private async Task GiveUpInBackgroundAsync(ClientLock held, LockLoss reason)
    {
        // Whoever brings this about is a receive loop, or a caller that has better things to do.
        await Task.Yield();
        await GiveUpAsync([held], reason).ConfigureAwait(false);
    }

    /// <summary>Has the owners flush, side by side, then cancels in one request.</summary>
    private async ValueTask GiveUpAsync(List<ClientLock> taken, LockLoss reason)
    {
        if (taken.Count == 1)
        {
            await NotifyAsync(taken[0], reason).ConfigureAwait(false);
        }
        else
        {
            await Task.WhenAll(taken.Select(held => NotifyAsync(held, reason))).ConfigureAwait(false);
        }

        List<ulong> handles = new(taken.Count);
        foreach (var held in taken)
        {
            if (TakeHandle(held) is var handle and not 0)
            {
                handles.Add(handle);
            }
        }

        await SendCancelsAsync(handles).ConfigureAwait(false);
    }

    private async Task NotifyAsync(ClientLock held, LockLoss reason)
    {
        if (held.Owner is not { } owner)
        {
            return;
        }

        try
        {
            await owner.OnCancelAsync(held, reason).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            LogGiveUpFailed(_log, failure, Import, held);
        }
    }

    /// <summary>The handle to cancel by; 0 when there is nothing to cancel, since the server has forgotten the lock meanwhile.</summary>
    private ulong TakeHandle(ClientLock held)
    {
        lock (_gate)
        {
            if (held.Stage == LockStage.Gone)
            {
                return 0;
            }

            Remove(held);
            return held.ServerHandle;
        }
    }

    private async Task SendCancelsInBackgroundAsync(List<ulong> handles) => await SendCancelsAsync(handles).ConfigureAwait(false);

    private async ValueTask SendCancelsAsync(List<ulong> handles)
    {
        var batch = Import.ConnectData.Has(ConnectFlags.Cancelset) ? MaxBatch : 1;
        for (var done = 0; done < handles.Count; done += batch)
        {
            await SendCancelAsync(CollectionsMarshal.AsSpan(handles).Slice(done, Math.Min(batch, handles.Count - done))).ConfigureAwait(false);
        }
    }

    /// <summary>The lock is gone whatever becomes of the request: after an eviction the server has forgotten it anyway.</summary>
    private ValueTask SendCancelAsync(ReadOnlySpan<ulong> handles)
    {
        var call = new RpcCall(Opcode.LdlmCancel, LdlmRequest.HandlesOffset + (sizeof(ulong) * Math.Max(2, handles.Length)));
        call.Get<LdlmRequest>(1).LockCount = (uint)handles.Length;
        MemoryMarshal.AsBytes(handles).CopyTo(call.Buffer(1)[LdlmRequest.HandlesOffset..]);
        return AwaitCancelAsync(call);
    }

    private async ValueTask AwaitCancelAsync(RpcCall call)
    {
        try
        {
            using var reply = await Import.SendAsync(call, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is ErrnoException or ObjectDisposedException or OperationCanceledException)
        {
            LogCancelFailed(_log, Import, failure.Message);
        }
    }

    private void TrimInBackground()
    {
        lock (_gate)
        {
            if (_trimming || _closed)
            {
                return;
            }

            _trimming = true;
        }

        _ = TrimAsync();
    }

    /// <summary>Cancels unused locks beyond the limits, the oldest first.</summary>
    private async Task TrimAsync()
    {
        await Task.Yield();
        try
        {
            while (TakeUnused(_options.MaxUnused, _options.MaxAge, TrimBatch) is { Count: > 0 } taken)
            {
                await GiveUpAsync(taken, LockLoss.Lru).ConfigureAwait(false);
            }
        }
        finally
        {
            lock (_gate)
            {
                _trimming = false;
            }
        }
    }

    /// <summary>The oldest unused locks that are too many or too old, marked as leaving.</summary>
    /// <param name="kept">How many may stay, except those older than <paramref name="age"/>.</param>
    private List<ClientLock> TakeUnused(int kept, TimeSpan age, int most)
    {
        List<ClientLock> taken = [];
        lock (_gate)
        {
            while (taken.Count < most && _unused.First is { } oldest
                && (_unused.Count > kept
                    || (age >= TimeSpan.Zero && _options.Time.GetElapsedTime(oldest.Value.UnusedSince) >= age)))
            {
                BeginLeaving(oldest.Value);
                taken.Add(oldest.Value);
            }
        }

        return taken;
    }
}
