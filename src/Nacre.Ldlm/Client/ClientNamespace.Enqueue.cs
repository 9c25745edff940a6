using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Client;

/// <summary>From a wish to a granted lock: 03 sections 8.1, 8.2 and 18.2.</summary>
public sealed partial class ClientNamespace
{
    private const int LvbRoom = OstLvb.Size;

    /// <summary>Asks for a lock without an intent and waits until it is granted.</summary>
    /// <exception cref="ErrnoException">Refused (EAGAIN, EDEADLK, ENOENT ...), or lost by eviction (EIO).</exception>
    /// <exception cref="OperationCanceledException">Given up by <paramref name="ct"/>; a grant under way is given back.</exception>
    public async ValueTask<LockReference> EnqueueAsync(LockRequest request, CancellationToken ct)
    {
        var prepared = PrepareToAnnounce(request);
        var reply = await SendAsync(prepared, request, ct).ConfigureAwait(false);
        using (reply)
        {
            var accepted = await AcceptAsync(prepared, reply, ct).ConfigureAwait(false) ?? throw Refusal(reply);
            Announce(prepared);
            return accepted;
        }
    }

    /// <summary>
    /// Asks for a lock that need not be given (<see cref="LdlmFlags.HasIntent"/> without an intent: a glimpse; 03 section 14.2).
    /// </summary>
    /// <returns>The lock, or <c>default</c> with the value block the server answered instead.</returns>
    public async ValueTask<(LockReference Reference, OstLvb Lvb)> GlimpseAsync(LockRequest request, CancellationToken ct)
    {
        var prepared = PrepareToAnnounce(request);
        var reply = await SendAsync(prepared, request with { Flags = request.Flags | LdlmFlags.HasIntent }, ct).ConfigureAwait(false);
        using (reply)
        {
            if (await AcceptAsync(prepared, reply, ct).ConfigureAwait(false) is { } reference)
            {
                Announce(prepared);
                return (reference, prepared.Lvb);
            }

            if (reply.Status != LdlmStatus.LockAborted)
            {
                throw Refusal(reply);
            }

            var error = (int)(long)reply.Get<LdlmReply>(1).LockPolicyRes1;
            return error < 0 ? throw new RpcException(-error) : (default, OstLvb.Read(reply.Buffer(2)));
        }
    }

    /// <summary>F_GETLK: the first lock in the way, or one of mode NL (03 section 15.2). Nothing is locked.</summary>
    public async ValueTask<LdlmLockDesc> TestAsync(LockRequest request, CancellationToken ct)
    {
        var prepared = Prepare(request.Resource, request.Type, request.Mode, request.Policy);
        try
        {
            using var reply = await SendAsync(prepared, request with { Flags = request.Flags | LdlmFlags.TestLock }, ct).ConfigureAwait(false);
            return reply.Status >= 0 ? reply.Get<LdlmReply>(1).LockDesc : throw Refusal(reply);
        }
        finally
        {
            Forget(prepared);
        }
    }

    private ClientLock PrepareToAnnounce(in LockRequest request)
    {
        var made = Prepare(request.Resource, request.Type, request.Mode, request.Policy, request.Owner, request.State);
        // Before the request is sent: nobody can have granted it yet.
        made.IsAnnounced = false;
        return made;
    }

    private void Announce(ClientLock granted)
    {
        granted.Owner?.OnGranted(granted);
        lock (_gate)
        {
            granted.IsAnnounced = true;
        }
    }

    /// <summary>
    /// A lock for an intent the caller sends: then <see cref="FillRequest"/>, send, and in any case <see cref="AcceptAsync"/> or
    /// <see cref="Abandon"/>.
    /// </summary>
    public ClientLock Prepare(
        in LdlmResId resource, LockType type, LockMode mode, in LdlmPolicy policy, ILockOwner? owner = null, object? state = null)
    {
        lock (_gate)
        {
            if (++_lastHandle is 0 or ulong.MaxValue)
            {
                _lastHandle = 1;
            }

            var made = new ClientLock(this, _lastHandle, resource, type, mode, policy, owner, state);
            Insert(made);
            return made;
        }
    }

    /// <summary>
    /// Fills buffer 1 of an LDLM_ENQUEUE, which is <see cref="LdlmRequest.Size"/> bytes, and 8 more for each early cancel behind the first.
    /// </summary>
    /// <param name="earlyCancels">Server handles of <see cref="TakeForEarlyCancelAsync"/>.</param>
    public void FillRequest(RpcCall call, ClientLock prepared, LdlmFlags flags, ReadOnlySpan<ulong> earlyCancels)
    {
        ref var request = ref call.Get<LdlmRequest>(1);
        request.LockFlags = flags;
        request.LockCount = 1 + (uint)earlyCancels.Length;
        request.LockDesc.Resource.Type = prepared.Type;
        request.LockDesc.Resource.Name = prepared.Resource;
        request.LockDesc.ReqMode = prepared.Mode;
        request.LockDesc.Policy = prepared.Policy;
        var handles = MemoryMarshal.Cast<byte, ulong>(call.Buffer(1)[LdlmRequest.HandlesOffset..]);
        handles[0] = prepared.Handle;
        earlyCancels.CopyTo(handles[1..]);
    }

    /// <summary>
    /// Takes over what the reply says about the lock, and waits for the grant when it is blocked. The reply stays the caller's.
    /// </summary>
    /// <returns>Null when no lock was given (status 301, or an error status).</returns>
    /// <exception cref="ErrnoException">The lock was refused while it waited (EDEADLK), lost by eviction (EIO), or the reply is malformed.</exception>
    /// <exception cref="OperationCanceledException">Given up by <paramref name="ct"/> while it waited, which the server is told.</exception>
    public async ValueTask<LockReference?> AcceptAsync(ClientLock prepared, RpcReply reply, CancellationToken ct)
    {
        if (reply.Status != 0)
        {
            Forget(prepared);
            return null;
        }

        if (reply.BufferLength(1) < LdlmReply.Size)
        {
            Abandon(prepared);
            throw new RpcException(Errno.EPROTO, message: "a reply to an enqueue without a lock");
        }

        if (TakeOver(prepared, reply) is { } waiter)
        {
            await WaitForGrantAsync(prepared, waiter, ct).ConfigureAwait(false);
        }

        return new LockReference(prepared);
    }

    /// <summary>The request failed or its reply is of no use: forgets the lock, and gives it back should it have been granted. May be called late or twice.</summary>
    public void Abandon(ClientLock prepared)
    {
        lock (_gate)
        {
            if (prepared.Stage == LockStage.Granted)
            {
                // A CP AST was quicker: what waits is the caller's reference.
                prepared.IsLeaving = true;
            }
            else
            {
                // If the server grants it after all, its callback is answered with EINVAL, which ends the lock there (03 section 18.2).
                Remove(prepared);
                return;
            }
        }

        Release(prepared);
    }

    private static RpcException Refusal(RpcReply reply) => reply.Status == LdlmStatus.LockAborted
        ? new RpcException(Errno.EAGAIN)
        : new RpcException(reply.Status < 0 ? -reply.Status : Errno.EPROTO);

    /// <summary>Not <see cref="Abandon"/>: the server has said that there is no such lock.</summary>
    private void Forget(ClientLock prepared)
    {
        lock (_gate)
        {
            Remove(prepared);
        }
    }

    private async ValueTask<RpcReply> SendAsync(ClientLock prepared, LockRequest request, CancellationToken ct)
    {
        var call = new RpcCall(Opcode.LdlmEnqueue, LdlmRequest.Size)
        {
            ReplyBytes = 512 + LvbRoom,
            JobId = request.JobId,
            Modifies = request.Modifies || request.Type == LockType.Flock,
        };
        FillRequest(call, prepared, request.Flags, []);
        try
        {
            if (!ct.CanBeCanceled)
            {
                return await Import.SendAsync(call, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch
        {
            Abandon(prepared);
            throw;
        }

        return await SendCancellableAsync(prepared, call, ct).ConfigureAwait(false);
    }

    /// <summary>
    /// The caller may stop waiting, the request goes on: only its reply tells the handle by which the lock can be given back.
    /// </summary>
    private async ValueTask<RpcReply> SendCancellableAsync(ClientLock prepared, RpcCall call, CancellationToken ct)
    {
        Task<RpcReply>? sent = null;
        try
        {
            sent = Import.SendAsync(call, CancellationToken.None).AsTask();
            return await sent.WaitAsync(ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (sent is { IsCompleted: false } && ct.IsCancellationRequested)
        {
            _ = GiveBackAsync(prepared, sent);
            throw;
        }
        catch
        {
            if (sent is { IsCompletedSuccessfully: true })
            {
                _ = GiveBackAsync(prepared, sent);
            }
            else
            {
                Abandon(prepared);
            }

            throw;
        }
    }

    private async Task GiveBackAsync(ClientLock prepared, Task<RpcReply> sent)
    {
        try
        {
            using var reply = await sent.ConfigureAwait(false);
            if (reply.Status != 0 || reply.BufferLength(1) < LdlmReply.Size)
            {
                Forget(prepared);
            }
            else if (TakeOver(prepared, reply) is not null)
            {
                Withdraw(prepared);
            }
            else
            {
                Abandon(prepared);
            }
        }
        catch (Exception failure) when (failure is ErrnoException or OperationCanceledException)
        {
            Abandon(prepared);
        }
    }

    /// <summary>Applies a reply with status 0; the task is what to wait for when the lock is blocked.</summary>
    private Task? TakeOver(ClientLock prepared, RpcReply reply)
    {
        ref readonly var answer = ref reply.Get<LdlmReply>(1);
        lock (_gate)
        {
            if (prepared.Stage == LockStage.Gone)
            {
                throw new RpcException(prepared.Failure != 0 ? prepared.Failure : Errno.EIO, message: "the lock was lost");
            }

            prepared.ServerHandle = answer.LockHandle;
            prepared.IsLeaving |= (answer.LockFlags & LdlmFlags.AstSent) != 0;
            if (prepared.Stage == LockStage.Granted)
            {
                // The CP AST was quicker; what it said is newer than this (03 section 18.2).
                return null;
            }

            if ((answer.LockFlags & (LdlmFlags.BlockGranted | LdlmFlags.BlockWait)) != 0)
            {
                prepared.Waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return prepared.Waiter.Task;
            }

            if ((answer.LockFlags & LdlmFlags.LockChanged) != 0)
            {
                Become(prepared, answer.LockDesc);
            }

            TakeLvb(prepared, reply.Buffer(2));
            prepared.Stage = LockStage.Granted;
            return null;
        }
    }

    /// <summary>Mode, resource and policy as granted. Called under the gate.</summary>
    private void Become(ClientLock granted, in LdlmLockDesc description)
    {
        if (description.GrantedMode != LockMode.None)
        {
            granted.Mode = description.GrantedMode;
        }

        if (granted.Type != LockType.Plain)
        {
            granted.Policy = description.Policy;
        }

        if (description.Resource.Name != granted.Resource && description.Resource.Name.Name0 != 0)
        {
            Unlink(granted);
            granted.Resource = description.Resource.Name;
            Link(granted);
        }
    }

    private static void TakeLvb(ClientLock granted, ReadOnlySpan<byte> lvb)
    {
        if (granted.Type == LockType.Extent)
        {
            granted.Lvb = OstLvb.Read(lvb);
        }
        else if (granted.Type == LockType.IBits && (granted.Policy.Bits & InodeBits.Layout) != 0)
        {
            granted.LvbBytes = lvb.ToArray();
        }
    }

    private async ValueTask WaitForGrantAsync(ClientLock prepared, Task granted, CancellationToken ct)
    {
        try
        {
            await granted.WaitAsync(ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Granted at the last moment: the caller has it, which spares an unlock that could not be told from another's.
            if (!Withdraw(prepared))
            {
                return;
            }

            throw;
        }
    }

    /// <summary>Takes back a lock that waits at the server (03 section 15.4); false when it is granted already.</summary>
    private bool Withdraw(ClientLock waiting)
    {
        ulong handle;
        lock (_gate)
        {
            if (waiting.Stage == LockStage.Granted)
            {
                return false;
            }

            handle = waiting.Stage == LockStage.Pending ? waiting.ServerHandle : 0;
            Remove(waiting);
        }

        if (handle != 0)
        {
            _ = SendCancelsInBackgroundAsync([handle]);
        }

        return true;
    }
}
