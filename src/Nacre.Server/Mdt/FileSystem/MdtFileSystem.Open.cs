using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>
/// Open files as far as the inode is concerned: how many opens there are, for writing and for execution (05 sections 6.6, 7.1, 8).
/// The counts live in memory only; handles are the wire layer's. They are not undone when a transaction is rolled back: who
/// was told that an open failed closes it.
/// </summary>
public sealed partial class MdtFileSystem
{
    /// <summary>An access time is only moved by a close when it is this much newer (seconds; 05 section 8.2).</summary>
    private const long AtimeSlack = 60;

    private readonly Dictionary<long, OpenState> _opens = [];
    private bool _orphansUncertain;

    private record struct OpenState(int Opens, int Writers, int Executors);

    /// <summary>Number of opens counted, of which for writing and for execution.</summary>
    public (int Opens, int Writers, int Executors) OpenCounts(LuFid fid)
    {
        _ = InodeNumber.TryOf(fid, out long number);
        var state = _opens.GetValueOrDefault(number);
        return (state.Opens, state.Writers, state.Executors);
    }

    /// <summary>
    /// Checks and counts an open of an existing object (05 section 6.6 steps 8, 11, 12).
    /// <paramref name="created"/>: made by this very request, so permissions are not checked. The result carries a transno even
    /// for a read-only open. EACCES, EPERM (append-only file without Append or with Truncate), EISDIR, ENOTDIR, ELOOP (symlink),
    /// ETXTBSY, ENOENT (unlinked and not open).
    /// </summary>
    public MdtResult Open(in MdtCredentials who, LuFid fid, OpenMode mode, bool created)
    {
        var inode = Need(fid);
        if (inode.NLink == 0 && !created && !IsOpen(inode))
        {
            throw new FsException(Errno.ENOENT);
        }
        CheckOpenType(inode, mode);
        var counts = Opens(inode);
        CheckTextBusy(inode, mode, counts);
        if (!created)
        {
            CheckMayOpen(who, inode, mode);
        }
        _opens[inode.Number] = Count(counts, mode, 1);
        var snapshot = Snapshot(inode);
        return new MdtResult
        {
            Transaction = snapshot.Transaction,
            Transno = Store.NextTransno(),
            Object = snapshot,
        };
    }

    /// <summary>
    /// Takes back one <see cref="Open"/>. <paramref name="times"/>: what the client's close carries, applied by 05 section 8.2
    /// (only forward; Size/Blocks with LazySize/LazyBlocks grow the lazy size; DataModified makes an archived file dirty); null for eviction. The last close of an unlinked
    /// object destroys it. Never throws for a missing object or a count that is not there; carries a transno.
    /// </summary>
    public MdtResult Close(LuFid fid, OpenMode mode, in SetAttrArgs? times)
    {
        _ = InodeNumber.TryOf(fid, out long number);
        bool last = CountClose(number, mode);
        var inode = Store.FindInode(number);
        bool destroy = inode is { NLink: 0 } && last;
        var update = inode != null && times is { } wanted && !destroy ? Newer(inode, wanted) : 0;
        bool dirties = inode != null && times is { DataModified: true } && MakesDirty(inode);
        if (inode == null || (!destroy && update == 0 && !dirties))
        {
            return new MdtResult
            {
                Transaction = inode == null ? Store.PendingTransaction : Store.Pending(inode),
                Transno = Store.NextTransno(),
                Object = inode == null ? default : Snapshot(inode),
            };
        }
        ulong transno = Store.BeginChange();
        var before = new PreVersions(inode.Version);
        if (destroy)
        {
            Store.Destroy(inode, isOrphan: true);
        }
        else
        {
            Store.Change(inode); // the version stays: a close is no change of the object (VBR)
            ApplyRest(inode, times!.Value, update);
            ApplyLazySize(inode, times.Value);
            if (dirties)
            {
                MarkDirty(inode);
            }
        }
        return Done(inode, transno, before, destroy);
    }

    private static void CheckOpenType(Inode inode, OpenMode mode)
    {
        if (inode.IsSymlink)
        {
            throw new FsException(Errno.ELOOP);
        }
        if (inode.IsDirectory && (mode & (OpenMode.Write | OpenMode.Truncate | OpenMode.Append)) != 0)
        {
            throw new FsException(Errno.EISDIR);
        }
        if (!inode.IsDirectory && (mode & OpenMode.Directory) != 0)
        {
            throw new FsException(Errno.ENOTDIR);
        }
    }

    private static void CheckTextBusy(Inode inode, OpenMode mode, OpenState counts)
    {
        bool isBusy = ((mode & OpenMode.Write) != 0 && counts.Executors > 0) || ((mode & OpenMode.Exec) != 0 && counts.Writers > 0);
        if (inode.IsRegular && isBusy)
        {
            throw new FsException(Errno.ETXTBSY);
        }
    }

    private static void CheckMayOpen(in MdtCredentials who, Inode inode, OpenMode mode)
    {
        bool writes = (mode & (OpenMode.Write | OpenMode.Truncate | OpenMode.Append)) != 0;
        int mask = ((mode & OpenMode.Read) != 0 ? MayRead : 0) | (writes ? MayWrite : 0)
            | ((mode & OpenMode.Exec) != 0 ? MayExec : 0);
        bool overrides = (mode & OpenMode.OwnerOverride) != 0 && who.Uid == inode.Uid
            && (!writes || (inode.Flags & InodeFlags.Immutable) == 0);
        if (!overrides)
        {
            CheckAccess(who, inode, mask);
        }
        bool appendOnly = (inode.Flags & InodeFlags.Append) != 0 && inode.IsRegular;
        if (appendOnly && writes && ((mode & OpenMode.Append) == 0 || (mode & OpenMode.Truncate) != 0))
        {
            throw new FsException(Errno.EPERM);
        }
    }

    private OpenState Opens(Inode inode) => _opens.GetValueOrDefault(inode.Number);

    private bool IsOpen(Inode inode) => _opens.ContainsKey(inode.Number);

    private static OpenState Count(OpenState state, OpenMode mode, int step) => new(
        state.Opens + step,
        Math.Max(0, state.Writers + ((mode & OpenMode.Write) != 0 ? step : 0)),
        Math.Max(0, state.Executors + ((mode & OpenMode.Exec) != 0 ? step : 0)));

    /// <returns>True when no open is left.</returns>
    private bool CountClose(long number, OpenMode mode)
    {
        if (!_opens.TryGetValue(number, out var state))
        {
            return true;
        }
        state = Count(state, mode, -1);
        if (state.Opens > 0)
        {
            _opens[number] = state;
            return false;
        }
        _opens.Remove(number);
        return true;
    }

    /// <summary>The times of a close that move forward, and LazySize when the size grows; 0 when nothing does.</summary>
    private static SetAttrValid Newer(Inode inode, in SetAttrArgs args)
    {
        var newer = args.Valid & Times;
        if (args.ATime.Seconds <= inode.ATime.Seconds + AtimeSlack)
        {
            newer &= ~SetAttrValid.ATimeSet;
        }
        if (args.MTime <= inode.MTime)
        {
            newer &= ~SetAttrValid.MTimeSet;
        }
        if (args.CTime <= inode.CTime)
        {
            newer &= ~SetAttrValid.CTimeSet;
        }
        return newer | (GrowsLazySize(inode, args) ? SetAttrValid.LazySize : 0);
    }

    private static bool GrowsLazySize(Inode inode, in SetAttrArgs args)
    {
        bool size = (args.Valid & SetAttrValid.LazySize) != 0 && (args.Size > inode.Size || !inode.HasLazySize);
        bool blocks = (args.Valid & SetAttrValid.LazyBlocks) != 0 && args.Blocks > inode.Blocks;
        return inode.IsRegular && (size || blocks);
    }

    private static void ApplyLazySize(Inode inode, in SetAttrArgs args)
    {
        if (!GrowsLazySize(inode, args))
        {
            return;
        }
        inode.HasLazySize = true;
        inode.Size = (args.Valid & SetAttrValid.LazySize) != 0 ? Math.Max(inode.Size, args.Size) : inode.Size;
        inode.Blocks = (args.Valid & SetAttrValid.LazyBlocks) != 0 ? Math.Max(inode.Blocks, args.Blocks) : inode.Blocks;
    }

    private void OnAborted(int errno) => _orphansUncertain = true;

    /// <summary>
    /// Destroys orphans that nobody has open: the close that should have done it was in a transaction that was rolled back.
    /// Cheap when there was no rollback. Returns how many there were.
    /// </summary>
    internal int SweepOrphans()
    {
        if (!_orphansUncertain)
        {
            return 0;
        }
        var forgotten = Store.Orphans().Where(number => !_opens.ContainsKey(number)).ToList();
        if (forgotten.Count > 0)
        {
            Store.BeginChange();
            foreach (long number in forgotten)
            {
                if (Store.FindInode(number) is { } inode)
                {
                    Store.Destroy(inode, isOrphan: true);
                }
                else
                {
                    Store.RemoveOrphan(number);
                }
            }
            Store.EndChange();
        }
        _orphansUncertain = false;
        return forgotten.Count;
    }
}
