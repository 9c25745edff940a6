using System.Diagnostics;
using Nacre.Fuse.Session;

namespace Nacre.Fuse.Cache;

/// <summary>How the wait for a drop ended.</summary>
internal enum DropResult
{
    Done,

    /// <summary>It goes on in the background: an operation under way keeps the kernel from it, and may wait for the caller.</summary>
    Blocked,

    /// <summary>As <see cref="Blocked"/>, and nobody knows why.</summary>
    TooLong,
}

/// <summary>
/// Drops a range of a file's pages, around those that requests under way keep locked. The kernel drops page by page and blocks at the first that is locked, so
/// a notification that is found blocked is left to itself, and what it has not dropped is dropped anew around the pages that are known to be locked by now.
/// It is over when every page was dropped, or was locked and empty after the drop had begun.
/// </summary>
internal sealed class PageDrop(NodeEntry entry, InFlight inFlight, NotifyThreads threads)
{
    /// <summary>Between looks at what is still to be done.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);

    /// <summary>Until a drop that is blocked by what nobody sees is given up.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>The same while pages are written back: the server may be slow.</summary>
    private static readonly TimeSpan WriteBackLimit = TimeSpan.FromSeconds(60);

    /// <summary>Looks at which a page has to be found locked, to be taken for one that a WRITE has locked.</summary>
    private const int Certain = 3;

    /// <summary>Notifications left blocked before the last one is only waited for.</summary>
    private const int MaxRounds = 100;

    private readonly List<(PagesNotification Drop, int Blocked)> _edges = [];
    private readonly long _started = Stopwatch.GetTimestamp();

    public async Task<DropResult> RunAsync(long offset, long length)
    {
        var range = PageRanges.Of(offset, length);
        long noted = entry.PagesNoted;
        bool allThere = inFlight.PagesRead(entry.Id).Count == 0 && inFlight.EdgesWritten(entry.Id).Count == 0;
        List<PageRange> left = [range];
        for (int round = 0; ; round++)
        {
            var sent = Send(left);
            var result = await WaitAsync(sent, mayGoAround: round < MaxRounds).ConfigureAwait(false);
            if (result == DropResult.Done && allThere && round == 0) entry.ForgetPages(range, noted);
            if (result != null) return result.Value;
            left = [.. sent.Left];
        }
    }

    /// <summary>Pages that READs have locked are left out. Each that a WRITE may have is tried alone: the WRITE of a part of a page that was there locks nothing.</summary>
    private PagesNotification Send(List<PageRange> left)
    {
        var edges = inFlight.EdgesWritten(entry.Id);
        left = PageRanges.Without(left, inFlight.PagesRead(entry.Id));
        foreach (var edge in PageRanges.Common(left, edges))
        {
            var alone = new PagesNotification(entry, [edge]);
            _edges.Add((alone, 0));
            threads.Send(alone);
        }

        var sent = new PagesNotification(entry, PageRanges.Without(left, edges));
        threads.Send(sent);
        return sent;
    }

    /// <returns>Null: what is left of it has to be sent again.</returns>
    private async Task<DropResult?> WaitAsync(PagesNotification sent, bool mayGoAround)
    {
        for (int blocked = 0; ;)
        {
            await sent.Done.WaitAsync(Look).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            bool isDone = sent.Done.IsCompleted;
            if (isDone && await EdgesAreDoneAsync().ConfigureAwait(false)) return DropResult.Done;
            if (!isDone && sent.IsBlocked)
            {
                blocked++;
                if (mayGoAround && MeetsLockedPages(sent.Left)) return null;
                // What is dirty cannot be written before the truncation is answered, and that may wait for this lock.
                if (blocked >= Certain && inFlight.Truncates(entry.Id)) return DropResult.Blocked;
            }

            if (Stopwatch.GetElapsedTime(_started) > (inFlight.WritesBack(entry.Id) ? WriteBackLimit : Limit)) return DropResult.TooLong;
        }
    }

    private bool MeetsLockedPages(IEnumerable<PageRange> left)
    {
        var locked = inFlight.PagesRead(entry.Id);
        locked.AddRange(inFlight.EdgesWritten(entry.Id));
        return left.Any(range => locked.Exists(range.Touches));
    }

    /// <summary>Whether each is dropped, or is locked by a WRITE under way and so was not there.</summary>
    private async Task<bool> EdgesAreDoneAsync()
    {
        bool done = true;
        for (int i = 0; i < _edges.Count; i++)
        {
            var (drop, blocked) = _edges[i];
            if (drop.Done.IsCompleted || blocked >= Certain) continue;
            await drop.Done.WaitAsync(Look).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            bool isLocked = drop.IsBlocked && !inFlight.WritesBack(entry.Id) && MeetsLockedPages(drop.Left);
            _edges[i] = (drop, isLocked ? blocked + 1 : 0);
            done &= drop.Done.IsCompleted || blocked + 1 >= Certain && isLocked;
        }

        return done;
    }
}
