using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Sqlite;

namespace Nacre.Server.Storage;

/// <summary>Group commit: one open transaction, numbered from 1 at each start, and those who wait for it.</summary>
public sealed partial class MetadataStore : IThreadPoolWorkItem
{
    /// <summary>Rolled-back transactions that are remembered for those who ask late.</summary>
    private const int RememberedAborts = 4096;

    /// <summary>Waiters kept for reuse.</summary>
    private const int MaxIdleWaiters = 1024;

    private readonly Lock _waitLock = new(); // inner to Gate; guards those down to _finished
    private readonly Dictionary<ulong, int> _aborted = [];
    private readonly Queue<ulong> _abortedOrder = [];
    private readonly Queue<(CommitWaiter First, int Errno)> _untold = []; // of finished transactions
    private readonly Stack<CommitWaiter> _idleWaiters = [];
    private CommitWaiter? _firstWaiter; // of the open transaction, in the order they came
    private CommitWaiter? _lastWaiter;
    private bool _commitQueued;
    private ulong _finished;
    private (ulong Transaction, int Errno) _lastAbort;

    // Guarded by Gate. _open is also read under _waitLock by waiters: it changes only under both.
    private ulong _open = 1;
    private ulong _transno;
    private ulong _committedTransno;
    private ulong _lastChange; // last transaction that was committed with changes
    private bool _begun;      // SQLite has a transaction open
    private bool _dirty;      // the open transaction changed something
    private int _changes;     // operations in the open transaction that changed something
    private bool _changing;   // between BeginChange and EndChange
    private bool _committing; // the committer holds the gate, and tells waiters when it has let go of it
    private int _timerArmed;
    private SqliteStatement _beginSql = null!, _commitSql = null!, _rollbackSql = null!;

    /// <summary>Raised under <see cref="Gate"/> after the open transaction was rolled back, with the errno its waiters got.
    /// Everything done since the last commit is undone; open counts are not.</summary>
    public event Action<int>? Aborted;

    /// <summary>Number of the transaction now collecting changes.</summary>
    public ulong OpenTransaction => Volatile.Read(ref _open);

    /// <summary>The open transaction if it holds changes, else 0. Under <see cref="Gate"/>.</summary>
    public ulong PendingTransaction => _dirty ? _open : 0;

    /// <summary>Every transaction up to this one is finished (committed, or rolled back with its waiters told).</summary>
    public ulong CommittedTransaction => Volatile.Read(ref _finished);

    /// <summary>Highest transno such that it and all before it are committed: pb_last_committed.</summary>
    public ulong CommittedTransno => Volatile.Read(ref _committedTransno);

    /// <summary>For tests: called with the name of a point ("commit", "checkpoint", "sync"); may throw SqliteException or
    /// IOException there.</summary>
    internal Action<string>? FaultPoint { get; set; }

    /// <summary>For tests: the database may have this many pages of 4096 bytes; beyond, it is full.</summary>
    internal void LimitPages(long pages)
    {
        AssertHeld();
        CommitOpen();
        _db.Execute(FormattableString.Invariant($"PRAGMA max_page_count={pages}"));
    }

    /// <summary>Next transaction number for a reply: epoch in the high 32 bits (grows at every start), counter in the low.
    /// Under <see cref="Gate"/>.</summary>
    public ulong NextTransno()
    {
        ThrowIfDisposed();
        ulong next = ++_transno;
        if ((uint)next == 0)
        {
            NoteEpoch(next >> 32);
        }
        ArmCommitTimer(); // even without a change, so that CommittedTransno follows
        return next;
    }

    /// <summary>Completes after COMMIT of the transaction (survives kill -9); at once for 0 and committed ones. Fails with
    /// FsException ENOSPC or EIO when the transaction was rolled back. Call without the gate.</summary>
    public ValueTask WhenCommitted(ulong transaction)
    {
        if (transaction == 0)
        {
            return ValueTask.CompletedTask;
        }
        CommitWaiter waiter;
        bool queue;
        lock (_waitLock)
        {
            if (transaction <= _finished)
            {
                return _aborted.TryGetValue(transaction, out int errno)
                    ? ValueTask.FromException(new FsException(errno)) : ValueTask.CompletedTask;
            }
            ArgumentOutOfRangeException.ThrowIfGreaterThan(transaction, _open);
            waiter = AddWaiter();
            queue = !_commitQueued;
            _commitQueued = true;
        }
        if (queue)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        return waiter.Task;
    }

    /// <summary>
    /// For a refusal, which may rest on any change: completes when all done before the call is committed. Fails as
    /// <see cref="WhenCommitted"/> does when a transaction from <paramref name="since"/> on was rolled back, for what was seen
    /// may be undone then. Call without the gate.
    /// </summary>
    /// <param name="since"><see cref="OpenTransaction"/> before the first look.</param>
    public ValueTask WhenSettled(ulong since)
    {
        // Read before: a rollback that comes in between is found below, one that comes later by the wait.
        ulong pending = PendingTransaction;
        lock (_waitLock)
        {
            if (_lastAbort.Transaction >= since)
            {
                return ValueTask.FromException(new FsException(_lastAbort.Errno));
            }
        }
        return WhenCommitted(pending);
    }

    /// <summary>Under <see cref="_waitLock"/>.</summary>
    private CommitWaiter AddWaiter()
    {
        if (!_idleWaiters.TryPop(out var waiter))
        {
            waiter = new CommitWaiter(ReturnWaiter);
        }
        if (_lastWaiter is null)
        {
            _firstWaiter = waiter;
        }
        else
        {
            _lastWaiter.Next = waiter;
        }
        return _lastWaiter = waiter;
    }

    private void ReturnWaiter(CommitWaiter waiter)
    {
        lock (_waitLock)
        {
            if (_idleWaiters.Count < MaxIdleWaiters)
            {
                _idleWaiters.Push(waiter);
            }
        }
    }

    /// <summary>The committer. While it waits for the gate, more operations join the transaction.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        lock (Gate)
        {
            if (!_disposed)
            {
                _committing = true;
                try
                {
                    CommitOpen();
                }
                finally
                {
                    _committing = false;
                }
            }
        }
        TellWaiters();
    }

    /// <summary>
    /// Lets those go on who waited for finished transactions: all of one transaction on this thread, one after the other, so
    /// that their answers leave together. A work item and a system call for each of them cost more than the commit itself.
    /// </summary>
    private void TellWaiters()
    {
        while (true)
        {
            (CommitWaiter First, int Errno) next;
            lock (_waitLock)
            {
                if (!_untold.TryDequeue(out next))
                {
                    return;
                }
            }
            _options.RunWaiters(() => Tell(next.First, next.Errno));
        }
    }

    private static void Tell(CommitWaiter first, int errno)
    {
        for (CommitWaiter? waiter = first; waiter != null;)
        {
            // Completed, it may be in use again at once.
            CommitWaiter current = waiter;
            (waiter, current.Next) = (current.Next, null);
            if (errno == 0)
            {
                current.Complete();
            }
            else
            {
                current.Fail(new FsException(errno));
            }
        }
    }

    /// <summary>Starts an operation that changes something, in the open transaction.</summary>
    /// <returns>Its transno.</returns>
    internal ulong BeginChange()
    {
        AssertHeld();
        if (_changing)
        {
            Abort(Errno.EIO, null); // an earlier operation died between its first and its last change
        }
        Begin();
        _changing = true;
        _dirty = true;
        _changes++;
        return NextTransno();
    }

    /// <summary>The operation is complete; it does not look at inodes any more.</summary>
    /// <returns>The transaction it is in.</returns>
    internal ulong EndChange()
    {
        Debug.Assert(_changing);
        _changing = false;
        _cache.Trim();
        return _open;
    }

    /// <summary>Every use of SQLite is inside a transaction, so that reads take no file locks of their own.</summary>
    private void Begin()
    {
        AssertHeld();
        if (_begun)
        {
            return;
        }
        ThrowIfDisposed();
        try
        {
            _beginSql.Run();
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
        _begun = true;
        ArmCommitTimer();
    }

    private void CommitOpen()
    {
        if (_changing)
        {
            Abort(Errno.EIO, null);
            return;
        }
        try
        {
            if (_dirty)
            {
                RequireRoomForCommit();
                WriteInodes();
                WriteCounters();
                FaultPoint?.Invoke("commit");
            }
            if (_begun)
            {
                _commitSql.Run();
                _begun = false;
            }
        }
        catch (SqliteException e)
        {
            Abort(e.ErrorNumber, e);
            return;
        }
        _cache.Trim(); // reads alone fill it too, and arm the timer that leads here
        Volatile.Write(ref _committedTransno, _transno);
        if (_dirty)
        {
            CountersCommitted();
            Volatile.Write(ref _lastChange, _open);
            Finish(0);
            AfterCommit();
        }
        else
        {
            FinishUnchanged();
        }
    }

    /// <summary>An unchanged transaction goes on under its number unless someone waits for it.</summary>
    private void FinishUnchanged()
    {
        bool awaited;
        lock (_waitLock)
        {
            awaited = _firstWaiter != null;
            _commitQueued = awaited;
        }
        if (awaited)
        {
            Finish(0);
        }
    }

    /// <summary>Ends the open transaction, tells those who wait, starts the next.</summary>
    private void Finish(int errno)
    {
        bool tell;
        lock (_waitLock)
        {
            if (errno != 0)
            {
                RememberAbort(_open, errno);
            }
            Volatile.Write(ref _finished, _open);
            Volatile.Write(ref _open, _open + 1);
            tell = _firstWaiter != null;
            if (_firstWaiter != null)
            {
                _untold.Enqueue((_firstWaiter, errno));
                _firstWaiter = _lastWaiter = null;
            }
            _commitQueued = false;
        }
        _dirty = false;
        _changes = 0;
        if (tell && !_committing)
        {
            // Somebody's operation holds the gate.
            ThreadPool.UnsafeQueueUserWorkItem(static store => store.TellWaiters(), this, preferLocal: false);
        }
    }

    private void RememberAbort(ulong transaction, int errno)
    {
        _aborted[transaction] = errno;
        _lastAbort = (transaction, errno);
        _abortedOrder.Enqueue(transaction);
        if (_abortedOrder.Count > RememberedAborts)
        {
            _aborted.Remove(_abortedOrder.Dequeue());
        }
    }

    /// <summary>Rolls the open transaction back and forgets what is in memory of it.</summary>
    private void Abort(int errno, SqliteException? cause)
    {
        LogAborted(_open, errno, cause);
        Rollback();
        _changing = false;
        DropCaches();
        RevertCounters();
        Finish(errno);
        Aborted?.Invoke(errno);
    }

    private void Rollback()
    {
        _begun = false;
        if (!_db.InTransaction)
        {
            return; // SQLite did it itself
        }
        try
        {
            _rollbackSql.Run();
        }
        catch (SqliteException e)
        {
            LogRollbackFailed(e);
            _begun = _db.InTransaction;
        }
    }

    /// <summary>Turns a failure of SQLite inside an operation into the error of the operation and of its whole transaction.</summary>
    private FsException Failed(SqliteException e)
    {
        int errno = e.ErrorNumber;
        Abort(errno, e);
        return new FsException(errno);
    }

    private void DropCaches()
    {
        _cache.Clear();
        _dirtyInodes.Clear();
    }

    private void ArmCommitTimer()
    {
        if (_started && Interlocked.Exchange(ref _timerArmed, 1) == 0)
        {
            _commitTimer.Change(_options.CommitInterval, Timeout.InfiniteTimeSpan);
        }
    }

    private void CommitTimerFired()
    {
        Volatile.Write(ref _timerArmed, 0);
        lock (_waitLock)
        {
            if (_commitQueued)
            {
                return;
            }
            _commitQueued = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void AssertHeld() => Debug.Assert(Gate.IsHeldByCurrentThread, "the store is used without its gate");

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, this);

    /// <summary>On a full disk every change ends here, and a client can send as many as it likes.</summary>
    private void LogAborted(ulong transaction, int errno, Exception? exception)
    {
        if (_abortLines.TryEnter(out var suppressed))
        {
            LogAborted(transaction, errno, suppressed, exception);
        }
    }

    [LoggerMessage(EventId = 5101, Level = LogLevel.Error,
        Message = "Metadata transaction {Transaction} rolled back, errno {Errno} ({Suppressed} lines like this left out)")]
    private partial void LogAborted(ulong transaction, int errno, int suppressed, Exception? exception);

    [LoggerMessage(EventId = 5102, Level = LogLevel.Error, Message = "Rollback of a metadata transaction failed")]
    private partial void LogRollbackFailed(Exception exception);
}
