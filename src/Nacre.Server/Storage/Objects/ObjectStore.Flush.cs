namespace Nacre.Server.Storage.Objects;

// The background flush.
public sealed partial class ObjectStore
{
    /// <summary>From this many objects on, one flush of the file system is cheaper than one for each.</summary>
    private const int FlushAllFrom = 32;

    private readonly Lock _dirtyGate = new();
    private List<StoredObject> _dirty = [];
    private List<StoredObject> _spare = [];
    private TaskCompletionSource _manyDirty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _oneFlush = new(1);

    /// <summary>The object changed; it stays open until the flush that follows has seen it.</summary>
    internal void EnqueueFlush(StoredObject changed)
    {
        lock (_cacheGate) changed.References++;
        lock (_dirtyGate)
        {
            _dirty.Add(changed);
            // Files not flushed stay open: do not wait for the second when there are many.
            if (_dirty.Count >= _options.MaxOpenObjects) _manyDirty.TrySetResult();
        }
    }

    public async ValueTask SyncAsync(CancellationToken ct)
    {
        await _oneFlush.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (await Task.Run(FlushDirty, CancellationToken.None).ConfigureAwait(false) is var errno and not 0)
                throw new FsException(errno);
        }
        finally
        {
            _oneFlush.Release();
        }
    }

    private async Task RunFlusherAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            using (var pause = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token))
            {
                await Task.WhenAny(Task.Delay(_options.FlushInterval, Time, pause.Token), _manyDirty.Task).ConfigureAwait(false);
                await pause.CancelAsync().ConfigureAwait(false);
            }
            await _oneFlush.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            try
            {
                FlushDirty();
            }
            catch (Exception unexpected)
            {
                // What is not flushed stays in the page cache, and whoever syncs flushes it himself.
                LogUnexpected(unexpected, "flushing objects");
            }
            finally
            {
                _oneFlush.Release();
            }
        }
    }

    /// <summary>Flushes what changed so far. Returns the last errno, 0 when all went well; objects remember their own.</summary>
    private int FlushDirty()
    {
        List<StoredObject> batch;
        lock (_dirtyGate)
        {
            batch = _dirty;
            _dirty = _spare;
            _spare = batch;
            if (_manyDirty.Task.IsCompleted) _manyDirty = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        foreach (var changed in batch) changed.Dequeued();
        int errno = batch.Count < FlushAllFrom || !TryFlushAll(batch) ? FlushEach(batch) : 0;
        foreach (var changed in batch) Release(changed);
        batch.Clear();
        return errno;
    }

    private bool TryFlushAll(List<StoredObject> batch)
    {
        var covered = batch.ConvertAll(changed => changed.Changes);
        try
        {
            Files.SyncAll();
        }
        catch (FsException e)
        {
            // Each file still remembers its own failure and tells it when it is flushed.
            LogFlushAllFailed(e.Errno);
            return false;
        }
        for (int i = 0; i < batch.Count; i++)
        {
            batch[i].MarkFlushed(covered[i]);
            batch[i].MarkNameFlushed();
        }
        return true;
    }

    private int FlushEach(List<StoredObject> batch)
    {
        int errno = 0;
        foreach (var changed in batch)
        {
            try
            {
                changed.FlushNow();
            }
            catch (FsException e)
            {
                errno = e.Errno;
                LogFlushFailed(changed.Fid, e.Errno);
            }
        }
        return errno;
    }
}
