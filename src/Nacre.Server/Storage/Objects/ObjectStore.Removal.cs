using System.Threading.Channels;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Objects;

// Destruction: one worker unlinks what was asked for since it last looked, then flushes the folders once for all of it. The
// blocks of a file go with its last handle; the file system frees those of a handle that a killed process held.
public sealed partial class ObjectStore
{
    private const int MaxBatch = 1024;

    /// <summary>Bounded: whoever destroys more waits.</summary>
    private readonly Channel<Removal> _removals = Channel.CreateBounded<Removal>(
        new BoundedChannelOptions(4 * MaxBatch) { SingleReader = true });

    public async ValueTask DestroyAsync(LuFid fid, CancellationToken ct)
    {
        var key = ObjectKey.Of(fid);
        _tombstones.Add(key);
        var removal = new Removal(Detach(key));
        try
        {
            await _removals.Writer.WriteAsync(removal, ct).ConfigureAwait(false);
        }
        catch
        {
            Release(removal.Object);
            throw;
        }
        await removal.Done.Task.WaitAsync(ct).ConfigureAwait(false);
    }

    private async Task RunRemoverAsync()
    {
        var batch = new List<Removal>();
        var names = new List<ObjectKey>();
        while (await _removals.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (batch.Count < MaxBatch && _removals.Reader.TryRead(out var removal)) batch.Add(removal);
            var failure = RemoveAll(batch, names);
            foreach (var removal in batch) removal.Complete(failure);
            batch.Clear();
            names.Clear();
        }
    }

    /// <summary>Never throws: the worker must go on for those who come later.</summary>
    private FsException? RemoveAll(List<Removal> batch, List<ObjectKey> names)
    {
        try
        {
            foreach (var removal in batch) Remove(removal, names);
            return SyncNames(names);
        }
        catch (Exception unexpected)
        {
            LogUnexpected(unexpected, "removing objects");
            return new FsException(Errno.EIO);
        }
    }

    private void Remove(Removal removal, List<ObjectKey> names)
    {
        try
        {
            removal.Object.Load();
            removal.Object.Remove();
            // Also when there was none: the unlink may be an earlier life's, not flushed yet.
            names.Add(removal.Object.Key);
        }
        catch (FsException e)
        {
            LogRemovalFailed(removal.Object.Fid, e.Errno);
            removal.Failure = e;
        }
        finally
        {
            Release(removal.Object);
        }
    }

    private FsException? SyncNames(List<ObjectKey> names)
    {
        try
        {
            if (names.Count > 0) Files.SyncNames(names);
            return null;
        }
        catch (FsException e)
        {
            LogFlushAllFailed(e.Errno);
            return e;
        }
    }

    private sealed class Removal(StoredObject removed)
    {
        public StoredObject Object { get; } = removed;
        public FsException? Failure { get; set; }
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Complete(FsException? syncFailure)
        {
            if ((Failure ?? syncFailure) is { } failure) Done.TrySetException(failure);
            else Done.TrySetResult();
        }
    }
}
