using System.Runtime.InteropServices;
using System.Text;
using static Nacre.Server.Storage.Sqlite.SqliteNative;

namespace Nacre.Server.Storage.Sqlite;

/// <summary>One connection; used by one thread at a time (the caller's lock), so it is opened without SQLite's own mutexes.</summary>
internal sealed unsafe class SqliteConnection : IDisposable
{
    private readonly List<SqliteStatement> _statements = [];
    private nint _db;
    private int* _walFrames;

    public SqliteConnection(string path, bool create)
    {
        int flags = OpenReadWrite | OpenNoMutex | OpenExtendedErrors | (create ? OpenCreate : 0);
        int rc = sqlite3_open_v2(path, out _db, flags, 0);
        if (rc != Ok)
        {
            var failure = Failure(rc);
            Dispose();
            throw failure;
        }
        _ = sqlite3_busy_timeout(_db, 5_000);
    }

    public bool InTransaction => sqlite3_get_autocommit(_db) == 0;

    /// <summary>Frames in the WAL after the last commit of this connection.</summary>
    public int WalFrames => _walFrames == null ? 0 : Volatile.Read(ref *_walFrames);

    public void Execute(string sql)
    {
        int rc = sqlite3_exec(_db, sql, 0, 0, 0);
        if (rc != Ok)
        {
            throw Failure(rc);
        }
    }

    public SqliteStatement Prepare(string sql)
    {
        var bytes = Encoding.UTF8.GetBytes(sql);
        fixed (byte* p = bytes)
        {
            int rc = sqlite3_prepare_v3(_db, p, bytes.Length, PreparePersistent, out nint statement, out _);
            if (rc != Ok)
            {
                throw Failure(rc);
            }
            var prepared = new SqliteStatement(this, statement);
            _statements.Add(prepared);
            return prepared;
        }
    }

    /// <summary>First column of the first row, or null.</summary>
    public long? ReadInteger(string sql)
    {
        var statement = Prepare(sql);
        long? value = statement.Step() && !statement.IsNull(0) ? statement.Integer(0) : null;
        _statements.Remove(statement);
        statement.Release();
        return value;
    }

    /// <summary>Counts WAL frames from now on, and switches automatic checkpoints off (they use the same hook).</summary>
    public void TrackWal()
    {
        _walFrames = (int*)NativeMemory.AllocZeroed(sizeof(int));
        _ = sqlite3_wal_hook(_db, &NoteWalFrames, (nint)_walFrames);
    }

    /// <summary>Copies WAL frames into the database file without waiting for readers or the writer.</summary>
    /// <returns>True when nothing is left in the WAL that is not in the database.</returns>
    public bool Checkpoint(int mode)
    {
        int rc = sqlite3_wal_checkpoint_v2(_db, 0, mode, out int log, out int copied);
        if (rc == Ok)
        {
            return log == copied;
        }
        return (rc & 0xff) == Busy ? false : throw Failure(rc);
    }

    public SqliteException Failure(int code)
    {
        string message = _db == 0 ? "cannot open" : Marshal.PtrToStringUTF8((nint)sqlite3_errmsg(_db)) ?? "unknown";
        return new SqliteException(code, message);
    }

    public void Dispose()
    {
        foreach (var statement in _statements)
        {
            statement.Release();
        }
        _statements.Clear();
        if (_db != 0)
        {
            _ = sqlite3_close_v2(_db);
            _db = 0;
        }
        if (_walFrames != null)
        {
            NativeMemory.Free(_walFrames);
            _walFrames = null;
        }
    }
}
