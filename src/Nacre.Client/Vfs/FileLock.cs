namespace Nacre.Client.Vfs;

public enum FileLockType
{
    /// <summary>Shared (F_RDLCK, LOCK_SH).</summary>
    Read,

    /// <summary>Exclusive (F_WRLCK, LOCK_EX).</summary>
    Write,

    /// <summary>None (F_UNLCK, LOCK_UN).</summary>
    Unlock,
}

/// <summary>An advisory lock, asked for or found.</summary>
/// <param name="Start">First byte.</param>
/// <param name="End">Last byte; <see cref="long.MaxValue"/> is the end of the file wherever it is.</param>
/// <param name="Pid">Process that holds it, for F_GETLK; 0 when it is on another machine.</param>
public readonly record struct FileLock(FileLockType Type, long Start, long End, int Pid);

/// <param name="Owner">Who holds it on this machine: the table of open files (fcntl) or the file description (flock).</param>
/// <param name="IsFlock">flock(2) of the whole file rather than fcntl(2) ranges: the two do not exclude each other.</param>
public readonly record struct LockOwner(ulong Owner, bool IsFlock);
