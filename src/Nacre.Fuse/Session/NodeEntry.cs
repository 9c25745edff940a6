using Nacre.Client.Vfs;

namespace Nacre.Fuse.Session;

/// <summary>A node the kernel knows. Counts and life are guarded by the table's lock.</summary>
internal sealed class NodeEntry(Node node, ulong id, ulong generation)
{
    private long _lastPromise;
    private long _busyUntil;

    public Node Node { get; } = node;

    public ulong Id { get; } = id;

    /// <summary>
    /// Number of uses of the id: (id, generation) is unique for the life of the mount, as file handles need it.
    /// </summary>
    public ulong Generation { get; } = generation;

    /// <summary>What the kernel will give back by FORGET.</summary>
    public ulong Lookups { get; set; }

    /// <summary>What the file system gets back by <see cref="IVfs.Forget"/>.</summary>
    public ulong References { get; set; }

    /// <summary>The mode the kernel was last told.</summary>
    public uint Mode { get; set; }

    /// <summary>
    /// When something of this node was last given to the kernel to cache; milliseconds of
    /// <see cref="Environment.TickCount64"/>.
    /// </summary>
    public long LastPromise
    {
        get => Volatile.Read(ref _lastPromise);
        set => Volatile.Write(ref _lastPromise, value);
    }

    /// <summary>Until then names of this directory are not cached, because a drop of one could not be waited for.</summary>
    public long BusyUntil
    {
        get => Volatile.Read(ref _busyUntil);
        set => Volatile.Write(ref _busyUntil, value);
    }
}
