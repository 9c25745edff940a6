using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

// Which objects are open.
public sealed partial class ObjectStore
{
    private readonly Lock _cacheGate = new();
    private readonly Dictionary<ObjectKey, StoredObject> _cache = [];

    /// <summary>Objects nobody uses, the last used first.</summary>
    private readonly LinkedList<StoredObject> _idle = new();

    private int _maxOpenObjects;

    /// <summary>Objects kept open when nobody uses them. Lowered, it closes those used longest ago.</summary>
    public int MaxOpenObjects
    {
        get { lock (_cacheGate) return _maxOpenObjects; }
        set
        {
            List<StoredObject> closing = [];
            lock (_cacheGate)
            {
                _maxOpenObjects = value;
                while (TakeSuperfluous() is { } one) closing.Add(one);
            }
            foreach (var one in closing) one.Close();
        }
    }

    public IStoredObject Open(in LuFid fid)
    {
        var key = ObjectKey.Of(fid);
        if (_tombstones.Contains(key)) throw new FsException(Errno.ENOENT);
        var found = Acquire(key);
        try
        {
            found.Load();
            return found;
        }
        catch
        {
            Release(found);
            throw;
        }
    }

    private StoredObject Acquire(ObjectKey key)
    {
        lock (_cacheGate)
        {
            if (!_cache.TryGetValue(key, out var found)) _cache[key] = found = new StoredObject(this, key);
            else if (found.References == 0) _idle.Remove(found.IdleNode);
            found.References++;
            return found;
        }
    }

    /// <summary>Takes the object out of the cache for its destruction, referenced once more.</summary>
    private StoredObject Detach(ObjectKey key)
    {
        var found = Acquire(key);
        lock (_cacheGate)
        {
            if (!found.Detached) _cache.Remove(key);
            found.Detached = true;
        }
        return found;
    }

    internal void Release(StoredObject released)
    {
        StoredObject? closing = null;
        lock (_cacheGate)
        {
            if (--released.References > 0) return;
            if (released.Detached)
            {
                closing = released;
            }
            else
            {
                _idle.AddFirst(released.IdleNode);
                closing = TakeSuperfluous();
            }
        }
        closing?.Close();
    }

    /// <summary>The unused object that was used longest ago, out of the cache, when there are too many. Called under the gate.</summary>
    private StoredObject? TakeSuperfluous()
    {
        if (_idle.Count <= _maxOpenObjects) return null;
        var oldest = _idle.Last!.Value;
        _idle.RemoveLast();
        _cache.Remove(oldest.Key);
        oldest.Detached = true;
        return oldest;
    }

    private void CloseIdle()
    {
        lock (_cacheGate)
        {
            foreach (var idle in _idle) idle.Close();
            _idle.Clear();
            _cache.Clear();
        }
    }
}
