using Nacre.Client.Vfs;

namespace Nacre.Fuse.Tests.Twin;

/// <summary>Advisory locks of one file: fcntl ranges and flock, with waiters. Guarded by the file system's lock.</summary>
internal sealed class TwinLocks
{
    private readonly List<(LockOwner Owner, FileLock Lock)> _held = [];
    private readonly List<TaskCompletionSource> _waiters = [];

    public int Count => _held.Count;

    public int Waiting => _waiters.Count;

    public FileLock? Conflict(LockOwner owner, FileLock wanted)
    {
        foreach (var (other, held) in _held)
        {
            bool differs = other != owner && other.IsFlock == owner.IsFlock;
            bool overlaps = held.Start <= wanted.End && wanted.Start <= held.End;
            bool excludes = held.Type == FileLockType.Write || wanted.Type == FileLockType.Write;
            if (differs && overlaps && excludes) return held;
        }

        return null;
    }

    /// <summary>Puts the lock in place of what the owner holds there, which may split it.</summary>
    public void Set(LockOwner owner, FileLock wanted)
    {
        var own = _held.Where(held => held.Owner == owner).ToList();
        _held.RemoveAll(held => held.Owner == owner);
        foreach (var (_, held) in own)
        {
            if (held.Start < wanted.Start) Keep(owner, held with { End = Math.Min(held.End, wanted.Start - 1) });
            if (held.End > wanted.End) Keep(owner, held with { Start = Math.Max(held.Start, wanted.End + 1) });
        }

        if (wanted.Type != FileLockType.Unlock) Keep(owner, wanted);
        foreach (var waiter in _waiters) waiter.TrySetResult();
        _waiters.Clear();
    }

    public void RemoveAll(ulong owner, bool isFlock) =>
        Set(new LockOwner(owner, isFlock), new FileLock(FileLockType.Unlock, 0, long.MaxValue, 0));

    /// <summary>Completes at the next change.</summary>
    public Task Changed()
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiters.Add(waiter);
        return waiter.Task;
    }

    private void Keep(LockOwner owner, FileLock held)
    {
        if (held.Start <= held.End) _held.Add((owner, held));
    }
}
