using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>MDS_CLOSE with HSM_RELEASE: a file's data is dropped while its closer has a lease on it (07 section 7.3).</summary>
public sealed partial class MdtTarget
{
    private const int CloseDataBuffer = 4;

    private async ValueTask CloseReleasingAsync(RpcRequest request, MdtRecSetattr record, ulong cookie)
    {
        var data = request.Get<CloseData>(CloseDataBuffer);
        var export = request.Export;
        MdtResult released = default;
        int errno = 0;
        try
        {
            released = await ReleaseAsync(request, record, data, cookie).ConfigureAwait(false);
        }
        catch (FsException refused)
        {
            errno = refused.Errno;
        }
        // Whatever came of it, the handle is closed; the client has dropped its side of the lease already.
        MdtResult closed;
        lock (_store.Gate)
            closed = TryRemoveOpenFile(export, cookie, out var file) ? _fs.Close(file.Fid, file.Mode, null) : default;
        _locks.CancelEarly(export, [data.Handle]);
        if (closed.Transno == 0)
        {
            FailWithBuffers(request, Errno.ESTALE, CloseShape);
            return;
        }
        await Settled(Math.Max(released.Transaction, closed.Transaction)).ConfigureAwait(false);
        _destroyer.Wake();
        if (errno != 0)
        {
            FailWithBuffers(request, errno, CloseShape);
            return;
        }
        request.StartReply(CloseShape);
        request.Reply<MdtBody>(BufBody).Valid = ObdMd.CloseIntentExeced;
        Record(request, closed);
    }

    private async ValueTask<MdtResult> ReleaseAsync(RpcRequest request, MdtRecSetattr record, CloseData data, ulong cookie)
    {
        if ((record.Bias & MdsBias.PccAttach) != 0)
            throw new FsException(Errno.EOPNOTSUPP);
        RequireWritable(request.Export);
        var fid = record.Fid;
        CheckLease(request.Export, fid, data, cookie);
        using (await LockAsync(request, fid, LockMode.EX, InodeBits.Layout | InodeBits.Xattr).ConfigureAwait(false))
        {
            lock (_store.Gate)
            {
                // Given up while the layout was waited for: somebody else has the file open now.
                CheckLease(request.Export, fid, data, cookie);
                return _fs.Release(fid, data.DataVersion, SizeOf(record));
            }
        }
    }

    private void CheckLease(Export export, LuFid fid, in CloseData data, ulong cookie)
    {
        lock (_store.Gate)
        {
            bool mine = _leases.GetValueOrDefault(fid) == cookie && StateOf(export).OpenFiles.TryGetValue(cookie, out var file)
                && file.Fid == fid;
            if (!mine || !_locks.IsGranted(export, data.Handle, ResourceOf(fid)))
                throw new FsException(Errno.ESTALE);
        }
        if (data.Fid.IsZero)
            throw new FsException(Errno.EINVAL);
    }

    /// <summary>Size and times as the client found them under its locks: the MDT's from now on.</summary>
    private static SetAttrArgs SizeOf(in MdtRecSetattr record)
    {
        const SetAttrValid kept = SetAttrValid.Size | SetAttrValid.Blocks
            | SetAttrValid.ATimeSet | SetAttrValid.MTimeSet | SetAttrValid.CTimeSet;
        var arguments = ArgumentsOf(record);
        return arguments with { Valid = arguments.Valid & kept };
    }
}
