using System.Runtime.CompilerServices;
using Nacre.Ldlm;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>Intents: an operation inside a lock enqueue (05 section 6). Requests start with DLM_REQ and ldlm_intent, replies
/// with DLM_REP.</summary>
public sealed partial class MdtTarget
{
    // Request buffers.
    private const int IntentKind = 2;
    private const int IntentBody = 3;
    private const int IntentRecord = 3;
    private const int IntentLookupName = 5;
    // Reply buffers.
    private const int IntentReply = 1;
    private const int IntentReplyBody = 2;
    private const int IntentReplyLayout = 3;
    private const int IntentReplyAcl = 4;

    /// <summary>How often an operation starts over because a name changed while it waited for locks; then EAGAIN.</summary>
    private const int MaxRetries = 100;

    /// <summary>Seconds after which an object counts as quiet: lookups of it also get UPDATE (05 section 6.4).</summary>
    private const long QuietAfter = 10;

    ValueTask ILdlmHost.IntentAsync(RpcRequest request, ulong intentOpcode) => _intent(request);

    private ValueTask IntentAsync(RpcRequest request) => (IntentOpcode)request.Get<LdlmIntent>(IntentKind).Opcode switch
    {
        IntentOpcode.Lookup or IntentOpcode.GetAttr => IntentGetAttrAsync(request, (IntentOpcode)request.Get<LdlmIntent>(IntentKind).Opcode),
        IntentOpcode.Open or (IntentOpcode.Open | IntentOpcode.Create) => IntentOpenAsync(request),
        IntentOpcode.Layout => IntentLayoutAsync(request),
        IntentOpcode.GetXattr => IntentGetXattrAsync(request),
        IntentOpcode.QuotaAcquire or IntentOpcode.QuotaConnect => throw new RpcException(Errno.EOPNOTSUPP, rpcLevel: true),
        _ => throw new RpcException(Errno.EPROTO, rpcLevel: true),
    };

    /// <summary>Outcome of an intent: what goes into <c>ldlm_reply</c>.</summary>
    private static void FinishIntent(RpcRequest request, Disp disposition, int errno, ClientLock? granted)
    {
        ref var reply = ref request.Reply<LdlmReply>(IntentReply);
        reply.LockPolicyRes1 = (ulong)disposition;
        reply.LockPolicyRes2 = unchecked((ulong)-errno);
        if (granted == null)
            request.Status = LdlmStatus.LockAborted;
        else
            LdlmNamespace.FillReply(request, ref reply, granted);
    }

    private static ReadOnlySpan<int> GetAttrIntentShape => [LdlmReply.Size, MdtBody.Size, 0, 0, 0, 0, UnusedDefaultLmv, 0];

    /// <summary>Bytes of the DEFAULT_MDT_MD buffer of a genuine server's lookup replies, zero when there is no default.</summary>
    private const int UnusedDefaultLmv = 56;

    /// <summary>What a lookup or getattr intent found, before and after the lock.</summary>
    private readonly record struct Found(Disp Disposition, int Errno, bool HasObject, MdtObject Object, ulong Transaction)
    {
        public static Found Nothing(Disp disposition, int errno, ulong transaction = 0) =>
            new(disposition, errno, false, default, transaction);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask IntentGetAttrAsync(RpcRequest request, IntentOpcode opcode)
    {
        ulong since = _store.OpenTransaction;
        Found found;
        ClientLock? granted = null;
        for (int attempt = 0; ; attempt++)
        {
            found = Resolve(request, opcode);
            if (!found.HasObject)
                break;
            granted = await LockForGetAttrAsync(request, opcode, found.Object).ConfigureAwait(false);
            // The name may have changed hands and the object changed while the lock was waited for.
            var again = Resolve(request, opcode);
            bool same = again.HasObject && again.Object.Fid == found.Object.Fid;
            found = again;
            if (same)
                break;
            _locks.CancelClientLock(granted);
            granted = null;
            if (!again.HasObject)
                break;
            if (attempt == MaxRetries)
            {
                found = Found.Nothing(Disp.Execd | Disp.LookupExecd, Errno.EAGAIN, again.Transaction);
                break;
            }
        }
        // A name that is not there rests on its directory alone, which says what to wait for; a refusal on anything.
        await Settled(found.Errno != 0, found.Transaction, since).ConfigureAwait(false);
        ReplyGetAttrIntent(request, found, granted);
    }

    /// <summary>Finds the object by name or FID: 05 section 6.4 steps 1 and 2.</summary>
    private Found Resolve(RpcRequest request, IntentOpcode opcode)
    {
        ref readonly var asked = ref request.Get<MdtBody>(IntentBody);
        if ((asked.Valid & ObdMd.FlId) == 0 || asked.Fid1.IsZero)
        {
            return opcode == IntentOpcode.Lookup
                ? Found.Nothing(Disp.Execd, Errno.ENOENT)
                : throw new RpcException(Errno.EPROTO, rpcLevel: true);
        }
        const Disp executed = Disp.Execd | Disp.LookupExecd;
        var name = NameIn(request, IntentLookupName);
        if (name.IsEmpty || name.SequenceEqual("/"u8))
            return ResolveByFid(asked.Fid2.IsZero ? asked.Fid1 : asked.Fid2);
        try
        {
            lock (_store.Gate)
            {
                var lookup = _fs.Lookup(Caller(request, asked), asked.Fid1, name);
                return lookup.Found
                    ? new Found(executed | Disp.LookupPos, 0, true, lookup.Object, lookup.Transaction)
                    : Found.Nothing(executed | Disp.LookupNeg, 0, lookup.Transaction);
            }
        }
        catch (FsException refused)
        {
            // A directory that is gone: the client must look its path up again.
            int errno = refused.Errno == Errno.ENOENT ? Errno.ESTALE : refused.Errno;
            return Found.Nothing(executed, errno, _store.PendingTransaction);
        }
    }

    private Found ResolveByFid(LuFid fid)
    {
        const Disp disposition = Disp.Execd | Disp.LookupExecd | Disp.LookupPos;
        lock (_store.Gate)
        {
            return _fs.TryGetAttr(fid, out var found)
                ? new Found(disposition, 0, true, found, found.Transaction)
                : Found.Nothing(disposition, Errno.ENOENT, _store.PendingTransaction);
        }
    }

    /// <summary>The PR lock of 05 section 6.4 step 3. Completes at once when nobody has to give anything back.</summary>
    private ValueTask<ClientLock> LockForGetAttrAsync(RpcRequest request, IntentOpcode opcode, in MdtObject found)
    {
        var attributes = found.Attributes;
        var bits = InodeBits.Lookup | InodeBits.Perm;
        if (opcode == IntentOpcode.GetAttr || IsQuiet(attributes))
            bits |= InodeBits.Update;
        var tryBits = attributes.IsRegular && request.Export.Has(ConnectFlags.Layoutlock) ? InodeBits.Layout : InodeBits.None;
        return GrantAsync(request, found.Fid, LockMode.PR, bits, tryBits);
    }

    /// <summary>Gives the client a lock with mandatory bits, waiting for those who hold what conflicts. Completes at once when
    /// nobody does.</summary>
    private ValueTask<ClientLock> GrantAsync(RpcRequest request, LuFid fid, LockMode mode, InodeBits bits, InodeBits tryBits) =>
        // Null would mean that no optional bit was free, which cannot end a request that has mandatory ones.
        _locks.GrantToClientAsync(request, ResourceOf(fid), mode, bits, tryBits, request.Aborted)!;

    private bool IsQuiet(in MdtAttributes attributes) =>
        _time.GetUtcNow().ToUnixTimeSeconds() - attributes.CTime.Seconds > QuietAfter;

    private void ReplyGetAttrIntent(RpcRequest request, in Found found, ClientLock? granted)
    {
        if (granted == null)
        {
            request.StartReply(GetAttrIntentShape);
            FinishIntent(request, found.Disposition, found.Errno, null);
            return;
        }
        try
        {
            PutGetAttrIntent(request, found.Object);
        }
        catch (FsException refused)
        {
            _locks.CancelClientLock(granted);
            request.StartReply(GetAttrIntentShape);
            FinishIntent(request, found.Disposition, refused.Errno, null);
            return;
        }
        FinishIntent(request, found.Disposition, 0, granted);
    }

    private void PutGetAttrIntent(RpcRequest request, in MdtObject found)
    {
        ref readonly var asked = ref request.Get<MdtBody>(IntentBody);
        bool wantsAcl = WantsAcl(request, asked.Valid);
        int aclLength = wantsAcl ? AclLength(request.Export, found) : 0;
        bool regular = found.Attributes.IsRegular;
        var layout = regular && asked.EaDataSize != 0 && (asked.Valid & ObdMd.FlEaSize) != 0 ? found.Layout : default;
        request.StartReply(LdlmReply.Size, MdtBody.Size, layout.Length, aclLength, 0, 0, UnusedDefaultLmv, 0);
        ref var body = ref request.Reply<MdtBody>(IntentReplyBody);
        BodyWriter.Describe(ref body, found);
        PutLayout(request, ref body, layout.Span);
        if (wantsAcl)
            PutAcl(request, ref body, found, IntentReplyAcl);
        if ((asked.Valid & ObdMd.FlModeAsize) != 0)
            PutMaxMdSize(ref body);
        PutHsmState(ref body, found);
    }

    /// <summary>The layout of a regular file in MDT_MD; the buffer has its length.</summary>
    private void PutLayout(RpcRequest request, ref MdtBody body, ReadOnlySpan<byte> layout)
    {
        if (layout.IsEmpty)
            return;
        NoteLayoutSize(layout.Length);
        body.Valid |= ObdMd.FlEaSize;
        body.EaDataSize = (uint)layout.Length;
        layout.CopyTo(request.ReplyBuffer(IntentReplyLayout));
    }
}
