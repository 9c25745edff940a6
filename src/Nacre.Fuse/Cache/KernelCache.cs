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
/// it covers them in part and they were not there, while a WRITE is sent; dirty pages are written first, as WRITEs to this process, and the kernel holds those
/// back while a truncation is under way. Dropping
/// attributes waits for an
/// inode that is being evicted. Last references may go with any of them, and with them what the end of an inode does.</para>
/// <para><b>Why nothing can wait for itself.</b> Notifications are sent by threads of their own
/// (<see cref="NotifyThreads"/>), so none keeps requests from being
/// read, answered or continued. What blocks in the
/// kernel is itself a request, read
/// by then or about to be read, since reader threads never wait for a lock, and what waits in the kernel to be read waits for no answer
/// (<see cref="FuseOptions.MaxBackground"/>); so it is seen (<see cref="InFlight"/>). Whoever drops stops waiting when a notification sleeps in the kernel, which
/// one that only has no processor does not (<see cref="ThreadState"/>), and a request under way can be what it sleeps for: then the drop goes on in the background
/// and its caller gives the lock up. For names and attributes that is any request on the same node at
/// once, any request at all after <see cref="AnyRequest"/> (a process may hold a directory while it faults on a page of another
/// file). For pages see <see cref="PageDrop"/>. <see cref="PageDrop.Limit"/> bounds what is not seen.
/// Write-back is
/// waited for: it uses the lock that is being given up, and waits for no other.</para>
/// <para><b>What that costs.</b> Pages: those locked by a READ or WRITE under way are empty, and are filled under a
/// lock that the request takes after
/// this one is gone; a request that has its data under the lock already is waited for by the lock's references before the
/// drop begins. So these pages are
/// left out and all others are waited for, but for pages that a mapping has changed while the file is being truncated through this mount. Names: until the operation
/// under way ends, others may see a name of that
/// directory that has changed
/// meanwhile; so that it happens once and not all the time, the directory's names are not cached for
/// <see cref="BusyTime"/>. Attributes: nothing, as those of an inode being evicted go with it.</para>
/// <para><b>Promises under way.</b> An answer that promises something dropped since its request began is sent without the
/// promise (<see cref="DropLog"/>). One that is
/// sent at the same moment may be taken in by the kernel after the notification found nothing: where a promise of the node
/// is younger than
/// <see cref="Settled"/>, the drop is repeated that much later. The kernel itself ignores attributes older than the last
/// notification.</para>
/// </summary>
internal sealed class KernelCache : IKernelCache, IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Answer = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan AnyRequest = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Settled = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan BusyTime = TimeSpan.FromSeconds(5);

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

    /// <summary>Whether names can be made to be asked for again without being taken out (7.38).</summary>
    public bool CanExpire { get; set; }

    public ValueTask DropAttributesAsync(Node node)
    {
        _drops.Add(node, DropLog.Attributes);
        return _nodes.Find(node) is { } entry && entry.TakeAttributesPromise()
            ? new ValueTask(DropAttributesAsync(entry))
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

    /// <summary>Whether a READ of any of these pages is under way.</summary>
    public bool IsRead(NodeEntry entry, PageRange pages) => _inFlight.Reads(entry.Id, pages);

    public ValueTask DropDataAsync(Node node, long offset, long length) =>
        _nodes.Find(node) is { } entry && entry.MayHavePages(PageRanges.Of(offset, length))
            ? new ValueTask(DropPagesAsync(entry, offset, length))
            : default;

    /// <summary>
    /// Makes the kernel ask for attributes again, on the caller's thread: only for a node that a request under way keeps
    /// from being evicted.
    /// </summary>
    public void ForgetAttributesNow(NodeEntry entry) => _ = new AttributesNotification(entry).Send(_device);

    /// <summary>Has the kernel give up those of the nodes that nobody uses; FORGETs follow, perhaps after the task has completed.</summary>
    /// <returns>False where the kernel does not know how.</returns>
    public async Task<bool> PruneAsync(ulong[] ids)
    {
        var notification = new PruneNotification(ids);
        _threads.Send(notification);
        await notification.Done.ConfigureAwait(false);
        return !notification.IsUnknown;
    }

    public void Dispose() => _threads.Dispose();

    private async Task DropAttributesAsync(NodeEntry entry)
    {
        await WaitForAttributesAsync(entry).ConfigureAwait(false);
        await DropAsync(entry, () => new AttributesNotification(entry), "the drop of attributes").ConfigureAwait(false);
    }

    /// <summary>
    /// Waits for a moment while the kernel asks for attributes: after a notification it disregards the answer, and whoever asked goes by the size of before. Not
    /// for long, as the answer may wait for the caller.
    /// </summary>
    private async ValueTask WaitForAttributesAsync(NodeEntry entry)
    {
        long started = Stopwatch.GetTimestamp();
        while (_inFlight.AsksForAttributes(entry.Id) && Stopwatch.GetElapsedTime(started) < Answer) await Task.Delay(1).ConfigureAwait(false);
    }

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
        var result = await WaitAsync(entry, notification).ConfigureAwait(false);
        Report(result, entry, what);
        return result == DropResult.Done;
    }

    private async Task RepeatAsync(Func<Notification> make)
    {
        await Task.Delay(Settled).ConfigureAwait(false);
        _threads.Send(make());
    }

    private async Task DropPagesAsync(NodeEntry entry, long offset, long length)
    {
        await WaitForAttributesAsync(entry).ConfigureAwait(false);
        var result = await new PageDrop(entry, _inFlight, _threads).RunAsync(offset, length).ConfigureAwait(false);
        Report(result, entry, "the drop of pages");
    }

    private async Task<DropResult> WaitAsync(NodeEntry entry, Notification sent)
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            await sent.Done.WaitAsync(Look).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (sent.Done.IsCompleted) return DropResult.Done;
            var elapsed = Stopwatch.GetElapsedTime(started);
            if (elapsed > PageDrop.Limit) return DropResult.TooLong;
            if (sent.IsBlocked && (_inFlight.OnNode(entry.Id) || (elapsed > AnyRequest && _inFlight.Any()))) return DropResult.Blocked;
        }
    }

    private void Report(DropResult result, NodeEntry entry, string what)
    {
        if (result == DropResult.Blocked) Log.DropInBackground(_log, what, entry.Id);
        else if (result == DropResult.TooLong) Log.DropTookTooLong(_log, entry.Id, PageDrop.Limit.TotalSeconds);
    }
}
