using Nacre.Client.Vfs;
using Nacre.Fuse.Cache;

namespace Nacre.Fuse.Session;

/// <summary>A node the kernel knows. Counts and life are guarded by the table's lock.</summary>
internal sealed class NodeEntry(Node node, ulong id, ulong generation)
{
    private readonly Lock _pagesGate = new();
    private PageRange _pages;
    private long _pagesNoted;
    private int _attributesPromised;
    private int _notifications;
    private long _notified = long.MinValue;

    /// <summary>Milliseconds a request may have waited to be read.</summary>
    private const long Queued = 50;
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

    /// <summary>A request named or found it since <see cref="NodeTable.Sweep"/> last came by. A lost write costs a place in the order, no more.</summary>
    public bool IsRecent { get; set; } = true;

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

    /// <summary>Pages that READs have filled. Added to before the answer.</summary>
    public RangeLog Reads { get; } = new();

    /// <summary>Pages of what was written. Added to when the file system has it, before the answer.</summary>
    public RangeLog Writes { get; } = new();

    /// <summary>A notification about attributes or pages is given to the kernel.</summary>
    public void BeginNotification() => Interlocked.Increment(ref _notifications);

    public void EndNotification()
    {
        Volatile.Write(ref _notified, Environment.TickCount64);
        Interlocked.Decrement(ref _notifications);
    }

    /// <summary>The kernel is told of an end of the file by an empty READ, which counts as a notification does.</summary>
    public void NoteEnd() => Volatile.Write(ref _notified, Environment.TickCount64);

    /// <summary>
    /// Whether the kernel may have been notified since it made a request that arrived at <paramref name="arrival"/> (<see cref="Environment.TickCount64"/>): it then
    /// disregards what the answer says of the size.
    /// </summary>
    public bool MayBeNotifiedSince(long arrival) => Volatile.Read(ref _notifications) != 0 || Volatile.Read(ref _notified) > arrival - Queued;

    /// <summary>How often pages were noted.</summary>
    public long PagesNoted
    {
        get
        {
            lock (_pagesGate)
            {
                return _pagesNoted;
            }
        }
    }

    /// <summary>Notes that the kernel may have attributes which it does not ask for again. To be called before it is looked whether they were dropped meanwhile.</summary>
    public void PromiseAttributes() => Volatile.Write(ref _attributesPromised, 1);

    /// <summary>Whether the kernel may have such attributes; the caller drops them.</summary>
    public bool TakeAttributesPromise() => Interlocked.Exchange(ref _attributesPromised, 0) != 0;

    /// <summary>Notes that the kernel is going to have pages. To be called before they are read or written.</summary>
    public void NotePages(PageRange pages)
    {
        lock (_pagesGate)
        {
            _pages = _pages.End == 0 ? pages : new PageRange(Math.Min(_pages.Start, pages.Start), Math.Max(_pages.End, pages.End));
            _pagesNoted++;
        }
    }

    /// <summary>Whether the kernel may have any of these pages.</summary>
    public bool MayHavePages(PageRange range)
    {
        lock (_pagesGate)
        {
            return _pages.Touches(range);
        }
    }

    /// <summary>Pages were dropped, all of the range, and none was on its way.</summary>
    /// <param name="noted">Value of <see cref="PagesNoted"/> before.</param>
    public void ForgetPages(PageRange dropped, long noted)
    {
        lock (_pagesGate)
        {
            if (noted == _pagesNoted && dropped.Start <= _pages.Start && dropped.End >= _pages.End) _pages = default;
        }
    }

    /// <summary>Until then names of this directory are not cached, because a drop of one could not be waited for.</summary>
    public long BusyUntil
    {
        get => Volatile.Read(ref _busyUntil);
        set => Volatile.Write(ref _busyUntil, value);
    }
}
