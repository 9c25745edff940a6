using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>Numbers for clients and OSTs, objects to be destroyed, and the figures of statfs.</summary>
public sealed partial class MdtFileSystem
{
    /// <summary>Bytes of the disk one more inode is reckoned to take, for the number of free inodes.</summary>
    private const ulong BytesPerInode = 1024;

    private static readonly TimeSpan SpaceMaxAge = TimeSpan.FromSeconds(1);

    private DriveInfo? _drive;
    private long _spaceReadAt;
    private ulong _diskBytes, _diskFreeBytes;

    /// <summary>Next object of an OST, never given twice, not even after a power cut. ENOSPC.</summary>
    public LuFid AllocateObject(int ostIndex) => Store.AllocateObject(ostIndex);

    /// <summary>Next metadata sequence for a client (SEQ_QUERY ALLOC_META); never given twice. ENOSPC.</summary>
    public ulong AllocateSequence() => Store.AllocateSequence();

    /// <summary>
    /// Queues the objects of a layout for destruction before they are made, so that whatever ends the work on them, also a kill,
    /// leaves none behind. The entry is held back until <see cref="LetDestroy"/>; the <see cref="SetObjects"/> that
    /// stores the layout takes it out of the queue. E2BIG, ENOSPC.
    /// </summary>
    /// <returns>The entry, and the transaction that has to be committed before the first object is made.</returns>
    public (long Id, ulong Transaction) ForeseeDestroy(LuFid fid, ReadOnlySpan<byte> layout)
    {
        _ = InodeNumber.TryOf(fid, out long number);
        CheckLayout(layout);
        NeedSpace();
        Store.BeginChange();
        long id = Store.EnqueueDestroy(number, layout);
        Store.HoldDestroy(id);
        return (id, Store.EndChange());
    }

    /// <summary>As <see cref="SetLayout"/>, for objects announced by <see cref="ForeseeDestroy"/>, in the same transaction with the
    /// end of that entry: either the file has them or the queue.</summary>
    public MdtResult SetObjects(LuFid fid, ReadOnlySpan<byte> layout, long id)
    {
        var result = SetLayout(fid, layout);
        ConfirmDestroy(id);
        return result;
    }

    /// <summary>The work on the objects is over: those that no file got are destroyed.</summary>
    public void LetDestroy(long id) => Store.LetDestroy(id);

    /// <summary>Up to <paramref name="max"/> queued destroys that are committed, oldest first, with Id above
    /// <paramref name="after"/>. Also the occasion to destroy orphans that a rollback left behind.</summary>
    public IReadOnlyList<PendingDestroy> PendingDestroys(long after, int max)
    {
        SweepOrphans();
        return Store.PendingDestroys(after, max);
    }

    /// <summary>The OSTs confirmed that all objects of the entry are gone.</summary>
    public void ConfirmDestroy(long id)
    {
        Store.BeginChange();
        Store.RemoveDestroy(id);
        Store.EndChange();
    }

    /// <summary>Inodes in use and what the disk below the database has room for; the disk is asked at most once a second.</summary>
    public MdtStatFs StatFs()
    {
        ReadSpace();
        ulong used = (ulong)Store.InodeCount;
        ulong free = _diskFreeBytes / BytesPerInode;
        const uint BlockSize = 4096;
        return new MdtStatFs(
            used + free, free, BlockSize, _diskBytes / BlockSize, _diskFreeBytes / BlockSize, _diskFreeBytes / BlockSize);
    }

    private void ReadSpace()
    {
        if (_drive != null && _time.GetElapsedTime(_spaceReadAt) < SpaceMaxAge)
        {
            return;
        }
        try
        {
            _drive ??= new DriveInfo(Store.Folder);
            (_diskBytes, _diskFreeBytes) = ((ulong)_drive.TotalSize, (ulong)_drive.AvailableFreeSpace);
            _spaceReadAt = _time.GetTimestamp();
        }
        catch (IOException)
        {
            throw new FsException(Errno.EIO);
        }
    }
}
