using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Inodes;

/// <summary>What is left of an object that the servers have not any more.</summary>
internal sealed partial class LustreInode
{
    private int _directoryOpens;
    private bool _isRemoved;

    /// <summary>An open of a directory, of which the server knows nothing: one that is removed meanwhile is gone there.</summary>
    public void AddDirectoryOpen() => Interlocked.Increment(ref _directoryOpens);

    public void RemoveDirectoryOpen() => Interlocked.Decrement(ref _directoryOpens);

    /// <summary>Takes over what the reply to a removal says of the object whose name went.</summary>
    public void TakeRemoved(in MdtBody body)
    {
        if (body.Nlink != 0)
        {
            TakeUnlocked(body);
            return;
        }

        lock (_gate)
        {
            _isRemoved = true;
            _body.Ctime = Math.Max(_body.Ctime, body.Ctime);
        }
    }

    /// <summary>
    /// The attributes of an object the server has not any more, as they were last told, for programs that still hold it: FIDs are never used again, so it
    /// has no other ones. False where nothing says that a program holds it: then a path may have led to it that leads elsewhere by now.
    /// </summary>
    public bool TryGetRemains(out MdtBody body)
    {
        lock (_gate)
        {
            body = _body;
            body.Nlink = 0;
            return (_isRemoved || Volatile.Read(ref _directoryOpens) > 0) && _body.Valid != 0;
        }
    }
}
