using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

// Which objects are open.
public sealed partial class ObjectStore
{
    private readonly Lock _cacheGate = new();
    private readonly Dictionary<ObjectKey, StoredObject> _cache = [];

    /// <summary>Objects nobody uses, the last used first.</summary>
    private readonly LinkedList<StoredObject> _idle = new();

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
                if (_idle.Count > _options.MaxOpenObjects)
                {
                    closing = _idle.Last!.Value;
                    _idle.RemoveLast();
                    _cache.Remove(closing.Key);
                    closing.Detached = true;
                }
            }
        }
        closing?.Close();
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
