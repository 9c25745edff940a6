using Nacre.Client.Inodes;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Files;

/// <summary>
/// fcntl(2) and flock(2) locks, held at the MDT (03 section 15). As with the kernel client they share one table: a flock and a fcntl lock of one file exclude
/// each other.
/// </summary>
internal sealed partial class LustreVfs
{
    public async ValueTask<Outcome<FileLock>> GetLockAsync(OpenNode file, LockOwner owner, FileLock wanted, CancellationToken ct)
    {
        var inode = (LustreInode)file.Node;
        var found = await _mdc.TestLockAsync(inode.Fid, ModeOf(wanted.Type), PolicyOf(owner, wanted), ct).ConfigureAwait(false);
        if (!found.IsOk)
        {
            return new Failure(found.Errno);
        }

        var (mode, policy) = found.Value;
        var type = mode switch
        {
            LockMode.PR => FileLockType.Read,
            LockMode.PW => FileLockType.Write,
            _ => FileLockType.Unlock,
        };
        var end = policy.End > long.MaxValue ? long.MaxValue : (long)policy.End;
        return type == FileLockType.Unlock
            ? new FileLock(type, wanted.Start, wanted.End, 0)
            : new FileLock(type, (long)policy.Start, end, (int)policy.FlockPid);
    }

    public async ValueTask<Outcome<Done>> SetLockAsync(OpenNode file, LockOwner owner, FileLock wanted, bool wait, CancellationToken ct)
    {
        var inode = (LustreInode)file.Node;
        var request = new LockRequest(LdlmResId.OfFlock(inode.Fid), LockType.Flock, ModeOf(wanted.Type), PolicyOf(owner, wanted))
        {
            Flags = wait || wanted.Type == FileLockType.Unlock ? LdlmFlags.None : LdlmFlags.BlockNoWait,
            Modifies = true,
            JobId = _options.JobId,
        };
        var errno = await EnqueueAsync(request, wanted.Type == FileLockType.Unlock ? CancellationToken.None : ct).ConfigureAwait(false);
        if (errno == 0)
        {
            inode.NoteFileLock(owner, wanted.Type != FileLockType.Unlock);
        }

        return Completed(errno);
    }

    private async ValueTask<int> EnqueueAsync(LockRequest request, CancellationToken ct)
    {
        try
        {
            using var held = await _mdc.Target.Locks.EnqueueAsync(request, ct).ConfigureAwait(false);
            return 0;
        }
        catch (ErrnoException failure)
        {
            return failure.Errno;
        }
        catch (OperationCanceledException)
        {
            return Errno.EINTR;
        }
    }

    /// <summary>A descriptor is closed, and with it go all fcntl locks its process has on the file.</summary>
    private async ValueTask DropLocksAsync(LustreInode inode, ulong owner)
    {
        var whose = new LockOwner(owner, IsFlock: false);
        if (!inode.HasFileLocks(whose))
        {
            return;
        }

        var everything = new FileLock(FileLockType.Unlock, 0, long.MaxValue, 0);
        var request = new LockRequest(LdlmResId.OfFlock(inode.Fid), LockType.Flock, LockMode.NL, PolicyOf(whose, everything)) { Modifies = true };
        await EnqueueAsync(request, CancellationToken.None).ConfigureAwait(false);
        inode.ForgetFileLocks(whose);
    }

    private static LockMode ModeOf(FileLockType type) => type switch
    {
        FileLockType.Read => LockMode.PR,
        FileLockType.Write => LockMode.PW,
        _ => LockMode.NL,
    };

    private static LdlmPolicy PolicyOf(LockOwner owner, FileLock wanted) =>
        LdlmPolicy.Flock((ulong)wanted.Start, (ulong)wanted.End, owner.Owner, (uint)wanted.Pid);
}
