using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Client;

/// <summary>Callbacks of the server, which come in any order with each other and the replies: 03 sections 8.6 to 8.9 and 18.2.</summary>
public sealed partial class ClientNamespace
{
    /// <summary>A write lock unused for longer goes when somebody asks about it: its owner is done writing (03 section 8.8).</summary>
    private static readonly TimeSpan IdleWriter = TimeSpan.FromSeconds(10);

    /// <summary>Answers at once; flushing and cancelling follow in the background.</summary>
    public ValueTask HandleAsync(CallbackRequest request)
    {
        switch (request.Opcode)
        {
            case Opcode.LdlmBlCallback:
                OnBlocking(request);
                break;
            case Opcode.LdlmCpCallback:
                OnCompletion(request);
                break;
            case Opcode.LdlmGlCallback:
                OnGlimpse(request);
                break;
            default:
                request.Fail(Errno.ENOSYS);
                break;
        }

        return ValueTask.CompletedTask;
    }

    private void OnBlocking(CallbackRequest request)
    {
        ref readonly var body = ref request.Get<LdlmRequest>(1);
        ClientLock? leaving = null;
        lock (_gate)
        {
            if (!_byHandle.TryGetValue(body.Handle0, out var held))
            {
                request.Fail(Errno.EINVAL);
                return;
            }

            Learn(held, body.Handle1);
            held.Discard |= (body.LockFlags & LdlmFlags.DiscardData) != 0;
            held.IsLeaving |= held.Type != LockType.Flock;
            if (held is { Stage: LockStage.Granted, Users: 0, IsLeaving: true })
            {
                held.Stage = LockStage.Leaving;
                Unpark(held);
                leaving = held;
            }
        }

        if (leaving is not null)
        {
            _ = GiveUpInBackgroundAsync(leaving, LockLoss.BlockingCallback);
        }
    }

    private void OnCompletion(CallbackRequest request)
    {
        ref readonly var body = ref request.Get<LdlmRequest>(1);
        TaskCompletionSource? waiter;
        var failure = 0;
        lock (_gate)
        {
            if (!_byHandle.TryGetValue(body.Handle0, out var waiting))
            {
                request.Fail(Errno.EINVAL);
                return;
            }

            if (waiting.Stage != LockStage.Pending)
            {
                // A copy of one that came before.
                return;
            }

            Learn(waiting, body.Handle1);
            failure = Complete(waiting, body, request);
            waiter = waiting.Waiter;
            waiting.Waiter = null;
        }

        if (failure == 0)
        {
            waiter?.TrySetResult();
        }
        else
        {
            waiter?.TrySetException(new RpcException(failure));
        }
    }

    /// <summary>Grants or ends a waiting lock; a positive errno when it is gone. Called under the gate.</summary>
    private int Complete(ClientLock waiting, in LdlmRequest body, CallbackRequest request)
    {
        if ((body.LockFlags & LdlmFlags.FlockDeadlock) != 0)
        {
            waiting.Failure = Errno.EDEADLK;
            Remove(waiting);
            return Errno.EDEADLK;
        }

        if (waiting.Type == LockType.Extent && request.BufferLength(2) < OstLvb.SizeV1)
        {
            // Without its value block the lock says nothing about the size: refuse it, and the server takes it back.
            waiting.Failure = Errno.EINVAL;
            Remove(waiting);
            request.Fail(Errno.EINVAL);
            return Errno.EINVAL;
        }

        Become(waiting, body.LockDesc);
        TakeLvb(waiting, request.Buffer(2));
        waiting.Discard |= (body.LockFlags & LdlmFlags.DiscardData) != 0;
        waiting.IsLeaving |= (body.LockFlags & LdlmFlags.AstSent) != 0;
        waiting.Stage = LockStage.Granted;
        return 0;
    }

    private void OnGlimpse(CallbackRequest request)
    {
        ClientLock? held;
        lock (_gate)
        {
            _byHandle.TryGetValue(request.Get<LdlmRequest>(1).Handle0, out held);
        }

        if (held is null)
        {
            request.Fail(Errno.EINVAL);
            return;
        }

        if (held.Owner is { } owner && owner.TryGlimpse(held, out var lvb))
        {
            var full = request.Import.ConnectData.Has(ConnectFlags.LvbType);
            request.StartReply(full ? OstLvb.Size : OstLvb.SizeV1);
            var buffer = request.ReplyBuffer(1);
            MemoryMarshal.AsBytes(new ReadOnlySpan<OstLvb>(in lvb))[..buffer.Length].CopyTo(buffer);
        }
        else
        {
            request.Status = -LdlmStatus.NoLockData;
        }

        LeaveIfIdle(held);
    }

    private void LeaveIfIdle(ClientLock held)
    {
        lock (_gate)
        {
            if (held is not { Stage: LockStage.Granted, Users: 0, Mode: LockMode.PW, Type: LockType.Extent }
                || _options.Time.GetElapsedTime(held.UnusedSince) < IdleWriter)
            {
                return;
            }

            held.IsLeaving = true;
            held.Stage = LockStage.Leaving;
            Unpark(held);
        }

        _ = GiveUpInBackgroundAsync(held, LockLoss.BlockingCallback);
    }

    private static void Learn(ClientLock held, ulong serverHandle)
    {
        if (held.ServerHandle == 0)
        {
            held.ServerHandle = serverHandle;
        }
    }
}
