using Nacre.Client.Vfs;

namespace Nacre.Fuse.Session;

/// <summary>
/// Which nodes the kernel knows, under which number. A number is an index, used again when the kernel has forgotten the
/// node, with another
/// generation. Finding takes no lock; the kernel does not use a number it has forgotten.
/// </summary>
internal sealed class NodeTable
{
    public const ulong RootId = 1;

    private readonly Lock _gate = new();
    private readonly Stack<ulong> _free = new();
    private NodeEntry?[] _entries = new NodeEntry?[1024];
    private uint[] _generations = new uint[1024];
    private ulong _next = RootId;
    private ulong _hand = RootId;

    public NodeTable(Node root) => Root = Add(root, references: 0);

    public NodeEntry Root { get; }

    /// <summary>Nodes the kernel knows.</summary>
    public int Count { get; private set; }

    /// <summary>Nodes the kernel has forgotten so far.</summary>
    public long Forgotten { get; private set; }

    /// <summary>Null for a number the kernel cannot have.</summary>
    public NodeEntry? Find(ulong id)
    {
        var entries = Volatile.Read(ref _entries);
        return id < (ulong)entries.Length ? Volatile.Read(ref entries[id]) : null;
    }

    /// <summary>Null where the kernel does not know the node.</summary>
    public NodeEntry? Find(Node node)
    {
        lock (_gate)
        {
            return node.Tag as NodeEntry;
        }
    }

    /// <summary>One more lookup of the node, which takes over the caller's references.</summary>
    public NodeEntry Add(Node node, ulong references = 1)
    {
        lock (_gate)
        {
            var entry = node.Tag as NodeEntry ?? Make(node);
            entry.Lookups++;
            entry.IsRecent = true;
            entry.References += references;
            return entry;
        }
    }

    /// <returns>The references to give back to the file system; 0 while the kernel still knows the node.</returns>
    public ulong Forget(ulong id, ulong count, out Node? node)
    {
        lock (_gate)
        {
            node = null;
            if (id == RootId || Find(id) is not { } entry) return 0;
            entry.Lookups -= Math.Min(count, entry.Lookups);
            if (entry.Lookups > 0) return 0;
            Remove(entry);
            node = entry.Node;
            return entry.References;
        }
    }

    /// <summary>
    /// Picks nodes that no request has named for longest, about: goes round the table and passes over those named since it last came by, twice round at most.
    /// </summary>
    /// <returns>How many there are.</returns>
    public int Sweep(Span<ulong> picked)
    {
        lock (_gate)
        {
            int count = 0;
            for (ulong steps = 2 * _next; steps > 0 && count < picked.Length; steps--)
            {
                _hand = _hand + 1 < _next ? _hand + 1 : RootId;
                if (_entries[_hand] is not { } entry || _hand == RootId) continue;
                if (entry.IsRecent) entry.IsRecent = false;
                else picked[count++] = _hand;
            }

            return count;
        }
    }

    /// <summary>Forgets all, at the end of a session: the kernel does not.</summary>
    public List<(Node Node, ulong References)> Clear()
    {
        lock (_gate)
        {
            var all = _entries.OfType<NodeEntry>().Select(entry => (entry.Node, entry.References)).ToList();
            foreach (var (node, _) in all) node.Tag = null;
            Array.Clear(_entries);
            Count = 0;
            return all;
        }
    }

    private NodeEntry Make(Node node)
    {
        if (!_free.TryPop(out ulong id)) id = _next++;
        if (id >= (ulong)_entries.Length) Grow();
        var entry = new NodeEntry(node, id, _generations[id]);
        node.Tag = entry;
        Volatile.Write(ref _entries[id], entry);
        Count++;
        return entry;
    }

    private void Remove(NodeEntry entry)
    {
        entry.Node.Tag = null;
        Volatile.Write(ref _entries[entry.Id], null);
        _generations[entry.Id]++;
        _free.Push(entry.Id);
        Count--;
        Forgotten++;
    }

    private void Grow()
    {
        Array.Resize(ref _generations, _generations.Length * 2);
        var larger = new NodeEntry?[_entries.Length * 2];
        _entries.CopyTo(larger, 0);
        Volatile.Write(ref _entries, larger);
    }
}
