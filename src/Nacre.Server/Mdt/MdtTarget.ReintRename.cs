using System.Runtime.CompilerServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>REINT_RENAME (05 section 5.7). Loops cannot be made by two renames at once: the whole check and move is one step
/// under the store's gate, so no rename lock is needed on top.</summary>
public sealed partial class MdtTarget
{
    private const int RenameOldName = 4;
    private const int RenameNewName = 5;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReintRenameAsync(RpcRequest request)
    {
        var record = request.Get<MdtRecName>(BufRecord);
        FindRenamed(request);
        bool oneDirectory = record.Fid1 == record.Fid2;
        var (first, second) = Ordered(record.Fid1, record.Fid2);
        MdtResult? result = null;
        using (await LockDirectoryAsync(request, first).ConfigureAwait(false))
        {
            if (oneDirectory)
            {
                result = await RenameUnderParentsAsync(request).ConfigureAwait(false);
            }
            else
            {
                using (await LockDirectoryAsync(request, second).ConfigureAwait(false))
                    result = await RenameUnderParentsAsync(request).ConfigureAwait(false);
            }
        }
        await FinishReintAsync(request, ReintOp.Rename, result ?? throw new FsException(Errno.EAGAIN)).ConfigureAwait(false);
    }

    /// <summary>Locks the moved object and the overwritten one in the order of their FIDs, then moves. Null when the names kept
    /// changing.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<MdtResult?> RenameUnderParentsAsync(RpcRequest request)
    {
        for (int attempt = 0; attempt < MaxRetries; attempt++)
        {
            var found = FindRenamed(request);
            MdtResult? result;
            if (found.Overwritten.IsZero || found.Overwritten == found.Moved)
            {
                using (await LockAsync(request, found.Moved, LockMode.EX, MovedBits).ConfigureAwait(false))
                    result = RenameIfStill(request, found);
            }
            else
            {
                bool movedFirst = found.Moved < found.Overwritten;
                var (first, second) = Ordered(found.Moved, found.Overwritten);
                using (await LockAsync(request, first, LockMode.EX, movedFirst ? MovedBits : OverwrittenBits).ConfigureAwait(false))
                using (await LockAsync(request, second, LockMode.EX, movedFirst ? OverwrittenBits : MovedBits).ConfigureAwait(false))
                    result = RenameIfStill(request, found);
            }
            if (result != null)
                return result;
        }
        return null;
    }

    private const InodeBits MovedBits = InodeBits.Lookup | InodeBits.Xattr;
    private const InodeBits OverwrittenBits = InodeBits.Lookup | InodeBits.Update;

    /// <summary>Objects a rename concerns; <see cref="Overwritten"/> is zero for a free new name.</summary>
    private readonly record struct Renamed(LuFid Moved, LuFid Overwritten);

    /// <summary>Looks both names up and refuses what cannot work before any client has to give up a lock.</summary>
    private Renamed FindRenamed(RpcRequest request)
    {
        ref readonly var record = ref request.Get<MdtRecName>(BufRecord);
        var oldName = EntryNameIn(request, RenameOldName);
        var newName = EntryNameIn(request, RenameNewName);
        var who = Caller(request, request.Get<MdtRecReint>(BufRecord));
        lock (_store.Gate)
        {
            var moved = _fs.Lookup(who, record.Fid1, oldName);
            if (!moved.Found)
                throw new FsException(Errno.ENOENT);
            var overwritten = _fs.Lookup(who, record.Fid2, newName);
            if (moved.Object.Fid == record.Fid1 || moved.Object.Fid == record.Fid2)
                throw new FsException(Errno.EINVAL);
            if (overwritten.Found)
                CheckOverwrite(moved.Object.Attributes, overwritten.Object.Attributes);
            // What cannot be moved or overwritten must not be locked: a directory that is not empty may hold those locked
            // already, and who has it locked as a parent may wait for them. "." and ".." are directories too.
            if (moved.Object.Attributes.IsDirectory)
                _fs.CheckRename(who, RenameArguments(request));
            return new Renamed(moved.Object.Fid, overwritten.Found ? overwritten.Object.Fid : default);
        }
    }

    private static void CheckOverwrite(in MdtAttributes moved, in MdtAttributes overwritten)
    {
        if (overwritten.IsDirectory && !moved.IsDirectory)
            throw new FsException(Errno.EISDIR);
        if (moved.IsDirectory && !overwritten.IsDirectory)
            throw new FsException(Errno.ENOTDIR);
    }

    private MdtResult? RenameIfStill(RpcRequest request, in Renamed expected)
    {
        lock (_store.Gate)
        {
            if (FindRenamed(request) != expected)
                return null;
            return _fs.Rename(Caller(request, request.Get<MdtRecReint>(BufRecord)), RenameArguments(request));
        }
    }

    private static RenameArgs RenameArguments(RpcRequest request)
    {
        ref readonly var record = ref request.Get<MdtRecName>(BufRecord);
        return new RenameArgs
        {
            SourceParent = record.Fid1,
            SourceName = EntryNameIn(request, RenameOldName),
            TargetParent = record.Fid2,
            TargetName = EntryNameIn(request, RenameNewName),
            Time = record.Time,
        };
    }

    private static (LuFid First, LuFid Second) Ordered(LuFid a, LuFid b) => a < b ? (a, b) : (b, a);
}
