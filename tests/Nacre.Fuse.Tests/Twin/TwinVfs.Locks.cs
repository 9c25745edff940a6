using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Tests.Twin;

internal sealed partial class TwinVfs
{
    public ValueTask<Outcome<FileLock>> GetLockAsync(OpenNode file, LockOwner owner, FileLock wanted, CancellationToken ct)
    {
        lock (_gate)
        {
            return new(((TwinFile)file).Twin.Locks.Conflict(owner, wanted) ?? wanted with { Type = FileLockType.Unlock });
        }
    }

    public async ValueTask<Outcome<Done>> SetLockAsync(OpenNode file, LockOwner owner, FileLock wanted, bool wait, CancellationToken ct)
    {
        Counts.AddOrUpdate(owner.IsFlock ? "flock" : "setlk", 1, (_, count) => count + 1);
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                var locks = ((TwinFile)file).Twin.Locks;
                if (wanted.Type == FileLockType.Unlock || locks.Conflict(owner, wanted) is null)
                {
                    locks.Set(owner, wanted);
                    return default(Done);
                }

                if (!wait) return new Failure(Errno.EAGAIN);
                changed = locks.Changed();
            }

            await changed.WaitAsync(ct);
        }
    }
}
