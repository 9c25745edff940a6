using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm;

/// <summary>LDLM_ENQUEUE: 03 sections 8.1, 8.2 and 10.2.</summary>
public sealed partial class LdlmNamespace
{
    // What the reply repeats of the request's flags. CANCEL_ON_BLOCK is left out: the client then cancels as usual.
    private const LdlmFlags Echoed =
        LdlmFlags.EnqueueMask & ~(LdlmFlags.BlockGranted | LdlmFlags.BlockWait | LdlmFlags.CancelOnBlock);

    private const LdlmFlags EchoedInReplay = LdlmFlags.BlockGranted | LdlmFlags.BlockWait;

    /// <summary>Opcode 101.</summary>
    public ValueTask EnqueueAsync(RpcRequest r)
    {
        var request = r.Get<LdlmRequest>(1);
        if (!r.IsReplay)
            CancelEarly(r, 1, firstSlot: 1);
        if ((request.LockFlags & LdlmFlags.HasIntent) != 0 && (request.LockFlags & LdlmFlags.Replay) == 0)
        {
            if (request.LockDesc.Resource.Type == LockType.Extent)
                return GlimpseAsync(r, request);
            if (request.LockDesc.Resource.Type == LockType.IBits && r.Has(2))
                return IntentAsync(r, request.Handle0, r.Get<LdlmIntent>(2).Opcode);
        }
        if (Enter(r, request, out var flags) is { } l)
            Answer(r, l, flags);
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// An intent that wants no more than the lock it names (IT_LAYOUT, access; 05 section 6.8): enqueues it as if there were
    /// no intent. If something is in the way the reply says so at once, with BLOCK_GRANTED and an empty LVB, and the client
    /// gets the lock by a CP AST, however long that takes. The reply is complete but for <c>lock_policy_res1</c> and
    /// <c>res2</c>.
    /// </summary>
    /// <param name="lvbWhenGranted">
    /// Gives the LVB of the resource, for instance the layout. Asked once the lock is granted, so that what it returns cannot
    /// be out of date, and not at all if the lock waits. When it fails there is no lock.
    /// </param>
    public async ValueTask EnqueuePlainAsync(RpcRequest r, Func<LdlmResId, ValueTask<ReadOnlyMemory<byte>>> lvbWhenGranted)
    {
        if (Enter(r, r.Get<LdlmRequest>(1), out var flags) is not { } l)
            return;
        while (true)
        {
            var state = _table.StateOf(l);
            var lvb = state == LockState.Granted ? await lvbWhenGranted(l.Resource.Name).ConfigureAwait(false) : default;
            if (TryAnswer(r, l, state, flags, lvb.Span))
                return;
        }
    }

    /// <summary>
    /// The lock, granted or waiting, that the reply has to tell of, and the flags of that reply. Null when the reply is
    /// there already.
    /// </summary>
    private LdlmLock? Enter(RpcRequest r, in LdlmRequest request, out LdlmFlags flags)
    {
        Validate(request);
        flags = Echo(request);
        if (request.LockDesc.Resource.Type == LockType.Flock && (request.LockFlags & LdlmFlags.Replay) == 0)
        {
            EnqueueFlock(r, request);
            return null;
        }
        if (FindFirstCopy(r, request) is { } known)
        {
            flags |= LdlmFlags.LockChanged;
            return known;
        }
        var l = NewLock(r, request);
        var result = (request.LockFlags & LdlmFlags.Replay) != 0
            ? Replay(l, request)
            : _table.Enqueue(l, request.LockDesc.Resource.Name, request.LockDesc.Resource.Type, RuleOf(request));
        if (result is EnqueueResult.Granted or EnqueueResult.Waiting)
            return l;
        if (result != EnqueueResult.NothingFree)
            throw Refusal(result);
        AnswerWithoutLock(r, []);
        return null;
    }

    /// <summary>A resent or replayed request whose first copy left a lock is answered from that lock's state.</summary>
    private LdlmLock? FindFirstCopy(RpcRequest r, in LdlmRequest request)
    {
        if (!r.IsResent && !r.IsReplay && (request.LockFlags & LdlmFlags.Replay) == 0)
            return null;
        var l = _table.FindByClientHandle(OwnerOf(r.Export), request.Handle0);
        return l is not null && l.Resource.Name == request.LockDesc.Resource.Name && l.Mode == request.LockDesc.ReqMode
            ? l
            : null;
    }

    private EnqueueResult Replay(LdlmLock l, in LdlmRequest request)
    {
        // Outside recovery a replay would put a lock beside others that exclude it.
        if (!_table.IsRecovering)
            throw new RpcException(Errno.EPROTO, rpcLevel: true);
        ref readonly var resource = ref request.LockDesc.Resource;
        if ((request.LockFlags & (LdlmFlags.BlockGranted | LdlmFlags.BlockWait)) == 0)
            return _table.Enqueue(l, resource.Name, resource.Type, WaitRule.Wait);
        return _table.Replay(l, resource.Name, resource.Type, (request.LockFlags & LdlmFlags.BlockGranted) != 0);
    }

    /// <summary>
    /// Builds the reply. The LVB is fetched after the grant: a holder may have written and cancelled just before, and
    /// the client trusts what it gets now for as long as it has the lock.
    /// </summary>
    private void Answer(RpcRequest r, LdlmLock l, LdlmFlags flags)
    {
        Span<byte> lvb = stackalloc byte[OstLvb.Size];
        LockState state;
        int length;
        do
        {
            state = _table.StateOf(l);
            length = FillLvb(r, l, lvb);
        }
        while (!TryAnswer(r, l, state, flags, lvb[..length]));
    }

    /// <summary>
    /// False when the lock is no longer in the state for which the LVB was fetched: once more then. A lock is granted once
    /// and dropped once, so this ends.
    /// </summary>
    private bool TryAnswer(RpcRequest r, LdlmLock l, LockState state, LdlmFlags flags, ReadOnlySpan<byte> lvb)
    {
        var reply = new LdlmReply { LockFlags = flags };
        var announcement = _table.Announce(l, state, ref reply);
        if (announcement == Announcement.Gone)
            throw NotConnected();
        if (announcement == Announcement.Changed)
            return false;
        r.StartReply(LdlmReply.Size, lvb.Length);
        r.Reply<LdlmReply>(1) = reply;
        lvb.CopyTo(r.ReplyBuffer(2));
        return true;
    }

    /// <summary>0 for types without an LVB. An enqueue for an object that does not exist fails and leaves no lock.</summary>
    private int FillLvb(RpcRequest r, LdlmLock l, Span<byte> lvb)
    {
        if (l.Resource.Type != LockType.Extent)
            return 0;
        var length = _host.FillLvb(l.Resource.Name, LockType.Extent, lvb);
        if (length >= 0)
            return Math.Min(length, OwnerOf(r.Export).Client.LvbLength);
        _table.Release(l);
        throw new RpcException(-length, rpcLevel: true);
    }

    /// <summary>Status 301: descriptor, handle and flags are zero.</summary>
    private static void AnswerWithoutLock(RpcRequest r, ReadOnlySpan<byte> lvb)
    {
        r.StartReply(LdlmReply.Size, lvb.Length);
        lvb.CopyTo(r.ReplyBuffer(2));
        r.Status = LdlmStatus.LockAborted;
    }

    private LdlmLock NewLock(RpcRequest r, in LdlmRequest request)
    {
        var desc = request.LockDesc;
        if (desc.Resource.Type == LockType.IBits)
        {
            desc.Policy.Bits &= InodeBits.All;
            desc.Policy.TryBits &= InodeBits.All;
        }
        var l = new LdlmLock(OwnerOf(r.Export), request.Handle0, desc.ReqMode, desc.Policy);
        if (desc is { ReqMode: LockMode.Group, Resource.Type: LockType.Extent })
            (l.Policy.Start, l.Policy.End) = (0, LdlmPolicy.EndOfFile);
        l.Set(LockMarks.ReplyOpen);
        if ((request.LockFlags & LdlmFlags.NoExpansion) != 0)
            l.Set(LockMarks.NoExpansion);
        if ((request.LockFlags & LdlmFlags.AstDiscardData) != 0)
            l.Set(LockMarks.DiscardBlockers);
        return l;
    }

    private static LdlmFlags Echo(in LdlmRequest request) => (request.LockFlags & LdlmFlags.Replay) != 0
        ? request.LockFlags & (Echoed | EchoedInReplay)
        : request.LockFlags & Echoed;

    private static WaitRule RuleOf(in LdlmRequest request) => (request.LockFlags & LdlmFlags.Speculative) != 0
        ? WaitRule.Never
        : (request.LockFlags & LdlmFlags.BlockNoWait) != 0 ? WaitRule.WaitUnlessGroup : WaitRule.Wait;

    private void Validate(in LdlmRequest request)
    {
        ref readonly var desc = ref request.LockDesc;
        if (!LockModes.IsRequestable(desc.ReqMode) || !IsAccepted(desc.Resource.Type))
            throw new RpcException(Errno.EFAULT, rpcLevel: true);
        if (desc.Resource.Name.Name0 == 0 || request.Handle0 == 0 || !IsSound(desc))
            throw new RpcException(Errno.EINVAL, rpcLevel: true);
    }

    private bool IsAccepted(LockType type) => type switch
    {
        LockType.Plain => (_options.ClientTypes & LockTypes.Plain) != 0,
        LockType.Extent => (_options.ClientTypes & LockTypes.Extent) != 0,
        LockType.Flock => (_options.ClientTypes & LockTypes.Flock) != 0,
        LockType.IBits => (_options.ClientTypes & LockTypes.IBits) != 0,
        _ => false,
    };

    // The flock marker keeps a client from making a file's inode resource one of the wrong type.
    private static bool IsSound(in LdlmLockDesc desc) => desc.Resource.Type switch
    {
        LockType.Extent => desc.Policy.Start <= desc.Policy.End,
        LockType.Flock => desc.Policy.Start <= desc.Policy.End && desc.Resource.Name.Name3 == LdlmResId.FlockMarker
            && desc.ReqMode is LockMode.PR or LockMode.PW or LockMode.NL,
        LockType.IBits => ((desc.Policy.Bits | desc.Policy.TryBits) & InodeBits.All) != InodeBits.None
            && desc.Resource.Name.Name3 != LdlmResId.FlockMarker,
        _ => true,
    };

    /// <summary>EXTENT with HAS_INTENT: a stat of a file that others may be writing. 03 section 14.2.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask GlimpseAsync(RpcRequest r, LdlmRequest request)
    {
        Validate(request);
        if (FindFirstCopy(r, request) is { } known)
        {
            Answer(r, known, Echo(request) | LdlmFlags.LockChanged);
            return;
        }
        var l = NewLock(r, request);
        var result = (request.LockFlags & LdlmFlags.IntentOnly) != 0
            ? EnqueueResult.Conflict
            : _table.Enqueue(l, request.LockDesc.Resource.Name, LockType.Extent, WaitRule.Never);
        if (result == EnqueueResult.Granted)
        {
            Answer(r, l, Echo(request) | LdlmFlags.LockChanged);
            return;
        }
        if (result != EnqueueResult.Conflict)
            throw Refusal(result);
        var bytes = new byte[OstLvb.Size];
        var length = await GlimpseLvbAsync(request, bytes).ConfigureAwait(false);
        AnswerWithoutLock(r, bytes.AsSpan(0, Math.Min(length, OwnerOf(r.Export).Client.LvbLength)));
    }

    private async ValueTask<int> GlimpseLvbAsync(LdlmRequest request, byte[] bytes)
    {
        var name = request.LockDesc.Resource.Name;
        if ((request.LockFlags & LdlmFlags.BlockNoWait) != 0)
        {
            // Glimpse ahead: the client does not look at these attributes.
            var length = _host.FillLvb(name, LockType.Extent, bytes);
            return length >= 0 ? length : throw new RpcException(-length, rpcLevel: true);
        }
        var (error, lvb) = await _table.GlimpseAsync(name).ConfigureAwait(false);
        if (error != 0)
            throw new RpcException(-error, rpcLevel: true);
        MemoryMarshal.Write(bytes, lvb);
        return OstLvb.Size;
    }
}
