using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

/// <summary>
/// An object in the store's cache: its attributes, and its file once there is one.
/// <para>
/// Locks, in the order they nest. <c>_committing</c> is held over the two or three metadata calls that store attributes, so
/// that the stored ones never go back; only committers of this object wait for it. <c>_opening</c> is held over open(2).
/// <c>_gate</c> is never held over a call: readers of attributes, such as the lock manager's, take nothing else.
/// Range locks are waited for without a thread and before any of these.
/// </para>
/// </summary>
internal sealed partial class StoredObject : IStoredObject
{
    private readonly ObjectStore _store;
    private readonly RangeLock _ranges = new();
    private readonly Lock _committing = new();
    private readonly Lock _opening = new();
    private readonly Lock _gate = new();
    private ObjectAttributes _attributes;
    private volatile IObjectFile? _file;
    private volatile bool _loaded;
    private volatile bool _destroyed;
    private volatile bool _nameIsFlushed = true;

    public StoredObject(ObjectStore store, ObjectKey key)
    {
        _store = store;
        Key = key;
        IdleNode = new LinkedListNode<StoredObject>(this);
    }

    public ObjectKey Key { get; }

    public LuFid Fid => Key.Fid;

    /// <summary>Guarded by the store's cache lock, as the next two.</summary>
    internal int References;

    /// <summary>No longer found by its key: closed when the last reference goes.</summary>
    internal bool Detached;

    internal readonly LinkedListNode<StoredObject> IdleNode;

    public ObjectAttributes Attributes
    {
        get
        {
            if (_destroyed) throw new FsException(Errno.ENOENT);
            lock (_gate) return _attributes;
        }
    }

    public ValueTask<HeldRange> LockRangeAsync(long start, long end, CancellationToken ct) =>
        _ranges.AcquireAsync(start, end, ct);

    public void Dispose() => _store.Release(this);

    /// <summary>Opens the file, if there is one, and takes up its attributes. Called once per lease, works once.</summary>
    internal void Load()
    {
        if (_loaded) return;
        lock (_opening)
        {
            if (_loaded) return;
            var file = _store.Files.Open(Key);
            if (file != null) TakeUp(file);
            _loaded = true;
        }
    }

    private void TakeUp(IObjectFile file)
    {
        try
        {
            var loaded = ReadAttributes(file);
            lock (_gate) _attributes = loaded;
            _file = file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>What the file holds. A file without a record was made by an operation that never completed.</summary>
    internal static ObjectAttributes ReadAttributes(IObjectFile file)
    {
        var status = file.Status();
        var attributes = new ObjectAttributes { Size = status.Size, Blocks = status.Blocks };
        if (!file.TryReadRecord(out var record)) return attributes;
        if (record.Format != ObjectRecord.CurrentFormat) throw new FsException(Errno.EIO);
        record.CopyTo(ref attributes);
        attributes.MTime = status.MTime;
        attributes.ATime = status.ATime;
        return attributes;
    }

    /// <summary>The file, made when there is none yet.</summary>
    private IObjectFile Materialise()
    {
        if (_destroyed) throw new FsException(Errno.ENOENT);
        if (_file is { } open) return open;
        lock (_opening)
        {
            // Destruction sets the flag under this lock, so a file is made before the unlink or not at all.
            if (_destroyed) throw new FsException(Errno.ENOENT);
            if (_file is { } made) return made;
            var file = _store.Files.Create(Key);
            _nameIsFlushed = false;
            _store.Account(default, Attributes, objects: 1);
            _file = file;
            return file;
        }
    }

    /// <summary>
    /// Removes the file; true when there was one. Open handles of operations under way stay good, their commits fail.
    /// </summary>
    internal bool Remove()
    {
        lock (_committing)
        {
            lock (_opening) _destroyed = true;
            if (!_store.Files.Remove(Key)) return false;
            ObjectAttributes last;
            lock (_gate) last = _attributes;
            _store.Account(last, default, objects: -1);
            return true;
        }
    }

    internal void Close()
    {
        _file?.Dispose();
        _file = null;
    }

    private void CheckRange(long start, long end)
    {
        if (start < 0 || end < start || end > _store.MaxObjectBytes) throw new FsException(Errno.EFBIG);
    }
}
