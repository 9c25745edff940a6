using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>
/// Opens with a lease: the opener has the file for itself until somebody else opens it, which calls its OPEN lock back (07 section 7.2).
/// </summary>
public sealed partial class MdtTarget
{
    /// <summary>Files that are leased out, with the cookie of the open that has the lease. Guarded by the store's gate.</summary>
    private readonly Dictionary<LuFid, ulong> _leases = [];

    private async ValueTask<OpenOutcome?> OpenLeaseAsync(RpcRequest request, OpenRequest open, MdtObject found, Disp disposition)
    {
        if (!found.Attributes.IsRegular)
            return OpenOutcome.Refused(disposition, Errno.EINVAL, found.Transaction);
        // All cached opens are called back, those of this client too.
        var mode = open.Writes ? LockMode.PW : LockMode.PR;
        var granted = await GrantAsync(request, found.Fid, mode, InodeBits.Open, InodeBits.None).ConfigureAwait(false);
        var outcome = OpenLeaseNow(request, open, found.Fid, disposition);
        if (outcome.Handle == 0)
        {
            _locks.CancelClientLock(granted);
            return outcome;
        }
        outcome.Lock = granted;
        outcome.Disposition |= Disp.OpenLock | Disp.OpenLease;
        return outcome;
    }

    private OpenOutcome OpenLeaseNow(RpcRequest request, in OpenRequest open, LuFid fid, Disp disposition)
    {
        lock (_store.Gate)
        {
            if (!StillNamed(request, open, fid, out var found))
                return OpenOutcome.Refused(disposition, Errno.ESTALE, _store.PendingTransaction);
            if (open.Has(MdsOpen.Release) && !HsmRules.MayRelease(_fs.HsmStateOf(fid).States))
                return OpenOutcome.Refused(disposition, Errno.EPERM, _store.PendingTransaction);
            var (_, writers, _) = _fs.OpenCounts(fid);
            if (writers > 0 || _leases.ContainsKey(fid))
                return OpenOutcome.Refused(disposition, Errno.EBUSY, _store.PendingTransaction);
            var outcome = CountOpen(request, open, found, disposition);
            if (outcome.Handle != 0)
                _leases.Add(fid, outcome.Handle);
            return outcome;
        }
    }

    /// <summary>The lock of the lease has been given up for somebody else.</summary>
    private void BreakLease(LuFid fid, ulong cookie)
    {
        lock (_store.Gate)
            EndLease(fid, cookie);
    }

    /// <summary>The open that had the lease is closed. Under the gate.</summary>
    private void EndLease(LuFid fid, ulong cookie)
    {
        if (_leases.GetValueOrDefault(fid) == cookie)
            _leases.Remove(fid);
    }
}
