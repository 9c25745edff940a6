namespace Nacre.Client.Inodes;

/// <summary>
/// Directory pages cached under UPDATE locks (05 section 4.4), the least recently used directories dropped beyond a bound.
/// </summary>
/// <param name="maxBytes">Bytes of all pages together.</param>
internal sealed class DirectoryPages(long maxBytes)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<LustreInode, LinkedListNode<Listing>> _listings = [];

    /// <summary>Most recently used first.</summary>
    private readonly LinkedList<Listing> _order = [];
    private long _bytes;

    /// <summary>The chunk that holds the entries from a hash on; null when it is not cached.</summary>
    public DirectoryChunk? Find(LustreInode directory, ulong hash)
    {
        lock (_gate)
        {
            if (!_listings.TryGetValue(directory, out var node))
            {
                return null;
            }

            _order.Remove(node);
            _order.AddFirst(node);
            foreach (var chunk in node.Value.Chunks)
            {
                if (chunk.Start <= hash && hash < chunk.End)
                {
                    return chunk;
                }
            }

            return null;
        }
    }

    /// <summary>Keeps a chunk that was read under the lock, unless the lock is gone by now.</summary>
    /// <param name="epoch">Number of the lock's state before the reading: <see cref="LustreInode.NamesEpoch"/>.</param>
    public void Add(LustreInode directory, DirectoryChunk chunk, int epoch)
    {
        lock (_gate)
        {
            if (epoch < 0 || directory.PagesEpoch != epoch)
            {
                return;
            }

            if (!_listings.TryGetValue(directory, out var node))
            {
                _listings.Add(directory, node = _order.AddFirst(new Listing(directory)));
            }

            node.Value.Chunks.RemoveAll(other => other.Start == chunk.Start);
            node.Value.Chunks.Add(chunk);
            _bytes += chunk.Bytes;
            while (_bytes > maxBytes && _order.Last is { } oldest)
            {
                Remove(oldest);
            }
        }
    }

    public void Drop(LustreInode directory)
    {
        lock (_gate)
        {
            if (_listings.TryGetValue(directory, out var node))
            {
                Remove(node);
            }
        }
    }

    private void Remove(LinkedListNode<Listing> node)
    {
        _listings.Remove(node.Value.Directory);
        _order.Remove(node);
        foreach (var chunk in node.Value.Chunks)
        {
            _bytes -= chunk.Bytes;
        }
    }

    private sealed class Listing(LustreInode directory)
    {
        public LustreInode Directory { get; } = directory;

        public List<DirectoryChunk> Chunks { get; } = [];
    }
}
