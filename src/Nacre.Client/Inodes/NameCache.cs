using Nacre.Ldlm.Wire;

namespace Nacre.Client.Inodes;

/// <summary>
/// Names that were looked up: what they lead to, as long as the LOOKUP lock of that is held, or that they do not exist, as long as the directory's
/// UPDATE lock is (05 section 6.5). Also remembers which of them the kernel above was told it may keep, to take those promises back.
/// </summary>
/// <param name="maxAbsent">Names known to be absent, of all directories together; beyond it they are not remembered.</param>
internal sealed class NameCache(InodeTable table, int maxAbsent)
{
    /// <summary>Hard links remembered for one inode.</summary>
    private const int MaxNamesOfInode = 16;

    private readonly Lock _gate = new();
    private int _absent;

    /// <summary>A remembered name.</summary>
    /// <param name="child">What it leads to, with a pin for the caller; null for a name that is absent.</param>
    /// <param name="promise">The kernel is going to be told that it may keep the name.</param>
    public bool TryGet(LustreInode directory, ReadOnlySpan<byte> name, bool promise, out LustreInode? child)
    {
        lock (_gate)
        {
            child = null;
            if (directory.Names is not { } names || !names.TryGetValue(name, out var entry))
            {
                return false;
            }

            if (entry.Child is { } found && !table.TryPin(found))
            {
                return false;
            }

            entry.IsPromised |= promise;
            child = entry.Child;
            return true;
        }
    }

    /// <summary>
    /// Remembers what a name leads to; false when no lock holds it (any more). To be called while the reply that told it still pins its lock, or a moment
    /// later: a lock that is lost meanwhile is noticed.
    /// </summary>
    public bool TryAdd(LustreInode directory, ReadOnlySpan<byte> name, LustreInode child, bool promise)
    {
        lock (_gate)
        {
            if (!child.Holds(InodeBits.Lookup) || child.NamesOf is { Count: >= MaxNamesOfInode })
            {
                return false;
            }

            var entry = Put(directory, name, child);
            entry.IsPromised |= promise;
            return true;
        }
    }

    /// <summary>Remembers that a name does not exist.</summary>
    /// <param name="epoch">The directory's <see cref="LustreInode.NamesEpoch"/> before the server was asked.</param>
    public bool TryAddAbsent(LustreInode directory, ReadOnlySpan<byte> name, int epoch, bool promise)
    {
        lock (_gate)
        {
            if (epoch < 0 || directory.NamesEpoch != epoch || _absent >= maxAbsent)
            {
                return false;
            }

            var entry = Put(directory, name, null);
            entry.IsPromised |= promise;
            return true;
        }
    }

    /// <summary>The LOOKUP lock of an inode goes: so do its names.</summary>
    public ValueTask DropNamesOfAsync(LustreInode inode)
    {
        List<Entry>? promised = null;
        lock (_gate)
        {
            while (inode.NamesOf is { Count: > 0 } names)
            {
                var entry = names[^1];
                Remove(entry);
                Collect(entry, ref promised);
            }
        }

        return TellAsync(promised);
    }

    /// <summary>The UPDATE lock of a directory goes: what is absent may appear.</summary>
    public ValueTask DropAbsentAsync(LustreInode directory)
    {
        List<Entry>? promised = null;
        lock (_gate)
        {
            if (directory.AbsentNames == 0)
            {
                return ValueTask.CompletedTask;
            }

            foreach (var entry in directory.Names!.Values.Where(static entry => entry.Child is null).ToList())
            {
                Remove(entry);
                Collect(entry, ref promised);
            }
        }

        return TellAsync(promised);
    }

    /// <summary>An inode leaves memory: nothing above refers to it any more.</summary>
    public void Forget(LustreInode inode)
    {
        lock (_gate)
        {
            while (inode.NamesOf is { Count: > 0 } names)
            {
                Remove(names[^1]);
            }

            if (inode.Names is { } children)
            {
                foreach (var entry in children.Values.ToList())
                {
                    Remove(entry);
                }
            }
        }
    }

    private Entry Put(LustreInode directory, ReadOnlySpan<byte> name, LustreInode? child)
    {
        var names = directory.Names ??= new DirectoryNames();
        if (names.TryGetValue(name, out var entry))
        {
            if (entry.Child == child)
            {
                return entry;
            }

            Remove(entry);
        }

        var added = new Entry(directory, name.ToArray(), child) { IsPromised = entry?.IsPromised ?? false };
        names.Add(added);
        if (child is null)
        {
            directory.AbsentNames++;
            _absent++;
        }
        else
        {
            (child.NamesOf ??= []).Add(added);
        }

        return added;
    }

    private void Remove(Entry entry)
    {
        entry.Directory.Names!.Remove(entry);
        if (entry.Child is { } child)
        {
            child.NamesOf!.Remove(entry);
        }
        else
        {
            entry.Directory.AbsentNames--;
            _absent--;
        }
    }

    private static void Collect(Entry entry, ref List<Entry>? promised)
    {
        if (entry.IsPromised)
        {
            (promised ??= []).Add(entry);
        }
    }

    private async ValueTask TellAsync(List<Entry>? promised)
    {
        if (promised is null || table.KernelCache is not { } kernel)
        {
            return;
        }

        foreach (var entry in promised)
        {
            await kernel.DropNameAsync(entry.Directory, entry.Name).ConfigureAwait(false);
        }
    }

    /// <summary>A name in a directory.</summary>
    internal sealed class Entry(LustreInode directory, byte[] name, LustreInode? child)
    {
        public LustreInode Directory { get; } = directory;

        public byte[] Name { get; } = name;

        public LustreInode? Child { get; } = child;

        /// <summary>The kernel may have it.</summary>
        public bool IsPromised { get; set; }
    }

    /// <summary>The names of one directory; guarded by the cache.</summary>
    internal sealed class DirectoryNames
    {
        private readonly Dictionary<byte[], Entry> _entries = new(ByteNames.Comparer);
        private readonly Dictionary<byte[], Entry>.AlternateLookup<ReadOnlySpan<byte>> _bySpan;

        public DirectoryNames() => _bySpan = _entries.GetAlternateLookup<ReadOnlySpan<byte>>();

        public IReadOnlyCollection<Entry> Values => _entries.Values;

        public bool TryGetValue(ReadOnlySpan<byte> name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Entry? entry) =>
            _bySpan.TryGetValue(name, out entry);

        public void Add(Entry entry) => _entries.Add(entry.Name, entry);

        public void Remove(Entry entry) => _entries.Remove(entry.Name);
    }
}
