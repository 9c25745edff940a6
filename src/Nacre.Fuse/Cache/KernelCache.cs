using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Nacre.Client.Vfs;
using Nacre.Fuse.Device;
using Nacre.Fuse.Session;

namespace Nacre.Fuse.Cache;

/// <summary>
/// Takes back what the kernel caches, without ever waiting for what waits for it.
/// <para><b>Where the kernel blocks.</b> Dropping a name takes the directory's i_rwsem, which every lookup, create, unlink,
/// rename or readdir in the
/// directory holds until it is answered. Dropping pages waits for each locked page, and pages are locked while a READ fills
/// them and, where
/// it covers them in part, while a WRITE is sent; dirty pages are written first, as WRITEs to this process. Dropping
/// attributes waits for an
/// inode that is being evicted. Last references may go with any of them, and with them what the end of an inode does.</para>
/// <para><b>Why nothing can wait for itself.</b> Notifications are sent by threads of their own
/// (<see cref="NotifyThreads"/>), so none keeps requests from being
/// read, answered or continued. Whoever drops waits for the notification only while nothing under way can be what it is
/// blocked by: it looks at
/// the requests under way (<see cref="InFlight"/>) after <see cref="FirstLook"/> and then on and on. What blocks in the
/// kernel is itself a request, read
/// by then or about to be read, since reader threads never wait for a lock; so it is seen. A request on the same node is
/// taken for the cause at
/// once, any request after <see cref="AnyRequest"/> (a process may hold a directory while it faults on a page of another
/// file), and
/// <see cref="Limit"/> bounds what is not seen. Then the drop goes on in the background and its caller gives the lock up.
/// Write-back is
/// waited for: it may use the lock that is being given up.</para>
/// <para><b>What that costs.</b> Pages: nothing. Those locked by a READ or WRITE under way are empty, and are filled under a
/// lock that the request takes after
/// this one is gone; a request that has its data under the lock already is waited for by the lock's references before the
/// drop begins. So these pages are
/// left out and all others are waited for. Names: until the operation under way ends, others may see a name of that
/// directory that has changed
/// meanwhile; so that it happens once and not all the time, the directory's names are not cached for
/// <see cref="BusyTime"/>.</para>
/// <para><b>Promises under way.</b> An answer that promises something dropped since its request began is sent without the
/// promise (<see cref="DropLog"/>). One that is
/// sent at the same moment may be taken in by the kernel after the notification found nothing: where a promise of the node
/// is younger than
/// <see cref="Settled"/>, the drop is repeated that much later. The kernel itself ignores attributes older than the last
/// notification.</para>
/// </summary>
internal sealed class KernelCache : IKernelCache, IDisposable
{
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan AnyRequest = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WriteBackLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Settled = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan BusyTime = TimeSpan.FromSeconds(5);

    /// <summary>Attempts to drop pages around those that are locked, each with what is locked then.</summary>
    private const int Rounds = 5;

    private static readonly (long Offset, long Length)[] AttributesOnly = [(-1, 0)];

    private readonly FuseDevice _device;
    private readonly NodeTable _nodes;
    private readonly DropLog _drops;
    private readonly InFlight _inFlight;
    private readonly NotifyThreads _threads;
    private readonly ILogger _log;

    public KernelCache(FuseDevice device, NodeTable nodes, RequestPool requests, DropLog drops, ILogger log)
    {
        _device = device;
        _nodes = nodes;
        _drops = drops;
        _log = log;
        _inFlight = new InFlight(requests);
        _threads = new NotifyThreads(device, log);
    }

    private enum Wait
    {
        Done,
        Blocked,
        TooLong,
    }

    /// <summary>Whether names can be made to be asked for again without being taken out (7.38).</summary>
    public bool CanExpire { get; set; }

    public ValueTask DropAttributesAsync(Node node)
    {
        _drops.Add(node, DropLog.Attributes);
        return _nodes.Find(node) is { } entry
            ? new ValueTask(DropAsync(entry, () => new InodeNotification(entry.Id, AttributesOnly), "the drop of attributes"))
            : default;
    }

    public ValueTask DropNameAsync(Node directory, ReadOnlyMemory<byte> name)
    {
        int hash = DropLog.Hash(name.Span);
        _drops.Add(directory, hash);
        if (_nodes.Find(directory) is not { } entry) return default;
        // The caller's memory may change when this returns, the drop may outlive it.
        byte[] copy = name.ToArray();
        if (_inFlight.RenamesTo(entry.Id, hash))
        {
            // The rename's own: the kernel moves what it was promised of the old name to the new one, and lets go of the directory after its answer.
            _threads.Send(new NameNotification(entry.Id, copy, CanExpire));
            return default;
        }

        return new ValueTask(DropNameAsync(entry, copy));
    }

    public ValueTask DropDataAsync(Node node, long offset, long length) =>
        _nodes.Find(node) is { } entry ? new ValueTask(DropPagesAsync(entry, offset, length)) : default;

    /// <summary>Drops pages from <paramref name="offset"/> on and the attributes, with nobody waiting for it.</summary>
    public void Forget(NodeEntry entry, long offset)
    {
        _drops.Add(entry.Node, DropLog.Attributes);
        _threads.Send(new InodeNotification(entry.Id, [(PageRanges.Down(offset), 0)]));
    }

    /// <summary>
    /// Makes the kernel ask for attributes again, on the caller's thread: only for a node that a request under way keeps
    /// from being evicted.
    /// </summary>
    public void ForgetAttributesNow(NodeEntry entry) => _ = new InodeNotification(entry.Id, AttributesOnly).Send(_device);

    public void Dispose() => _threads.Dispose();

    private async Task DropNameAsync(NodeEntry directory, byte[] name)
    {
        bool done = await DropAsync(directory, () => new NameNotification(directory.Id, name, CanExpire), "the drop of a name").ConfigureAwait(false);
        if (!done) directory.BusyUntil = Environment.TickCount64 + (long)BusyTime.TotalMilliseconds;
    }

    /// <returns>False when it goes on in the background.</returns>
    private async Task<bool> DropAsync(NodeEntry entry, Func<Notification> make, string what)
    {
        bool isFresh = Environment.TickCount64 - entry.LastPromise <= Settled.TotalMilliseconds;
        var notification = make();
        _threads.Send(notification);
        if (isFresh) _ = RepeatAsync(make);
        var result = await WaitAsync(entry, notification.Done).ConfigureAwait(false);
        Report(result, entry, what);
        return result == Wait.Done;
    }

    private async Task RepeatAsync(Func<Notification> make)
    {
        await Task.Delay(Settled).ConfigureAwait(false);
        _threads.Send(make());
    }

    private async Task DropPagesAsync(NodeEntry entry, long offset, long length)
    {
        var result = Wait.Done;
        for (int round = 0; round < Rounds; round++)
        {
            var locked = new List<(long, long)>();
            // A page that a WRITE covers in part may have been there before, and is not locked then: so the first round
            // tries all of those.
            _inFlight.AddLockedPages(entry.Id, locked, withWrites: round > 0);
            var notification = new InodeNotification(entry.Id, PageRanges.Without(offset, length, locked));
            _threads.Send(notification);
            result = await WaitAsync(entry, notification.Done).ConfigureAwait(false);
            if (result != Wait.Blocked) break;
        }

        Report(result, entry, "the drop of pages");
    }

    private async Task<Wait> WaitAsync(NodeEntry entry, Task done)
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            if (await CompletesAsync(done).ConfigureAwait(false)) return Wait.Done;
            var elapsed = Stopwatch.GetElapsedTime(started);
            if (_inFlight.OnNode(entry.Id)) return Wait.Blocked;
            if (elapsed > AnyRequest && _inFlight.Any()) return Wait.Blocked;
            if (elapsed > (_inFlight.WritesBack(entry.Id) ? WriteBackLimit : Limit)) return Wait.TooLong;
        }
    }

    private static async Task<bool> CompletesAsync(Task done)
    {
        await done.WaitAsync(FirstLook).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return done.IsCompleted;
    }

    private void Report(Wait result, NodeEntry entry, string what)
    {
        if (result == Wait.Blocked) Log.DropInBackground(_log, what, entry.Id);
        else if (result == Wait.TooLong) Log.DropTookTooLong(_log, entry.Id, Limit.TotalSeconds);
    }
}
