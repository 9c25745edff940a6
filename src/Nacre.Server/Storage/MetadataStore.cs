using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Nacre.LNet;
using Nacre.Server.Storage.Sqlite;

namespace Nacre.Server.Storage;

/// <summary>Cannot open a store: wrong format, in use, damaged. The message is one line for the operator.</summary>
public sealed class MetadataStoreException(string message, Exception? inner = null) : Exception(message, inner);

public sealed record MetadataStoreOptions
{
    /// <summary>Stored in a new database, compared with an old one; also the fsname. Empty: not compared.</summary>
    public string FileSystemName { get; init; } = "";

    /// <summary>
    /// For a new database: how many file systems were removed before it was made. Its numbers begin behind those of an earlier file system of the same
    /// name, so that no client can have a FID of the one that means something in the other.
    /// </summary>
    public uint Generation { get; init; }

    /// <summary>Refuse to make a new database where there is none.</summary>
    public bool MustExist { get; init; }

    /// <summary>Bound of the cache of inodes and directory entries, in bytes.</summary>
    public long CacheBytes { get; init; } = 128L << 20;

    /// <summary>SQLite page cache in bytes.</summary>
    public long PageCacheBytes { get; init; } = 64L << 20;

    /// <summary>Longest time changes stay uncommitted when nobody waits.</summary>
    public TimeSpan CommitInterval { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>How often committed changes go to the disk when nobody syncs.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>WAL size in bytes from which a checkpoint runs: in the background first, then for the short rest with
    /// operations held up, so that the WAL starts over. The WAL grows beyond it only by what is written meanwhile, and from
    /// four times this on operations wait at once.</summary>
    public long CheckpointBytes { get; init; } = 64L << 20;

    /// <summary>Space kept back on the store's disk for when it is full; null for none. Owned by the caller.</summary>
    public SpaceReserve? Reserve { get; init; }

    /// <summary>Runs what goes on after a commit, all of those who waited for it; the place to gather what they send.</summary>
    public Action<Action> RunWaiters { get; init; } = static waiters => waiters();

    /// <summary>Bits of the name hash that count in a new database; less than 47 only to test collisions.</summary>
    internal int HashBits { get; init; } = NameHash.MaxBits;

    /// <summary>Ids of OST objects set aside at a time; what is left of a batch at a crash is never used.</summary>
    internal ulong ObjectBatch { get; init; } = 1 << 20;

    /// <summary>Metadata sequences set aside at a time.</summary>
    internal ulong SequenceBatch { get; init; } = 1024;
}

/// <summary>
/// The transactional store of one MDT: a SQLite database in WAL mode with group commit. Operations run under
/// <see cref="Gate"/> inside one open transaction; a committer commits it when someone waits or after a few milliseconds.
/// A commit survives kill -9; <see cref="SyncAsync"/>, and a flush every second, make it survive a power cut.
/// </summary>
/// <remarks>
/// Invariants. The open transaction of SQLite plus the dirty inodes and counters in memory is the state every operation sees;
/// they are written together at commit. When anything in it fails (no space, I/O error, an operation that died halfway) the
/// whole transaction is rolled back, everybody who waits for it gets the error, and caches start empty from what is committed.
/// Partial files: Transactions (group commit), Durability (sync, checkpoint), Inodes, Entries, Xattrs, Queues, Counters.
/// </remarks>
public sealed partial class MetadataStore : IDisposable
{
    private readonly MetadataStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly LogRateLimit _abortLines;
    private readonly string _path;
    private readonly FileStream _ownership;
    private readonly SqliteConnection _db;
    private readonly SqliteConnection _checkpointer;
    private readonly SafeFileHandle _wal;
    private readonly NameHash _hash;
    private readonly ObjectCache _cache;
    private readonly ITimer _commitTimer;
    private readonly ITimer _flushTimer;
    private bool _started;
    private bool _disposed;

    private MetadataStore(string path, MetadataStoreOptions options, TimeProvider time, ILogger log, FileStream ownership)
    {
        (_path, _options, _time, _log, _ownership) = (path, options, time, log, ownership);
        _abortLines = new LogRateLimit(time);
        _cache = new ObjectCache(options.CacheBytes);
        _commitTimer = time.CreateTimer(static s => ((MetadataStore)s!).CommitTimerFired(), this, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        _flushTimer = time.CreateTimer(static s => ((MetadataStore)s!).FlushTimerFired(), this, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        _db = OpenDatabase(path, options, time.GetUtcNow());
        try
        {
            FileSystemName = MetadataSchema.ReadText(_db, "file_system");
            _hash = MetadataSchema.ReadNameHash(_db);
            _generation = MetadataSchema.ReadGeneration(_db);
            _checkpointer = new SqliteConnection(path, create: false);
            _checkpointer.Execute("PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0");
            Prepare();
            _db.TrackWal();
            StartEpoch();
            _wal = File.OpenHandle(path + "-wal", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        }
        catch
        {
            _checkpointer?.Dispose();
            _db.Dispose();
            throw;
        }
    }

    /// <summary>Guards the store and every <c>MdtFileSystem</c> on it. Never held over an await.</summary>
    public Lock Gate { get; } = new();

    public string FileSystemName { get; }

    /// <summary>The directory the database is in.</summary>
    internal string Folder => Path.GetDirectoryName(_path)!;

    /// <summary>Opens or creates the database file at <paramref name="path"/>. Removes orphans of the last run (all opens died
    /// with it) and puts what was left of their layouts into the queue of pending destroys.</summary>
    /// <exception cref="MetadataStoreException">In use, newer format, other file system, damaged.</exception>
    public static MetadataStore Open(string path, MetadataStoreOptions options, TimeProvider time, ILogger log)
    {
        path = Path.GetFullPath(path);
        var ownership = TakeOwnership(path);
        try
        {
            var store = new MetadataStore(path, options, time, log, ownership);
            store.RecoverOrClose();
            return store;
        }
        catch (SqliteException e)
        {
            ownership.Dispose();
            throw new MetadataStoreException($"cannot open the metadata database {path}: {e.Message}", e);
        }
        catch
        {
            ownership.Dispose();
            throw;
        }
    }

    /// <summary>Commits, waits for the disk and closes. Waiters of the last transaction complete.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            if (_disposed)
            {
                return;
            }
            ReturnUnusedNumbers();
            CommitOpen();
            RequireRoomForCheckpoint();
            _disposed = true;
        }
        _commitTimer.Dispose();
        _flushTimer.Dispose();
        _syncing.Wait(); // a flush that still runs
        lock (_checkpointGate)
        {
            CloseFiles();
        }
        _syncing.Dispose();
    }

    private void CloseFiles()
    {
        try
        {
            DiskSync.Data(_wal);
        }
        catch (IOException e)
        {
            LogSyncFailed(e);
        }
        _wal.Dispose();
        _checkpointer.Dispose();
        _db.Dispose(); // the last connection checkpoints with fsync and removes the WAL
        _ownership.Dispose();
    }

    private static FileStream TakeOwnership(string path)
    {
        string lockPath = path + ".lock";
        try
        {
            // An exclusive flock, which dies with the process.
            return new FileStream(lockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not DirectoryNotFoundException and not FileNotFoundException)
        {
            throw new MetadataStoreException($"{path} is in use by another process", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MetadataStoreException($"cannot open {lockPath}: {e.Message}", e);
        }
    }

    private static SqliteConnection OpenDatabase(string path, MetadataStoreOptions options, DateTimeOffset now)
    {
        var db = new SqliteConnection(path, create: true);
        try
        {
            bool isEmpty = db.ReadInteger("SELECT count(*) FROM sqlite_schema") == 0;
            if (!isEmpty)
            {
                MetadataSchema.Check(db, path, options.FileSystemName);
            }
            else if (options.MustExist)
            {
                throw new MetadataStoreException($"the metadata database {path} is missing or empty, but its file system has been in use: put it back");
            }
            // NORMAL: COMMIT does not wait for the disk; checkpoints and the restart of the WAL do, as they have to.
            db.Execute("PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
            db.Execute("PRAGMA wal_autocheckpoint=0; PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY");
            db.Execute(FormattableString.Invariant($"PRAGMA cache_size=-{Math.Max(1, options.PageCacheBytes / 1024)}"));
            if (isEmpty)
            {
                MetadataSchema.Create(db, options, now);
                DiskSync.Directory(Path.GetDirectoryName(path)!);
            }
            else
            {
                MetadataSchema.Upgrade(db);
            }
            return db;
        }
        catch
        {
            db.Dispose();
            throw;
        }
    }

    private void RecoverOrClose()
    {
        try
        {
            Recover();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What has to happen before the first operation; durable when it returns.</summary>
    private void Recover()
    {
        lock (Gate)
        {
            DestroyOrphans();
            CommitOpen();
            if (_aborted.Count > 0)
            {
                throw new MetadataStoreException($"cannot write to the metadata database {_path}: disk full or I/O error");
            }
            DiskSync.Data(_wal);
            _synced = CommittedTransaction;
            _started = true;
            _flushTimer.Change(_options.FlushInterval, _options.FlushInterval);
        }
    }
}
