using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Mdt.Layouts;

namespace Nacre.Server.Mdt;

/// <summary>Open intents: parsing, finding the object, and the reply (05 section 6.6). Creation is in
/// MdtTarget.OpenCreate.cs, the open of what exists in MdtTarget.OpenExisting.cs.</summary>
public sealed partial class MdtTarget
{
    private const int OpenName = 6;
    private const int OpenEaData = 7;

    /// <summary>Bytes of the NIOBUF_INLINE buffer of a genuine server, zero without data on MDT.</summary>
    private const int UnusedInline = 16;

    private const Disp LookedUp = Disp.Execd | Disp.LookupExecd;

    /// <summary>Mirrors, PCC and restored objects are not there yet.</summary>
    private const MdsOpen Unsupported = MdsOpen.JoinFile | MdsOpen.HasObjs | MdsOpen.Resync | MdsOpen.Pcc;

    private async ValueTask IntentOpenAsync(RpcRequest request)
    {
        ulong since = _store.OpenTransaction;
        var open = ParseOpen(request);
        OpenOutcome outcome;
        try
        {
            CheckOpenFlags(request, open);
            outcome = await OpenAsync(request, open).ConfigureAwait(false);
        }
        catch (FsException refused)
        {
            outcome = OpenOutcome.Refused(LookedUp, refused.Errno);
        }
        try
        {
            // A refusal may rest on any change; the others say what they rest on.
            await Settled(outcome.Errno != 0, outcome.Transaction, since).ConfigureAwait(false);
            ReplyOpen(request, open, outcome);
        }
        catch (FsException refused)
        {
            // The commit failed, or the ACL is more than this client can take: nothing may stay open or locked.
            UndoOpen(request, outcome);
            ReplyOpen(request, open, OpenOutcome.Refused(outcome.Disposition & ~Disp.OpenOpen, refused.Errno));
        }
    }

    private OpenRequest ParseOpen(RpcRequest request)
    {
        ref readonly var record = ref request.Get<MdtRecCreate>(IntentRecord);
        if (record.Opcode != ReintOp.Open || record.Flags == 0)
            throw new RpcException(Errno.EPROTO, rpcLevel: true);
        bool hasName = !NameIn(request, OpenName).IsEmpty;
        return new OpenRequest(record, Caller(request, request.Get<MdtRecReint>(IntentRecord)), hasName);
    }

    private void CheckOpenFlags(RpcRequest request, in OpenRequest open)
    {
        if (open.Has(MdsOpen.HasEa | MdsOpen.HasObjs) && !request.Has(OpenEaData))
            throw new RpcException(Errno.EINVAL);
        if ((open.Flags & Unsupported) != 0)
            throw new FsException(Errno.EOPNOTSUPP);
        if (open.Writes || open.Creates && open.Has(MdsOpen.Excl))
            RequireWritable(request.Export);
        if (open.IsLease && !open.Has(MdsOpen.Lock))
            throw new RpcException(Errno.EPROTO, rpcLevel: true);
        if (!open.HasName && !open.ByFid && !open.IsVolatile)
            throw new RpcException(Errno.EPROTO, rpcLevel: true);
        if (NameIn(request, OpenName).Length > MaxName)
            throw new FsException(Errno.ENAMETOOLONG);
    }

    private async ValueTask<OpenOutcome> OpenAsync(RpcRequest request, OpenRequest open)
    {
        if (open.IsVolatile)
            return await OpenVolatileAsync(request, open).ConfigureAwait(false);
        if (open.ByFid)
            return await OpenByFidAsync(request, open).ConfigureAwait(false);
        for (int attempt = 0; attempt < MaxRetries; attempt++)
        {
            var lookup = LookupForOpen(request, open);
            OpenOutcome? outcome;
            if (lookup.Found)
                outcome = await OpenExistingAsync(request, open, lookup.Object, LookedUp | Disp.LookupPos).ConfigureAwait(false);
            else if (open.Creates)
                outcome = await OpenCreateAsync(request, open).ConfigureAwait(false);
            else
                return OpenOutcome.Refused(LookedUp | Disp.LookupNeg, 0, lookup.Transaction);
            if (outcome != null)
                return outcome;
        }
        return OpenOutcome.Refused(LookedUp, Errno.EAGAIN);
    }

    private async ValueTask<OpenOutcome> OpenByFidAsync(RpcRequest request, OpenRequest open)
    {
        for (int attempt = 0; attempt < MaxRetries; attempt++)
        {
            MdtObject found;
            lock (_store.Gate)
            {
                if (!_fs.TryGetAttr(open.Record.Fid2, out found))
                    return OpenOutcome.Refused(LookedUp | Disp.LookupNeg, 0, _store.PendingTransaction);
            }
            var outcome = await OpenExistingAsync(request, open, found, LookedUp).ConfigureAwait(false);
            if (outcome != null)
                return outcome;
        }
        return OpenOutcome.Refused(LookedUp, Errno.EAGAIN);
    }

    /// <summary>The name in its directory. A directory that is gone is ESTALE: the client looks its path up again.</summary>
    private MdtLookup LookupForOpen(RpcRequest request, in OpenRequest open)
    {
        var name = NameIn(request, OpenName);
        try
        {
            lock (_store.Gate)
                return _fs.Lookup(open.Who, open.Record.Fid1, name);
        }
        catch (FsException refused) when (refused.Errno == Errno.ENOENT)
        {
            throw new FsException(Errno.ESTALE);
        }
    }

    /// <summary>The layout the request brings, checked; null without.</summary>
    private LovLayout? WishedLayout(RpcRequest request, in OpenRequest open) =>
        open.Has(MdsOpen.HasEa) ? LayoutValidator.ParseUserLayout(BytesIn(request, OpenEaData), _allocator.Exists) : null;

    private void ReplyOpen(RpcRequest request, in OpenRequest open, OpenOutcome outcome)
    {
        var found = outcome.Object;
        bool acl = outcome.HasObject && request.Export.Has(ConnectFlags.Acl);
        int aclLength = acl ? AclLength(request.Export, found) : 0;
        var layout = outcome.HasObject && found.Attributes.IsRegular ? found.Layout : default;
        request.StartReply(LdlmReply.Size, MdtBody.Size, layout.Length, aclLength, 0, 0, UnusedInline, 0, 0);
        if (outcome.HasObject)
        {
            ref var body = ref request.Reply<MdtBody>(IntentReplyBody);
            BodyWriter.Describe(ref body, found);
            PutLayout(request, ref body, layout.Span);
            if (acl)
                PutAcl(request, ref body, found, IntentReplyAcl);
            if (!open.ByFid)
                PutMaxMdSize(ref body);
            body.OpenHandle = outcome.Handle;
        }
        FinishIntent(request, outcome.Disposition, outcome.Errno, outcome.Lock);
        if (outcome.Handle != 0)
            Record(request, outcome.Transno, outcome.PreVersions);
    }

    private void UndoOpen(RpcRequest request, OpenOutcome outcome)
    {
        if (outcome.Lock != null)
            _locks.CancelClientLock(outcome.Lock);
        lock (_store.Gate)
        {
            if (outcome.Handle != 0 && TryRemoveOpenFile(request.Export, outcome.Handle, out var file))
                _fs.Close(file.Fid, file.Mode, null);
        }
    }
}
