using System.Runtime.InteropServices;

namespace Nacre.Server.Storage;

/// <summary>
/// Inodes and directory entries recently used, bounded in bytes; the least recently used go first, dirty inodes never.
/// Nothing goes in the middle of an operation, which would then change one copy of an inode while another is read anew: only
/// <see cref="Trim"/> drops, and it is called between operations. Guarded by the store's gate.
/// </summary>
internal sealed class ObjectCache(long capacity)
{
    private const int EntryCost = 160;

    private readonly Dictionary<long, Inode> _inodes = [];
    private readonly Dictionary<EntryKey, CachedEntry> _entries = [];
    private CacheNode? _newest, _oldest;

    /// <summary>Bytes accounted; exceeds the capacity by what is dirty and by what came since the last trim.</summary>
    public long Bytes { get; private set; }

    public int InodeCount => _inodes.Count;

    public Inode? FindInode(long number)
    {
        if (!_inodes.TryGetValue(number, out var inode))
        {
            return null;
        }
        Touch(inode);
        return inode;
    }

    /// <summary>Takes the place of a deleted inode of the same number.</summary>
    public void Add(Inode inode)
    {
        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_inodes, inode.Number, out _);
        if (place != null)
        {
            Unlink(place);
        }
        place = inode;
        inode.Cost = inode.EstimateCost();
        Link(inode);
    }

    public void Remove(Inode inode)
    {
        if (_inodes.TryGetValue(inode.Number, out var present) && ReferenceEquals(present, inode))
        {
            _inodes.Remove(inode.Number);
            Unlink(inode);
        }
    }

    /// <summary>Accounts anew for an inode whose attributes have grown or shrunk.</summary>
    public void Recount(Inode inode)
    {
        if (inode.Newer == null && !ReferenceEquals(_newest, inode))
        {
            return; // replaced by a new inode of the same number
        }
        int cost = inode.EstimateCost();
        Bytes += cost - inode.Cost;
        inode.Cost = cost;
    }

    public bool FindEntry(EntryKey key, ReadOnlySpan<byte> name, out Entry entry)
    {
        if (_entries.TryGetValue(key, out var cached) && name.SequenceEqual(cached.Name))
        {
            Touch(cached);
            entry = cached.Entry;
            return true;
        }
        entry = default;
        return false;
    }

    public void AddEntry(EntryKey key, ReadOnlySpan<byte> name, in Entry entry)
    {
        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_entries, key, out _);
        if (place != null)
        {
            Unlink(place);
        }
        place = new CachedEntry(key, name.ToArray(), entry) { Cost = EntryCost + name.Length };
        Link(place);
    }

    public void RemoveEntry(EntryKey key)
    {
        if (_entries.Remove(key, out var cached))
        {
            Unlink(cached);
        }
    }

    public void Clear()
    {
        _inodes.Clear();
        _entries.Clear();
        _newest = _oldest = null;
        Bytes = 0;
    }

    /// <summary>Drops the oldest until the bound holds. Dirty ones met on the way become the newest; the walk ends when it
    /// has met as many of them as there can be.</summary>
    public void Trim()
    {
        int spared = 0;
        while (Bytes > capacity && _oldest is { } victim && spared <= _inodes.Count)
        {
            if (victim is Inode { IsDirty: true })
            {
                spared++;
                Touch(victim);
                if (ReferenceEquals(_oldest, victim))
                {
                    return;
                }
                continue;
            }
            Drop(victim);
        }
    }

    private void Drop(CacheNode victim)
    {
        if (victim is Inode inode)
        {
            _inodes.Remove(inode.Number);
        }
        else
        {
            _entries.Remove(((CachedEntry)victim).Key);
        }
        Unlink(victim);
    }

    private void Touch(CacheNode node)
    {
        if (ReferenceEquals(_newest, node))
        {
            return;
        }
        Detach(node);
        Attach(node);
    }

    private void Link(CacheNode node)
    {
        Attach(node);
        Bytes += node.Cost;
    }

    private void Unlink(CacheNode node)
    {
        Detach(node);
        Bytes -= node.Cost;
    }

    private void Attach(CacheNode node)
    {
        node.Older = _newest;
        node.Newer = null;
        if (_newest != null)
        {
            _newest.Newer = node;
        }
        _newest = node;
        _oldest ??= node;
    }

    private void Detach(CacheNode node)
    {
        if (node.Newer != null)
        {
            node.Newer.Older = node.Older;
        }
        else
        {
            _newest = node.Older;
        }
        if (node.Older != null)
        {
            node.Older.Newer = node.Newer;
        }
        else
        {
            _oldest = node.Newer;
        }
        node.Newer = node.Older = null;
    }
}
