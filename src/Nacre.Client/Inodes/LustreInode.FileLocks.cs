using Nacre.Client.Vfs;

namespace Nacre.Client.Inodes;

/// <summary>Who has advisory locks on the file through this client, so that a close need not ask the server for nothing.</summary>
internal sealed partial class LustreInode
{
    private HashSet<LockOwner>? _fileLockOwners;

    /// <param name="locked">False after an unlock, which may leave other ranges locked: the owner stays noted.</param>
    public void NoteFileLock(LockOwner owner, bool locked)
    {
        if (!locked)
        {
            return;
        }

        lock (_gate)
        {
            (_fileLockOwners ??= []).Add(owner);
        }
    }

    public bool HasFileLocks(LockOwner owner)
    {
        lock (_gate)
        {
            return _fileLockOwners?.Contains(owner) ?? false;
        }
    }

    public void ForgetFileLocks(LockOwner owner)
    {
        lock (_gate)
        {
            _fileLockOwners?.Remove(owner);
        }
    }
}
