using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nacre.Server.Storage.Sqlite;

/// <summary>
/// The SQLite C interface as far as the store needs it, on the native library that comes with the package. Called directly
/// because a create binds and reads some forty values: the short calls skip the transition of the garbage collector.
/// </summary>
internal static unsafe partial class SqliteNative
{
    private const string Library = "e_sqlite3";

    public const int Ok = 0, Error = 1, Busy = 5, NoMemory = 7, ReadOnly = 8, IoError = 10, Corrupt = 11, Full = 13, CantOpen = 14,
        Constraint = 19, NotADatabase = 26, Row = 100, Done = 101;
    public const int OpenReadWrite = 2, OpenCreate = 4, OpenNoMutex = 0x8000, OpenExtendedErrors = 0x2000000;
    public const uint PreparePersistent = 1;
    public const int CheckpointPassive = 0, CheckpointTruncate = 3;
    public const int TypeNull = 5;

    /// <summary>Tells bind that SQLite has to make its own copy of the bytes.</summary>
    public static readonly nint Transient = -1;

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int sqlite3_open_v2(string filename, out nint db, int flags, nint vfs);

    [LibraryImport(Library)]
    public static partial int sqlite3_close_v2(nint db);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int sqlite3_exec(nint db, string sql, nint callback, nint argument, nint errorMessage);

    [LibraryImport(Library)]
    public static partial int sqlite3_prepare_v3(nint db, byte* sql, int length, uint flags, out nint statement, out byte* tail);

    [LibraryImport(Library)]
    public static partial int sqlite3_finalize(nint statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_step(nint statement);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int sqlite3_reset(nint statement);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int sqlite3_bind_int64(nint statement, int index, long value);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int sqlite3_bind_null(nint statement, int index);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_blob(nint statement, int index, byte* value, int length, nint destructor);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_text(nint statement, int index, byte* value, int length, nint destructor);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial long sqlite3_column_int64(nint statement, int column);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int sqlite3_column_type(nint statement, int column);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial byte* sqlite3_column_blob(nint statement, int column);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int sqlite3_column_bytes(nint statement, int column);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_errmsg(nint db);

    [LibraryImport(Library)]
    public static partial int sqlite3_system_errno(nint db);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int sqlite3_get_autocommit(nint db);

    [LibraryImport(Library)]
    public static partial int sqlite3_busy_timeout(nint db, int milliseconds);

    [LibraryImport(Library)]
    public static partial int sqlite3_wal_checkpoint_v2(nint db, nint schema, int mode, out int logFrames, out int copiedFrames);

    [LibraryImport(Library)]
    public static partial nint sqlite3_wal_hook(nint db, delegate* unmanaged[Cdecl]<nint, nint, byte*, int, int> hook, nint argument);

    /// <summary>WAL hook that only notes how many frames the WAL has now in the int its argument points to.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int NoteWalFrames(nint argument, nint db, byte* schema, int frames)
    {
        Volatile.Write(ref *(int*)argument, frames);
        return Ok;
    }
}
