using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>The client's lock table, and its answers to callbacks (03 sections 9 and 19).</summary>
public sealed partial class ScriptedClient
{
    private readonly Lock _lockGate = new();
    private readonly Dictionary<ulong, HeldLock> _locks = [];
    private ulong _lastCookie = (ulong)Random.Shared.NextInt64() << 8;
    private int _blockingCallbacks;
    private int _glimpseCallbacks;

    /// <summary>LDLM_BL_CALLBACK received so far.</summary>
    public int BlockingCallbacks => Volatile.Read(ref _blockingCallbacks);

    /// <summary>LDLM_GL_CALLBACK received so far.</summary>
    public int GlimpseCallbacks => Volatile.Read(ref _glimpseCallbacks);

    /// <summary>While true, blocking callbacks are answered but no lock is given up: a client that hangs.</summary>
    public bool KeepsLocks { get; set; }

    /// <summary>Locks held or waited for.</summary>
    public int LockCount
    {
        get
        {
            lock (_lockGate)
            {
                return _locks.Count;
            }
        }
    }

    /// <summary>Locks queued at the server.</summary>
    public int WaitingLocks => Select(held => held is { IsGranted: false, ServerHandle: not 0 }).Length;

    /// <summary>Whether a lock on a file's metadata is held that has all of the bits.</summary>
    public bool HoldsBits(LuFid fid, InodeBits bits)
    {
        lock (_lockGate)
        {
            return _locks.Values.Any(held => held.Type == LockType.IBits && held.Resource == ResourceOf(fid) && (held.Policy.Bits & bits) == bits);
        }
    }

    async ValueTask ICallbackHandler.HandleAsync(CallbackRequest request)
    {
        var body = request.Get<LdlmRequest>(1);
        var held = Find(body.Handle0);
        switch (request.Opcode)
        {
            case Opcode.LdlmBlCallback:
                Interlocked.Increment(ref _blockingCallbacks);
                OnBlocking(request, held, body);
                break;
            case Opcode.LdlmCpCallback:
                OnCompletion(request, held, body);
                break;
            case Opcode.LdlmGlCallback:
                Interlocked.Increment(ref _glimpseCallbacks);
                OnGlimpse(request, held);
                break;
        }

        await ValueTask.CompletedTask;
    }

    private static LdlmResId ResourceOf(LuFid fid) => LdlmResId.OfFid(fid);

    private HeldLock? Find(ulong cookie)
    {
        lock (_lockGate)
        {
            return _locks.GetValueOrDefault(cookie);
        }
    }

    private void OnBlocking(CallbackRequest request, HeldLock? held, in LdlmRequest body)
    {
        if (held is null)
        {
            request.Status = -Errno.EINVAL;
            return;
        }

        lock (_lockGate)
        {
            held.ServerHandle = body.Handle1;
            held.IsWanted = true;
            held.Discard |= (body.LockFlags & LdlmFlags.DiscardData) != 0;
        }

        GiveUpIfUnused(held);
    }

    private void OnCompletion(CallbackRequest request, HeldLock? held, in LdlmRequest body)
    {
        if (held is null)
        {
            request.Status = -Errno.EINVAL;
            return;
        }

        if ((body.LockFlags & LdlmFlags.FlockDeadlock) != 0)
        {
            Drop(held, new RpcException(Errno.EDEADLK));
            return;
        }

        lock (_lockGate)
        {
            held.ServerHandle = body.Handle1;
            held.IsWanted |= (body.LockFlags & LdlmFlags.AstSent) != 0;
            if (request.Has(2))
            {
                held.Lvb = OstLvb.Read(request.Buffer(2));
            }
        }

        SetGranted(held, body.LockDesc);
    }

    /// <summary>Answers with the size and times this client knows of (03 section 14.2).</summary>
    private void OnGlimpse(CallbackRequest request, HeldLock? held)
    {
        if (held is null)
        {
            request.Fail(Errno.EINVAL);
            return;
        }

        request.StartReply(OstLvb.Size);
        var lvb = held.Lvb;
        if (ServerOf(held.Import) is { } ost)
        {
            lvb.ObjectSize = Math.Max(lvb.ObjectSize, ost.DirtyEnd(held.Resource));
        }

        MemoryMarshal.Write(request.ReplyBuffer(1), lvb);
    }

    private HeldLock NewLock(Import import, LdlmResId resource, LockType type, LockMode mode, LdlmPolicy policy)
    {
        lock (_lockGate)
        {
            var held = new HeldLock(import, ++_lastCookie, type) { Resource = resource, Mode = mode, Policy = policy };
            _locks.Add(held.Cookie, held);
            return held;
        }
    }

    /// <summary>An enqueue without intent. Returns when the lock is granted, or with the reply's status 301 when none was given.</summary>
    private async Task<int> EnqueueAsync(HeldLock held, LdlmFlags flags, int lvbBytes, uint lockCount = 1, bool modifies = false)
    {
        var call = new RpcCall(Opcode.LdlmEnqueue, LdlmRequest.Size) { ReplyBytes = 512 + lvbBytes, Modifies = modifies };
        FillEnqueue(call, held, flags, [], lockCount);
        try
        {
            using var reply = await SendAsync(held.Import, call);
            if (reply.BufferLength(2) > 0)
            {
                TakeLvb(held, OstLvb.Read(reply.Buffer(2)));
            }

            if (reply.Status == LdlmStatus.LockAborted)
            {
                Drop(held);
                return reply.Status;
            }

            Accept(held, reply.Get<LdlmReply>(1));
            using var limit = Limit();
            await held.Granted.Task.WaitAsync(limit.Token);
            return 0;
        }
        catch
        {
            Drop(held);
            throw;
        }
    }

    /// <summary>The completion callback may overtake the reply that told the lock to wait; its LVB is the newer one (03 section 8.7).</summary>
    private void TakeLvb(HeldLock held, in OstLvb lvb)
    {
        lock (_lockGate)
        {
            if (!held.IsGranted)
            {
                held.Lvb = lvb;
            }
        }
    }

    /// <summary>Fills buffer 1 of an enqueue; <paramref name="cancels"/> are server handles of locks that are given up with it.</summary>
    private static void FillEnqueue(RpcCall call, HeldLock held, LdlmFlags flags, ReadOnlySpan<ulong> cancels, uint lockCount = 1)
    {
        ref var request = ref call.Get<LdlmRequest>(1);
        request.LockFlags = flags;
        request.LockCount = lockCount + (uint)cancels.Length;
        request.LockDesc.Resource.Type = held.Type;
        request.LockDesc.Resource.Name = held.Resource;
        request.LockDesc.ReqMode = held.Mode;
        request.LockDesc.Policy = held.Policy;
        var handles = MemoryMarshal.Cast<byte, ulong>(call.Buffer(1)[LdlmRequest.HandlesOffset..]);
        handles[0] = held.Cookie;
        cancels.CopyTo(handles[1..]);
    }

    /// <summary>
    /// Takes over what the reply says of a lock that was given or queued. A reply with BLOCK_GRANTED may show the granted mode already: the
    /// flag counts, and the LVB to go by is that of the completion callback (03 section 8.2).
    /// </summary>
    private void Accept(HeldLock held, in LdlmReply reply)
    {
        lock (_lockGate)
        {
            held.ServerHandle = reply.LockHandle;
            held.IsWanted |= (reply.LockFlags & LdlmFlags.AstSent) != 0;
        }

        if ((reply.LockFlags & LdlmFlags.BlockGranted) == 0)
        {
            SetGranted(held, (reply.LockFlags & LdlmFlags.LockChanged) != 0 ? reply.LockDesc : null);
        }
    }

    private void SetGranted(HeldLock held, LdlmLockDesc? granted)
    {
        lock (_lockGate)
        {
            if (granted is { } description)
            {
                held.Resource = description.Resource.Name;
                held.Mode = description.GrantedMode;
                held.Policy = description.Policy;
            }

            held.IsGranted = true;
        }

        held.Granted.TrySetResult();
    }

    /// <summary>One user less; a lock that was called back goes with the last.</summary>
    private void Release(HeldLock held)
    {
        lock (_lockGate)
        {
            held.Users--;
        }

        GiveUpIfUnused(held);
    }

    private void GiveUpIfUnused(HeldLock held)
    {
        lock (_lockGate)
        {
            if (held.Users > 0 || !held.IsWanted || KeepsLocks || !_locks.ContainsKey(held.Cookie) || held.Type == LockType.Flock)
            {
                return;
            }

            // Taken, so that no second callback starts this again.
            held.Users = int.MinValue / 2;
        }

        _ = Task.Run(() => GiveUpAsync(held));
    }

    private async Task GiveUpAsync(HeldLock held)
    {
        try
        {
            await FlushUnderAsync(held);
            await CancelAsync(held);
        }
        catch (Exception failure) when (failure is RpcException or OperationCanceledException or ObjectDisposedException or IOException)
        {
            Drop(held);
        }

        held.OnLost?.Invoke();
    }

    /// <summary>LDLM_CANCEL of one lock.</summary>
    private async Task CancelAsync(HeldLock held)
    {
        var call = new RpcCall(Opcode.LdlmCancel, LdlmRequest.Size);
        call.Get<LdlmRequest>(1).LockCount = 1;
        call.Get<LdlmRequest>(1).Handle0 = held.ServerHandle;
        Drop(held);
        using var reply = await SendForStatusAsync(held.Import, call);
    }

    /// <summary>Flushes and cancels all locks of a kind, one request each, as an unmount does.</summary>
    private async Task CancelLocksAsync(Func<HeldLock, bool> which)
    {
        foreach (var held in Select(held => held.IsGranted && held.Type != LockType.Flock && which(held)))
        {
            await FlushUnderAsync(held);
            await CancelAsync(held);
        }
    }

    /// <summary>
    /// Takes locks on a file's metadata out of the table, to be cancelled early in the request that would have them called back
    /// (03 section 17.1). At most what fits into the two slots of a plain list.
    /// </summary>
    private ulong[] TakeForEarlyCancel(LuFid fid, InodeBits bits, int most)
    {
        lock (_lockGate)
        {
            var taken = _locks.Values
                .Where(held => held.Type == LockType.IBits && held.Resource == ResourceOf(fid) && held is { IsGranted: true, Users: 0, IsWanted: false }
                    && (held.Policy.Bits & bits) != 0)
                .Take(most)
                .ToArray();
            foreach (var held in taken)
            {
                _locks.Remove(held.Cookie);
            }

            return [.. taken.Select(held => held.ServerHandle)];
        }
    }

    private HeldLock[] Select(Func<HeldLock, bool> which)
    {
        lock (_lockGate)
        {
            return [.. _locks.Values.Where(which)];
        }
    }

    private void Drop(HeldLock held, Exception? failure = null)
    {
        lock (_lockGate)
        {
            _locks.Remove(held.Cookie);
        }

        held.Granted.TrySetException(failure ?? new RpcException(Errno.EIO, message: "the lock was lost"));
        // Nobody may be waiting for it.
        _ = held.Granted.Task.Exception;
    }

    private void ForgetLocks(Import import)
    {
        foreach (var held in Select(held => held.Import == import))
        {
            Drop(held);
            held.OnLost?.Invoke();
        }
    }
}
