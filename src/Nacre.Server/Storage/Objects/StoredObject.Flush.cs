namespace Nacre.Server.Storage.Objects;

// What is in the page cache only, and how it gets to the disk.
internal sealed partial class StoredObject
{
    /// <summary>How long the failure of a flush is told to everybody who asks for one.</summary>
    internal static readonly TimeSpan ErrorMemory = TimeSpan.FromMinutes(10);

    private long _changes;
    private long _flushed;
    private int _queued;
    private Task? _flushing;
    private int _flushesRunning;
    private int _pastErrno;
    private long _pastErrorAt;

    public bool IsFlushing => Volatile.Read(ref _flushesRunning) != 0;

    public async ValueTask SyncAsync(bool reportPast, CancellationToken ct)
    {
        long wanted = Interlocked.Read(ref _changes);
        // A flush under way may have begun before our change; then another follows. It has begun after it at the second turn.
        while (Interlocked.Read(ref _flushed) < wanted && !_destroyed)
        {
            Task flush;
            lock (_gate) flush = _flushing ??= Task.Run(FlushShared, CancellationToken.None);
            await flush.WaitAsync(ct).ConfigureAwait(false);
        }
        if (reportPast) ThrowPastError();
    }

    private void FlushShared()
    {
        try
        {
            FlushNow();
        }
        finally
        {
            lock (_gate) _flushing = null;
        }
    }

    /// <summary>Flushes what is completed; waits for the disk. A failure is thrown and remembered.</summary>
    internal void FlushNow()
    {
        long covered = Interlocked.Read(ref _changes);
        if (Interlocked.Read(ref _flushed) >= covered) return;
        Interlocked.Increment(ref _flushesRunning);
        try
        {
            if (!_destroyed && _file is { } file)
            {
                file.Sync();
                FlushName();
            }
            MarkFlushed(covered);
        }
        catch (FsException e)
        {
            RememberError(e.Errno);
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _flushesRunning);
        }
    }

    private void FlushName()
    {
        if (_nameIsFlushed) return;
        if (!_store.Files.FileSyncCoversName) _store.Files.SyncNames([Key]);
        _nameIsFlushed = true;
    }

    /// <summary>The number of the newest completed change, to hand to <see cref="MarkFlushed"/> after a flush.</summary>
    internal long Changes => Interlocked.Read(ref _changes);

    internal void MarkFlushed(long covered)
    {
        lock (_gate) _flushed = Math.Max(_flushed, covered);
    }

    /// <summary>Names are part of a flush of everything.</summary>
    internal void MarkNameFlushed() => _nameIsFlushed = true;

    /// <summary>The flusher took the object out of its queue: the next change puts it there again.</summary>
    internal void Dequeued() => Volatile.Write(ref _queued, 0);

    internal void RememberError(int errno)
    {
        lock (_gate)
        {
            _pastErrno = errno;
            _pastErrorAt = _store.Time.GetTimestamp();
        }
    }

    private void MarkChanged()
    {
        Interlocked.Increment(ref _changes);
        if (Interlocked.Exchange(ref _queued, 1) == 0) _store.EnqueueFlush(this);
    }

    private void ThrowPastError()
    {
        lock (_gate)
        {
            if (_pastErrno == 0) return;
            if (_store.Time.GetElapsedTime(_pastErrorAt) < ErrorMemory) throw new FsException(_pastErrno);
            _pastErrno = 0;
        }
    }
}
