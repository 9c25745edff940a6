using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>The create half of an open (05 section 6.6 step 3) and files without a name (05 section 7.5).</summary>
public sealed partial class MdtTarget
{
    private const Disp CreatedDisposition = LookedUp | Disp.LookupNeg | Disp.OpenCreate;

    /// <summary>Makes and opens the file in one step. Null when somebody else has made it meanwhile: open that one.</summary>
    private async ValueTask<OpenOutcome?> OpenCreateAsync(RpcRequest request, OpenRequest open)
    {
        RequireWritable(request.Export);
        OpenOutcome? outcome;
        using (await LockDirectoryAsync(request, open.Record.Fid1).ConfigureAwait(false))
            outcome = CreateAndOpen(request, open);
        if (outcome is { Handle: not 0 })
            GrantNewFile(request, open, outcome);
        return outcome;
    }

    private ValueTask<OpenOutcome> OpenVolatileAsync(RpcRequest request, OpenRequest open)
    {
        RequireWritable(request.Export);
        var outcome = CreateAndOpen(request, open) ?? OpenOutcome.Refused(CreatedDisposition, Errno.EEXIST);
        if (outcome.Handle != 0)
            GrantNewFile(request, open, outcome);
        return ValueTask.FromResult(outcome);
    }

    private OpenOutcome? CreateAndOpen(RpcRequest request, in OpenRequest open)
    {
        var wish = WishedLayout(request, open);
        var name = NameIn(request, OpenName);
        lock (_store.Gate)
        {
            if (!open.IsVolatile && _fs.Lookup(open.Who, open.Record.Fid1, name).Found)
                return null;
            MdtResult made;
            try
            {
                made = CreateFile(request, open, name, wish);
            }
            catch (FsException refused)
            {
                return OpenOutcome.Refused(CreatedDisposition, refused.Errno, _store.PendingTransaction);
            }
            return OpenCreated(request, open, made);
        }
    }

    private MdtResult CreateFile(
        RpcRequest request, in OpenRequest open, ReadOnlySpan<byte> name, Nacre.PtlRpc.Wire.LovLayout? wish)
    {
        // With the layout in place from the start the client can write at once; a create for reading, or by setstripe
        // (DELAY_CREATE), leaves it to a later open.
        byte[] layout = open.NeedsLayout
            ? NewLayout(open.Record.Fid2, open.Record.Fid1, wish, open.Has(MdsOpen.Append))
            : [];
        var arguments = new CreateArgs
        {
            Parent = open.Record.Fid1,
            Name = name,
            Fid = open.Record.Fid2,
            Mode = ModeBits.Regular | (open.Record.Mode & ModeBits.PermissionMask),
            Umask = UmaskOf(request, open.Record),
            Time = open.Record.Time,
            Layout = layout,
        };
        return open.IsVolatile ? _fs.CreateVolatile(open.Who, arguments) : _fs.Create(open.Who, arguments);
    }

    /// <summary>Counts the open of the file just made. If that fails, the file goes away again and OPEN_CREATE is not said.</summary>
    private OpenOutcome OpenCreated(RpcRequest request, in OpenRequest open, in MdtResult made)
    {
        var outcome = new OpenOutcome
        {
            Disposition = CreatedDisposition | Disp.OpenOpen,
            HasObject = true,
            PreVersions = made.PreVersions,
        };
        try
        {
            var opened = _fs.Open(open.Who, open.Record.Fid2, open.Mode, created: true);
            outcome.Handle = AddOpenFile(request.Export, open.Record.Fid2, open.Mode);
            outcome.Transno = opened.Transno;
            outcome.Depend(Math.Max(made.Transaction, opened.Transaction));
            outcome.Object = made.Object;
        }
        catch (FsException refused)
        {
            Uncreate(request, open);
            return OpenOutcome.Refused(LookedUp | Disp.LookupNeg, refused.Errno, _store.PendingTransaction);
        }
        if (open.Writes && open.Has(MdsOpen.DelayCreate) && request.Export.Has(ConnectFlags.DispStripe))
            outcome.Disposition |= Disp.OpenStripe;
        return outcome;
    }

    private void Uncreate(RpcRequest request, in OpenRequest open)
    {
        if (open.IsVolatile)
        {
            // Without a name the file ends with its last opener, though it may never have had one.
            _fs.Close(open.Record.Fid2, open.Mode, null);
            return;
        }
        _fs.Unlink(MdtCredentials.Root, new UnlinkArgs
        {
            Parent = open.Record.Fid1,
            Name = NameIn(request, OpenName),
            Kind = UnlinkKind.File,
            Time = open.Record.Time,
        });
    }

    /// <summary>The lock on a new file is free to have: nobody else knows it, unless it was found in the same moment. The layout
    /// is read again under it.</summary>
    private void GrantNewFile(RpcRequest request, in OpenRequest open, OpenOutcome outcome)
    {
        if (!request.Export.Has(ConnectFlags.Layoutlock))
            return;
        var bits = InodeBits.Lookup | InodeBits.Layout;
        bool openLock = open.Has(MdsOpen.Lock);
        outcome.Lock = _locks.TryGrantToClient(
            request, ResourceOf(outcome.Object.Fid), openLock ? OpenLockMode(open) : LockMode.CR,
            openLock ? bits | InodeBits.Open : bits, InodeBits.None);
        if (outcome.Lock == null)
            return;
        if (openLock)
            outcome.Disposition |= Disp.OpenLock;
        lock (_store.Gate)
        {
            if (!_fs.TryGetAttr(outcome.Object.Fid, out outcome.Object))
                (outcome.HasObject, outcome.Object) = (false, default(MdtObject) with { Transaction = _store.PendingTransaction });
        }
        outcome.Depend(outcome.Object.Transaction);
    }
}
