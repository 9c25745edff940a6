using Nacre.Ldlm;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>Opening what exists (05 section 6.6 steps 4 to 13, sections 7.2 and 7.3).</summary>
public sealed partial class MdtTarget
{
    private const Disp PositiveDisposition = LookedUp | Disp.LookupPos;

    /// <summary>Opens the object, or says why not. Null when the name means something else by now.</summary>
    /// <param name="request">The intent.</param>
    /// <param name="open">Its fixed part.</param>
    /// <param name="found">The object as it was looked up.</param>
    /// <param name="disposition">What a refusal says: by name the object was found, by FID nothing (05 section 6.6).</param>
    private async ValueTask<OpenOutcome?> OpenExistingAsync(
        RpcRequest request, OpenRequest open, MdtObject found, Disp disposition)
    {
        if (RefuseByType(request, open, found, disposition) is { } refusal)
            return refusal;
        if (open.IsLease)
            return await OpenLeaseAsync(request, open, found, disposition).ConfigureAwait(false);
        if (found.Attributes.IsRegular && open.NeedsLayout && (found.Layout.IsEmpty || open.Has(MdsOpen.HasEa)))
            return await OpenWithNewLayoutAsync(request, open, found, disposition).ConfigureAwait(false);
        await RevokeCachedOpensAsync(request, open, found.Fid).ConfigureAwait(false);
        var granted = await LockForOpenAsync(request, open, found).ConfigureAwait(false);
        var outcome = OpenNow(request, open, found.Fid, disposition);
        if (outcome is { Handle: not 0 })
        {
            AdoptOpenLock(open, outcome, granted);
            return outcome;
        }
        if (granted != null)
            _locks.CancelClientLock(granted);
        return outcome;
    }

    /// <summary>What an open ends with before it starts: 05 section 6.6 steps 6 to 8, and DIRECTORY of step 3.</summary>
    private OpenOutcome? RefuseByType(RpcRequest request, in OpenRequest open, in MdtObject found, Disp disposition)
    {
        var attributes = found.Attributes;
        if (open.Has(MdsOpen.Directory) && !attributes.IsDirectory)
            return OpenOutcome.Refused(disposition, Errno.ENOTDIR, found.Transaction);
        bool special = !attributes.IsRegular && !attributes.IsDirectory;
        if (attributes.IsSymlink || (special && request.Export.Has(ConnectFlags.Nodevoh)))
        {
            // The client follows the link or opens the device by itself; there is nothing to hold open here.
            return Described(disposition | Disp.LookupPos, open is { Creates: true } && open.Has(MdsOpen.Excl) ? Errno.EEXIST : 0, found);
        }
        if (open.Creates && open.Has(MdsOpen.Excl) && !open.ByFid)
            return Described(disposition, Errno.EEXIST, found);
        if (attributes.IsDirectory && (open.Writes || (open.Creates && !open.ByFid)))
            return Described(disposition, Errno.EISDIR, found);
        return null;
    }

    private static OpenOutcome Described(Disp disposition, int errno, in MdtObject found) => new()
    {
        Disposition = disposition,
        Errno = errno,
        HasObject = true,
        Object = found,
        Transaction = found.Transaction,
    };

    /// <summary>
    /// A client may keep a closed file open under its OPEN lock, which would make an execution fail with ETXTBSY for no visible
    /// reason, and the other way round. Calling that lock back makes the client close what it does not use. So is a lease of somebody else.
    /// </summary>
    private async ValueTask RevokeCachedOpensAsync(RpcRequest request, OpenRequest open, LuFid fid)
    {
        int opposing;
        ulong lease;
        lock (_store.Gate)
        {
            var (_, writers, executors) = _fs.OpenCounts(fid);
            opposing = open.Has(MdsOpen.Exec) ? writers : open.Writes ? executors : 0;
            lease = _leases.GetValueOrDefault(fid);
        }
        if (opposing == 0 && lease == 0)
            return;
        // A reader's CR would leave the PW of a lease for writing alone.
        var mode = open.Writes ? LockMode.CW : LockMode.PR;
        (await LockAsync(request, fid, mode, InodeBits.Open).ConfigureAwait(false)).Dispose();
        if (lease != 0)
            BreakLease(fid, lease);
    }

    private static LockMode OpenLockMode(in OpenRequest open) =>
        open.Writes ? LockMode.CW : open.Has(MdsOpen.Exec) ? LockMode.PR : LockMode.CR;

    /// <summary>The lock an open returns: 05 section 7.2. Only an OPEN lock that was asked for is waited for.</summary>
    private async ValueTask<ClientLock?> LockForOpenAsync(RpcRequest request, OpenRequest open, MdtObject found)
    {
        bool layout = found.Attributes.IsRegular && !found.Layout.IsEmpty && request.Export.Has(ConnectFlags.Layoutlock);
        if (!open.Has(MdsOpen.Lock))
        {
            return layout
                ? _locks.TryGrantToClient(request, ResourceOf(found.Fid), LockMode.CR, InodeBits.Lookup | InodeBits.Layout, InodeBits.None)
                : null;
        }
        const InodeBits wanted = InodeBits.Lookup | InodeBits.Open;
        var tryBits = layout ? InodeBits.Layout : InodeBits.None;
        var mode = OpenLockMode(open);
        return await GrantAsync(request, found.Fid, mode, wanted, tryBits).ConfigureAwait(false);
    }

    private static void AdoptOpenLock(in OpenRequest open, OpenOutcome outcome, ClientLock? granted)
    {
        outcome.Lock = granted;
        if (granted != null && open.Has(MdsOpen.Lock))
            outcome.Disposition |= Disp.OpenLock;
    }

    /// <summary>Checks permission and sharing and counts the open. Null when the name has another object now, or the file lost
    /// or needs a layout in between.</summary>
    private OpenOutcome? OpenNow(RpcRequest request, in OpenRequest open, LuFid fid, Disp disposition)
    {
        lock (_store.Gate)
        {
            if (!StillNamed(request, open, fid, out var found))
                return null;
            if (found.Attributes.IsRegular && found.Layout.IsEmpty && open.NeedsLayout)
                return null;
            // Given out since it was looked for: called back in the next round.
            if (_leases.ContainsKey(fid))
                return null;
            return CountOpen(request, open, found, disposition);
        }
    }

    private bool StillNamed(RpcRequest request, in OpenRequest open, LuFid fid, out MdtObject found)
    {
        if (open.ByFid)
            return _fs.TryGetAttr(fid, out found);
        var lookup = _fs.Lookup(open.Who, open.Record.Fid1, NameIn(request, OpenName));
        found = lookup.Object;
        return lookup.Found && found.Fid == fid;
    }

    /// <summary>Under the gate. Refusals describe the file, as genuine servers do; a lack of permission may be one of groups
    /// only the client knows, which OPEN_DENY tells it.</summary>
    private OpenOutcome CountOpen(RpcRequest request, in OpenRequest open, in MdtObject found, Disp disposition)
    {
        MdtResult opened;
        try
        {
            opened = _fs.Open(open.Who, found.Fid, open.Mode, created: false);
        }
        catch (FsException refused)
        {
            var denied = Described(disposition | (refused.Errno == Errno.EACCES ? Disp.OpenDeny : Disp.None), refused.Errno, found);
            denied.Depend(_store.PendingTransaction);
            return denied;
        }
        return new OpenOutcome
        {
            Handle = AddOpenFile(request.Export, found.Fid, open.Mode),
            Disposition = PositiveDisposition | Disp.OpenOpen,
            HasObject = true,
            Object = found,
            Transno = opened.Transno,
            Transaction = Math.Max(found.Transaction, opened.Transaction),
        };
    }

    /// <summary>The first open for writing of a file without layout, or setstripe of one: everybody's LAYOUT is called back, the
    /// layout made, and no lock returned (05 sections 6.6 step 9 and 7.2).</summary>
    private async ValueTask<OpenOutcome?> OpenWithNewLayoutAsync(
        RpcRequest request, OpenRequest open, MdtObject found, Disp disposition)
    {
        RequireWritable(request.Export);
        using (await LockAsync(request, found.Fid, LockMode.EX, InodeBits.Layout).ConfigureAwait(false))
        {
            if (!MayOpen(open, found.Fid))
                return OpenAndMakeLayout(request, open, found.Fid, disposition, null);
            using var made = await PrepareLayoutAsync(request, found.Fid, open.Record.Fid1, WishedLayout(request, open)).ConfigureAwait(false);
            return OpenAndMakeLayout(request, open, found.Fid, disposition, made);
        }
    }

    /// <summary>Objects are not made for an open that will be refused; the open itself is the judge.</summary>
    private bool MayOpen(in OpenRequest open, LuFid fid)
    {
        try
        {
            lock (_store.Gate)
                _fs.CheckAccess(open.Who, fid, 2);
            return true;
        }
        catch (FsException)
        {
            return (open.Mode & OpenMode.OwnerOverride) != 0;
        }
    }

    private OpenOutcome? OpenAndMakeLayout(
        RpcRequest request, in OpenRequest open, LuFid fid, Disp disposition, SizedLayout? made)
    {
        var wish = WishedLayout(request, open);
        lock (_store.Gate)
        {
            if (!StillNamed(request, open, fid, out var found))
                return null;
            if (!found.Layout.IsEmpty)
                return open.Has(MdsOpen.HasEa) ? Described(disposition, Errno.EEXIST, found) : null;
            var outcome = CountOpen(request, open, found, disposition);
            if (outcome.Handle == 0 || Fits(made, found))
                return outcome.Handle == 0 ? outcome : MakeLayout(request, open, wish, made, outcome);
            // Cut to another size meanwhile: once more from the start.
            if (TryRemoveOpenFile(request.Export, outcome.Handle, out var file))
                _fs.Close(file.Fid, file.Mode, null);
            return null;
        }
    }

    private OpenOutcome MakeLayout(RpcRequest request, in OpenRequest open, LovLayout? wish, SizedLayout? prepared, OpenOutcome outcome)
    {
        var fid = outcome.Object.Fid;
        try
        {
            var made = StoreLayout(fid, open.Record.Fid1, wish, prepared);
            outcome.Object = made.Object;
            outcome.Depend(made.Transaction);
            outcome.PreVersions = made.PreVersions;
        }
        catch (FsException refused)
        {
            if (TryRemoveOpenFile(request.Export, outcome.Handle, out var file))
                _fs.Close(file.Fid, file.Mode, null);
            return OpenOutcome.Refused(LookedUp | Disp.LookupPos, refused.Errno, _store.PendingTransaction);
        }
        if (request.Export.Has(ConnectFlags.DispStripe))
            outcome.Disposition |= Disp.OpenStripe;
        return outcome;
    }
}
