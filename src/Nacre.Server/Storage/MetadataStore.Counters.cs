using System.Collections.Concurrent;
using System.Globalization;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Sqlite;

namespace Nacre.Server.Storage;

/// <summary>
/// Numbers that are never given twice: the transno epoch, metadata sequences, OST objects. The database holds, for each, a
/// bound below which every number given lies, and that bound is on the disk before a number near it is given; a start goes on
/// at the bound. So neither a kill nor a power cut makes a number come back, at the price of a gap.
/// </summary>
public sealed partial class MetadataStore
{
    /// <summary>First metadata sequence for clients (04 section 12).</summary>
    public const ulong FirstClientSequence = 0x200000401;

    private const ulong FirstObjectSequence = 0x240000400;
    private const ulong ObjectsPerSequence = 0xffffffef; // ids 1 .. 0xffffffef
    private const ulong ObjectSequencesPerTarget = 0x10000;
    private const int MaxTargets = 0x10000;

    /// <summary>Metadata sequences a generation has for itself, 2^14 generations long; sequences of objects, 2^12 generations long.</summary>
    private const ulong SequencesPerGeneration = 0x10000, ObjectSequencesPerGeneration = 16;
    private const uint SequenceGenerations = 1 << 14, ObjectGenerations = 1 << 12;

    // Changed under the gate; WasObjectAllocated reads it without.
    private readonly ConcurrentDictionary<int, ReservedCounter> _objectCounters = [];
    private ReservedCounter _sequences = null!;
    private readonly uint _generation;
    private ulong _epochToWrite;
    private long _inodeCount, _inodeCountCommitted;
    private SqliteStatement _putCounterSql = null!;

    /// <summary>Inodes in the open transaction, the root included.</summary>
    internal long InodeCount => _inodeCount;

    /// <summary>Next metadata sequence for a client. ENOSPC after 0x23fffffff.</summary>
    internal ulong AllocateSequence()
    {
        ulong sequence = FirstClientSequence + Allocate(_sequences);
        return sequence <= InodeNumber.LastSequence ? sequence : throw new FsException(Errno.ENOSPC);
    }

    /// <summary>True for sequences this store has given out (and the MDT's own).</summary>
    internal bool IsKnownSequence(ulong sequence) =>
        sequence is >= InodeNumber.FirstNormalSequence and < FirstClientSequence
        || IsBetween(sequence, FirstClientSequence + FirstSequence, FirstClientSequence + _sequences.Next);

    /// <summary>Next object of an OST. OST i owns the sequences 0x240000400 + (i &lt;&lt; 16) and the 65535 after it, ids from 1
    /// to 0xffffffef in each.</summary>
    internal LuFid AllocateObject(int ostIndex)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ostIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(ostIndex, MaxTargets);
        if (!_objectCounters.TryGetValue(ostIndex, out var counter))
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"object:{ostIndex}");
            counter = new ReservedCounter(name, _options.ObjectBatch, FirstObject);
            _objectCounters[ostIndex] = counter;
        }
        ulong number = Allocate(counter);
        ulong sequence = number / ObjectsPerSequence;
        return sequence < ObjectSequencesPerTarget
            ? new LuFid(FirstObjectSequence + ((ulong)ostIndex << 16) + sequence, 1 + (uint)(number % ObjectsPerSequence))
            : throw new FsException(Errno.ENOSPC);
    }

    /// <summary>Whether the object's id was ever given out, as far as can be known: after a start, whether it is below the bound.
    /// Needs no gate.</summary>
    internal bool WasObjectAllocated(int ostIndex, in LuFid fid)
    {
        ulong sequence = fid.Sequence - FirstObjectSequence - ((ulong)(uint)ostIndex << 16);
        return sequence < ObjectSequencesPerTarget
            && fid.ObjectId - 1 < ObjectsPerSequence
            && _objectCounters.TryGetValue(ostIndex, out var counter)
            && IsBetween((sequence * ObjectsPerSequence) + fid.ObjectId - 1, FirstObject, Volatile.Read(ref counter.Next));
    }

    private static bool IsBetween(ulong number, ulong first, ulong end) => number >= first && number < end;

    /// <summary>Number of the first object of each OST of this generation.</summary>
    private ulong FirstObject => _generation % ObjectGenerations * ObjectSequencesPerGeneration * ObjectsPerSequence;

    private ulong FirstSequence => _generation % SequenceGenerations * SequencesPerGeneration;

    internal void AddInodes(int count) => _inodeCount += count;

    private ulong Allocate(ReservedCounter counter)
    {
        AssertHeld();
        ThrowIfDisposed();
        counter.NoteSynced(SyncedTransaction);
        if (!counter.IsPending && counter.Next + counter.Batch / 2 >= counter.Reserved)
        {
            Begin();
            _dirty = true;
            counter.Reserve(_open);
        }
        if (counter.Next >= counter.Safe)
        {
            CommitAndFlush(); // first number of a new OST, or half a batch within one flush interval
            counter.NoteSynced(SyncedTransaction);
        }
        return counter.Next++;
    }

    /// <summary>Commits between two operations and waits for the disk with the gate held.</summary>
    private void CommitAndFlush()
    {
        ulong transaction = _open;
        CommitOpen();
        if (_aborted.TryGetValue(transaction, out int errno))
        {
            throw new FsException(errno);
        }
        // Not the number noted above: with nothing to commit, that transaction goes on and may still take a reservation.
        ulong covered = CommittedTransaction;
        try
        {
            DiskSync.Data(_wal);
        }
        catch (IOException e)
        {
            LogSyncFailed(e);
            throw new FsException(Errno.EIO);
        }
        Volatile.Write(ref _synced, Math.Max(_synced, covered));
    }

    /// <summary>Reads the counters and makes the first reservations; part of the first transaction, which
    /// <see cref="Recover"/> flushes.</summary>
    private void StartEpoch()
    {
        _putCounterSql = _db.Prepare("INSERT INTO counter VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = ?2");
        _sequences = new ReservedCounter("sequence", _options.SequenceBatch, FirstSequence);
        var select = _db.Prepare("SELECT name, value FROM counter");
        while (select.Step())
        {
            ReadCounter(select.Text(0), (ulong)select.Integer(1));
        }
        select.Reset();
        lock (Gate)
        {
            Begin();
            _dirty = true;
            ReserveAtStart(_sequences);
            foreach (var counter in _objectCounters.Values)
            {
                ReserveAtStart(counter);
            }
        }
    }

    private void ReadCounter(string name, ulong value)
    {
        switch (name)
        {
            case "epoch":
                // Two steps: the last run may have passed into one more epoch than it could write down.
                NoteEpoch(value + 2);
                _transno = _committedTransno = (value + 2) << 32;
                break;
            case "inodes":
                _inodeCount = _inodeCountCommitted = (long)value;
                break;
            case "sequence":
                _sequences = new ReservedCounter(name, _options.SequenceBatch, value);
                break;
            default:
                if (name.StartsWith("object:", StringComparison.Ordinal))
                {
                    int ostIndex = int.Parse(name.AsSpan(7), CultureInfo.InvariantCulture);
                    _objectCounters[ostIndex] = new ReservedCounter(name, _options.ObjectBatch, value);
                }
                break;
        }
    }

    private void ReserveAtStart(ReservedCounter counter) => counter.Reserve(_open);

    private void NoteEpoch(ulong epoch)
    {
        _epochToWrite = epoch;
        _dirty = true;
    }

    private void WriteCounters()
    {
        if (_inodeCount != _inodeCountCommitted)
        {
            PutCounter("inodes", (ulong)_inodeCount);
        }
        if (_epochToWrite != 0)
        {
            PutCounter("epoch", _epochToWrite);
        }
        WriteIfChanged(_sequences);
        foreach (var counter in _objectCounters.Values)
        {
            WriteIfChanged(counter);
        }
    }

    private void WriteIfChanged(ReservedCounter counter)
    {
        if (counter.PendingIn == _open)
        {
            PutCounter(counter.Name, counter.Reserved);
        }
    }

    private void PutCounter(string name, ulong value) => _putCounterSql.BindText(1, name).Bind(2, value).Run();

    private void CountersCommitted()
    {
        _inodeCountCommitted = _inodeCount;
        _epochToWrite = 0;
        _committedDestroyId = _lastDestroyId;
    }

    private void RevertCounters()
    {
        _inodeCount = _inodeCountCommitted;
        _sequences.Revert(_open);
        foreach (var counter in _objectCounters.Values)
        {
            counter.Revert(_open);
        }
    }

    /// <summary>A clean end leaves no gaps.</summary>
    private void ReturnUnusedNumbers()
    {
        try
        {
            RequireRoomForCommit();
            Begin();
            PutCounter(_sequences.Name, _sequences.Next);
            foreach (var counter in _objectCounters.Values)
            {
                PutCounter(counter.Name, counter.Next);
            }
        }
        catch (Exception e) when (e is FsException or SqliteException)
        {
            LogAborted(_open, Errno.EIO, e); // a gap, then
        }
    }

    /// <summary>One counter. Numbers below <see cref="Safe"/> may be given: the disk knows that they are.</summary>
    private sealed class ReservedCounter(string name, ulong batch, ulong start)
    {
        public readonly string Name = name;
        public readonly ulong Batch = batch;

        /// <summary>Next number to give.</summary>
        public ulong Next = start;

        /// <summary>The bound in the database, or on its way there in transaction <see cref="PendingIn"/>.</summary>
        public ulong Reserved = start;

        public ulong Safe = start;
        public ulong PendingIn;

        public bool IsPending => PendingIn != 0;

        public void Reserve(ulong transaction)
        {
            Reserved = Math.Max(Reserved, Next) + Batch;
            PendingIn = transaction;
        }

        public void NoteSynced(ulong transaction)
        {
            if (PendingIn != 0 && transaction >= PendingIn)
            {
                Safe = Reserved;
                PendingIn = 0;
            }
        }

        public void Revert(ulong transaction)
        {
            if (PendingIn == transaction)
            {
                Reserved = Safe;
                PendingIn = 0;
            }
        }
    }
}
