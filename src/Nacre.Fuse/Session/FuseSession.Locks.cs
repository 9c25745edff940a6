using System.Runtime.CompilerServices;
using Nacre.Client.Vfs;
using Nacre.Fuse.Protocol;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Session;

/// <summary>Advisory locks of fcntl(2) and flock(2).</summary>
internal sealed partial class FuseSession
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask GetLockAsync(FuseRequest request, OpenNode file)
    {
        var wanted = Body<LockRequest>(request);
        if (_options.Locking == FileLocking.None)
        {
            ReplyError(request, Errno.ENOSYS);
            return;
        }

        var found = await _vfs.GetLockAsync(file, Owner(in wanted), FromWire(in wanted.Lock), request.Cancelled).ConfigureAwait(false);
        if (found.IsOk) Reply(request, ToWire(found.Value));
        else ReplyError(request, found.Errno);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SetLockAsync(FuseRequest request, OpenNode file, bool wait)
    {
        var wanted = Body<LockRequest>(request);
        if (_options.Locking == FileLocking.None)
        {
            ReplyError(request, Errno.ENOSYS);
            return;
        }

        ReplyDone(request, await _vfs.SetLockAsync(
            file, Owner(in wanted), FromWire(in wanted.Lock), wait, request.Cancelled).ConfigureAwait(false));
    }

    private static LockOwner Owner(in LockRequest request) => new(request.Owner, (request.Flags & RequestFlags.LockIsFlock) != 0);

    private static FileLock FromWire(in WireLock wire) =>
        new((FileLockType)wire.Type, (long)wire.Start, (long)Math.Min(wire.End, long.MaxValue), (int)wire.Pid);

    private static WireLock ToWire(FileLock found) => new()
    {
        Type = (uint)found.Type,
        Start = (ulong)found.Start,
        End = (ulong)found.End,
        Pid = (uint)found.Pid,
    };
}
