using Microsoft.Extensions.Logging;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Sqlite;

namespace Nacre.Server.Storage;

/// <summary>
/// Disk. A committed transaction is either in the WAL, which <see cref="SyncAsync"/> flushes with fdatasync, or in the database
/// file behind a checkpoint. SQLite (synchronous=NORMAL) flushes the WAL before a checkpoint copies from it, flushes the
/// database file before the checkpoint counts as complete, starts the WAL over only after a complete one, and flushes the new
/// WAL header before new frames count. So at every moment the flushed files hold everything up to the last sync.
/// </summary>
public sealed partial class MetadataStore
{
    private const int PageSize = 4096;
    /// <summary>Passes of a checkpoint beside running operations: the second copies what was written during the first.</summary>
    private const int BackgroundPasses = 2;

    /// <summary>Multiple of <see cref="MetadataStoreOptions.CheckpointBytes"/> at which a checkpoint stops yielding to operations.</summary>
    private const int UrgentFactor = 4;

    private readonly SemaphoreSlim _syncing = new(1);
    private readonly Lock _checkpointGate = new(); // inner to nothing; Gate may be taken inside it
    private ulong _synced;         // transactions up to here survive a power cut
    private bool _syncFailed;      // guarded by _syncing: the last flush failed, so WAL pages may be lost to the disk
    private int _checkpointing;

    /// <summary>Pages in the WAL after the last commit; falls when the WAL starts over.</summary>
    internal int WalFrames => _db.WalFrames;

    /// <summary>Transactions up to this one survive a power cut.</summary>
    public ulong SyncedTransaction => Volatile.Read(ref _synced);

    /// <summary>Commits and waits for the disk: everything done before the call survives a power cut. FsException EIO or
    /// ENOSPC. Concurrent calls share one flush.</summary>
    public async ValueTask SyncAsync()
    {
        ulong transaction;
        lock (Gate)
        {
            ThrowIfDisposed();
            transaction = PendingTransaction;
        }
        await WhenCommitted(transaction).ConfigureAwait(false);
        await FlushAsync(Volatile.Read(ref _lastChange)).ConfigureAwait(false);
    }

    /// <summary>Background flush: bounds what a power cut can take.</summary>
    private void FlushTimerFired() => _ = FlushInBackgroundAsync();

    private async Task FlushInBackgroundAsync()
    {
        try
        {
            await FlushAsync(Volatile.Read(ref _lastChange)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FsException or ObjectDisposedException)
        {
            // Logged where it happened; the next SyncAsync tries again before it succeeds.
        }
    }

    private async Task FlushAsync(ulong upTo)
    {
        if (SyncedTransaction >= upTo)
        {
            return;
        }
        await _syncing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (SyncedTransaction < upTo)
            {
                await Task.Run(Flush).ConfigureAwait(false);
            }
        }
        finally
        {
            _syncing.Release();
        }
    }

    private void Flush()
    {
        ulong covered = CommittedTransaction;
        try
        {
            if (_syncFailed)
            {
                // The kernel may have given up dirty WAL pages. Copying the WAL into the database writes them again.
                CheckpointCompletely();
            }
            FaultPoint?.Invoke("sync");
            DiskSync.Data(_wal);
            _syncFailed = false;
        }
        catch (Exception e) when (e is IOException or SqliteException)
        {
            _syncFailed = true;
            LogSyncFailed(e);
            throw new FsException(Errno.EIO);
        }
        Volatile.Write(ref _synced, covered);
    }

    private void CheckpointCompletely()
    {
        lock (_checkpointGate)
        {
            lock (Gate)
            {
                ThrowIfDisposed();
                CommitOpen();
                if (!_checkpointer.Checkpoint(SqliteNative.CheckpointPassive))
                {
                    throw new IOException("a reader holds the WAL");
                }
            }
        }
    }

    private void AfterCommit()
    {
        if (WalFrames >= CheckpointBytes / PageSize && Interlocked.Exchange(ref _checkpointing, 1) == 0)
        {
            _ = Task.Run(CheckpointInBackground);
        }
    }

    /// <summary>Copies most of the WAL beside the running operations, and the short rest with the gate held: only a moment without
    /// anything uncopied lets the WAL start over.</summary>
    private void CheckpointInBackground()
    {
        try
        {
            lock (_checkpointGate)
            {
                if (Volatile.Read(ref _disposed))
                {
                    return; // the connections are closed once this lock has been free after that
                }
                bool complete = false;
                long urgent = UrgentFactor * CheckpointBytes / PageSize;
                lock (Gate)
                {
                    RequireRoomForCheckpoint();
                }
                for (int pass = 0; pass < BackgroundPasses && !complete && WalFrames < urgent; pass++)
                {
                    FaultPoint?.Invoke("checkpoint");
                    complete = _checkpointer.Checkpoint(SqliteNative.CheckpointPassive);
                }
                if (!complete)
                {
                    CheckpointRest();
                }
            }
        }
        catch (SqliteException e)
        {
            LogCheckpointFailed(e); // the WAL keeps everything; the next commit tries again
        }
        finally
        {
            Volatile.Write(ref _checkpointing, 0);
        }
    }

    private void CheckpointRest()
    {
        lock (Gate)
        {
            if (_disposed)
            {
                return;
            }
            CommitOpen();
            RequireRoomForCheckpoint();
            if (!_checkpointer.Checkpoint(SqliteNative.CheckpointPassive))
            {
                LogCheckpointHeldUp(WalFrames);
            }
        }
    }

    [LoggerMessage(EventId = 5111, Level = LogLevel.Error, Message = "Metadata could not be flushed to the disk")]
    private partial void LogSyncFailed(Exception exception);

    [LoggerMessage(EventId = 5112, Level = LogLevel.Error, Message = "Checkpoint of the metadata database failed")]
    private partial void LogCheckpointFailed(Exception exception);

    [LoggerMessage(EventId = 5113, Level = LogLevel.Warning,
        Message = "Another program reads the metadata database: its WAL of {Frames} pages cannot start over")]
    private partial void LogCheckpointHeldUp(int frames);
}
