using System.Runtime.CompilerServices;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mdc;

/// <summary>Lookup, getattr and open: enqueues with an intent (05 section 6).</summary>
internal sealed partial class MetadataClient
{
    /// <summary>What every captured lookup and getattr asks for (05 section 20.2).</summary>
    private const ObdMd IntentAttributes = (ObdMd)0x1140008491036fdf;
    private const int GetAttrReplyBytes = 1152;
    private const int OpenReplyBytes = 2048;

    /// <summary>Bytes of an enqueue's first buffer: the lock's own handle, and early cancels behind it.</summary>
    private static int EnqueueBytes(int cancels) => LdlmRequest.HandlesOffset + (sizeof(ulong) * Math.Max(2, 1 + cancels));

    /// <summary>A name; ENOENT when it does not exist. Takes LOOKUP, UPDATE and PERM.</summary>
    public ValueTask<Outcome<IntentReply>> GetByNameAsync(
        LuFid parent, ReadOnlyMemory<byte> name, Credentials who, uint group, CancellationToken ct) =>
        GetAsync(parent, default, name, who, group, ct);

    /// <summary>An object; ENOENT when it does not exist any more.</summary>
    public ValueTask<Outcome<IntentReply>> GetByFidAsync(LuFid fid, CancellationToken ct) =>
        GetAsync(fid, fid, default, Credentials.Root, NoGroup, ct);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Outcome<IntentReply>> GetAsync(
        LuFid parent, LuFid child, ReadOnlyMemory<byte> name, Credentials who, uint group, CancellationToken ct)
    {
        var prepared = Target.Locks.Prepare(LdlmResId.OfFid(parent), LockType.IBits, LockMode.CR, LdlmPolicy.IBits(InodeBits.Update));
        var call = Rent(Opcode.LdlmEnqueue, LdlmRequest.Size, LdlmIntent.Size, MdtBody.Size, 0, name.Length + 1);
        call.ReplyBytes = GetAttrReplyBytes + EaBytes;
        Target.Locks.FillRequest(call, prepared, LdlmFlags.HasIntent, []);
        call.Get<LdlmIntent>(2).Opcode = IntentOpcode.GetAttr;
        ref var body = ref call.Get<MdtBody>(3);
        FillCaller(ref body, who, group);
        (body.Fid1, body.Fid2) = (parent, child);
        body.Valid = IntentAttributes;
        body.EaDataSize = (uint)EaBytes;
        WriteName(call.Buffer(5), name.Span);
        return await SendIntentAsync(prepared, call, isOpen: false, ct).ConfigureAwait(false);
    }

    /// <summary>Opens a name and makes it where it does not exist (IT_OPEN|IT_CREAT).</summary>
    public async ValueTask<Outcome<IntentReply>> CreateAsync(
        LuFid parent, LuFid fid, ReadOnlyMemory<byte> name, MdsOpen flags, uint mode, uint umask, Credentials who, uint group)
    {
        var cancels = new ulong[MaxCancels];
        var count = await TakeCancelsAsync(parent, InodeBits.Update, cancels).ConfigureAwait(false);
        var open = new OpenArguments(parent, fid, flags | MdsOpen.Creat, FileTypes.Regular | (mode & 0xfff), umask);
        return await OpenAsync(open, name, cancels.AsMemory(0, count), who, group).ConfigureAwait(false);
    }

    /// <summary>Opens an object that is known.</summary>
    public ValueTask<Outcome<IntentReply>> OpenAsync(LuFid fid, MdsOpen flags, Credentials who, uint group) => OpenAsync(
        new OpenArguments(fid, fid, flags | MdsOpen.ByFid | MdsOpen.OwnerOverride, FileTypes.Regular, 0), default, default, who, group);

    private async ValueTask<Outcome<IntentReply>> OpenAsync(
        OpenArguments open, ReadOnlyMemory<byte> name, ReadOnlyMemory<ulong> cancels, Credentials who, uint group)
    {
        var creates = (open.Flags & (MdsOpen.Creat | MdsOpen.ByFid)) == MdsOpen.Creat;
        var prepared = Target.Locks.Prepare(
            LdlmResId.OfFid(open.Parent), LockType.IBits, creates ? LockMode.CW : LockMode.CR, LdlmPolicy.IBits(InodeBits.Lookup));
        var call = Rent(
            Opcode.LdlmEnqueue, EnqueueBytes(cancels.Length), LdlmIntent.Size, MdtRecCreate.Size, 0, 0, name.Length + 1, EaBytes, 0, 0, 0, 0);
        call.ReplyBytes = OpenReplyBytes + EaBytes;
        call.Modifies = true;
        Target.Locks.FillRequest(call, prepared, LdlmFlags.HasIntent, cancels.Span);
        call.Get<LdlmIntent>(2).Opcode = creates ? IntentOpcode.Open | IntentOpcode.Create : IntentOpcode.Open;
        FillReint(ref call.Get<MdtRecReint>(3), ReintOp.Open, who, group, NoGroup);
        open.Fill(ref call.Get<MdtRecCreate>(3), Now);
        WriteName(call.Buffer(6), name.Span);
        return await SendIntentAsync(prepared, call, isOpen: true, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Sends an intent, takes over the lock that comes back if one does, and checks what kernel clients check.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Outcome<IntentReply>> SendIntentAsync(ClientLock prepared, RpcCall call, bool isOpen, CancellationToken ct)
    {
        var sent = await SendAsync(call, ct).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            Target.Locks.Abandon(prepared);
            return new Failure(sent.Errno);
        }

        var reply = sent.Value;
        try
        {
            var granted = await Target.Locks.AcceptAsync(prepared, reply, ct).ConfigureAwait(false);
            var answer = new IntentReply(reply, granted ?? default);
            if (Judge(answer, isOpen) is var errno and not 0)
            {
                answer.Dispose();
                return new Failure(errno);
            }

            LearnEaSize(answer.Body);
            return answer;
        }
        catch (ErrnoException failure)
        {
            Target.Locks.Abandon(prepared);
            reply.Dispose();
            return new Failure(ErrnoFrom(failure.Errno));
        }
        catch (OperationCanceledException)
        {
            Target.Locks.Abandon(prepared);
            reply.Dispose();
            return new Failure(Errno.EINTR);
        }
    }

    /// <summary>0, or the errno: of the phase that ran last (05 section 6.3), or EPROTO for an answer that says nothing.</summary>
    private static int Judge(in IntentReply answer, bool isOpen)
    {
        if (answer.Reply.BufferLength(1) < LdlmReply.Size || answer.Reply.BufferLength(2) < MdtBody.Size)
        {
            return Errno.EPROTO;
        }

        var disposition = answer.Disposition;
        if (answer.Result < 0)
        {
            return ErrnoFrom(-answer.Result);
        }

        if ((disposition & Disp.Execd) == 0)
        {
            return Errno.EPROTO;
        }

        if ((disposition & Disp.LookupNeg) != 0 && (!isOpen || (disposition & Disp.OpenOpen) == 0))
        {
            return Errno.ENOENT;
        }

        return JudgeBody(answer.Body);
    }

    private static int JudgeBody(in MdtBody body)
    {
        if ((body.Valid & ObdMd.Mds) != 0)
        {
            // It lives on another MDT; this client knows one.
            return Errno.EREMOTE;
        }

        const ObdMd needed = ObdMd.FlId | ObdMd.FlType;
        return (body.Valid & needed) == needed && !body.Fid1.IsZero ? 0 : Errno.EPROTO;
    }

    private readonly record struct OpenArguments(LuFid Parent, LuFid Target, MdsOpen Flags, uint Mode, uint Umask)
    {
        public void Fill(ref MdtRecCreate record, long now)
        {
            (record.Fid1, record.Fid2) = (Parent, Target);
            record.Time = now;
            record.Mode = Mode;
            record.Flags = Flags;
            record.Umask = Umask;
        }
    }

    /// <summary>Takes locks that the request is going to conflict with; they travel with it.</summary>
    private ValueTask<int> TakeCancelsAsync(LuFid fid, InodeBits bits, Memory<ulong> handles) => HasCancelSets && handles.Length > 0
        ? Target.Locks.TakeForEarlyCancelAsync(LdlmResId.OfFid(fid), AnyMode, bits, handles)
        : ValueTask.FromResult(0);

    private const LockMode AnyMode = LockMode.EX | LockMode.PW | LockMode.PR | LockMode.CW | LockMode.CR;
}
