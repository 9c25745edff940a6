using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt.Hsm;

/// <summary>What copytools report: MDS_HSM_PROGRESS (07 sections 4.5, 5.5 and 8).</summary>
internal sealed partial class HsmCoordinator
{
    /// <summary>
    /// Takes a report. Complete when what it changes is committed. ENOENT for an action there is not (any more), EINVAL, ECANCELED for one that was
    /// canceled.
    /// </summary>
    /// <returns>What was changed; the default of a report that changes nothing.</returns>
    public async ValueTask<MdtResult> ReportAsync(HsmProgressKernel report, CancellationToken cancellationToken)
    {
        bool completed = (report.Flags & HsmProgressFlags.Completed) != 0;
        if (!_queue.TryFind(report.Cookie, out var action))
            throw new FsException(Errno.ENOENT);
        bool overflows = report.Extent.Length != ulong.MaxValue && report.Extent.Offset > ulong.MaxValue - report.Extent.Length;
        if (overflows || (report.Error != 0 && !completed))
            throw new FsException(Errno.EINVAL);
        CheckFile(action, report.Fid);
        if (!_queue.Note(action, report) && !completed)
            throw new FsException(Errno.ECANCELED);
        if (!completed)
            return default;
        if (!_queue.TryBeginEnd(action, out bool wasCanceled))
            throw new FsException(Errno.ENOENT);
        if (wasCanceled)
        {
            Forget(action);
            return default;
        }
        return await EndAsync(action, report, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A report speaks of the file, or of a restore's volatile file, which the first report with another FID names.</summary>
    private static void CheckFile(HsmAction action, LuFid reported)
    {
        bool known = reported == action.Fid || reported == action.DataFid;
        bool names = action.Action == HsmUserAction.Restore && action.DataFid.IsZero && !reported.IsZero;
        if (!known && !names && action.Action != HsmUserAction.Remove)
            throw new FsException(Errno.EINVAL);
    }

    private async ValueTask<MdtResult> EndAsync(HsmAction action, HsmProgressKernel report, CancellationToken cancellationToken)
    {
        MdtResult changed;
        try
        {
            var result = report.Error == 0 ? await ChangeAsync(action, report, cancellationToken).ConfigureAwait(false) : null;
            if (result is null)
            {
                await EndUnchangedAsync(action, inStore: true).ConfigureAwait(false);
                return default;
            }
            changed = result.Value;
            await Store.WhenCommitted(changed.Transaction).ConfigureAwait(false);
        }
        catch
        {
            // The store could not take it, or the report's client is gone: the action is where it was and is done again.
            _queue.WaitAgain(action);
            Wake();
            throw;
        }
        Forget(action);
        Wake();
        if (action.Action == HsmUserAction.Restore)
            await ForgetSizeAsync(action.Fid).ConfigureAwait(false);
        return changed;
    }

    /// <summary>Applies a success. Null when the file is gone meanwhile.</summary>
    private async ValueTask<MdtResult?> ChangeAsync(HsmAction action, HsmProgressKernel report, CancellationToken cancellationToken)
    {
        // A restore has the layout of its file already; nobody may write to the volatile file any more.
        var (locked, bits) = action.Action == HsmUserAction.Restore
            ? (report.Fid, InodeBits.Layout)
            : (action.Fid, InodeBits.Xattr);
        using (await locks.LockAsync(LdlmResId.OfFid(locked), LockMode.EX, bits, cancellationToken).ConfigureAwait(false))
        {
            lock (Store.Gate)
            {
                if (!Files.TryGetAttr(action.Fid, out _))
                    return null;
                return action.Action switch
                {
                    HsmUserAction.Archive => Files.FinishArchive(action.Fid, action.Cookie, report.DataVersion),
                    HsmUserAction.Remove => Files.FinishRemove(action.Fid, action.Cookie),
                    _ => FinishRestore(action, report),
                };
            }
        }
    }

    private MdtResult? FinishRestore(HsmAction action, in HsmProgressKernel report)
    {
        // A volatile file that is gone, and a file that was restored or changed under the hands of this one, leave all as it is.
        bool fits = report.Fid != action.Fid && Files.TryGetAttr(report.Fid, out _)
            && HsmRules.IsCompatible(HsmUserAction.Restore, Files.HsmStateOf(action.Fid), 0);
        return fits ? Files.FinishRestore(action.Fid, report.Fid, action.Cookie, report.DataVersion) : null;
    }

    /// <summary>Sizes and blocks are the objects' again: whoever has the old ones asks anew, also if the one who reported is gone.</summary>
    private async ValueTask ForgetSizeAsync(LuFid file) =>
        (await locks.LockAsync(LdlmResId.OfFid(file), LockMode.PW, InodeBits.Update, Stopping).ConfigureAwait(false)).Dispose();

    /// <summary>Ends an action without any change of its file: it failed, was canceled, or is not needed any more.</summary>
    private async ValueTask EndUnchangedAsync(HsmAction action, bool inStore)
    {
        if (inStore)
        {
            ulong transaction;
            lock (Store.Gate)
                transaction = Files.EndHsm(action.Cookie);
            await Store.WhenCommitted(transaction).ConfigureAwait(false);
        }
        Forget(action);
        Wake();
    }
}
