using System.Text;
using static Nacre.Server.Storage.Sqlite.SqliteNative;

namespace Nacre.Server.Storage.Sqlite;

/// <summary>A prepared statement, kept for the life of its connection. Parameters and columns are counted as SQLite does:
/// parameters from 1, columns from 0.</summary>
internal sealed unsafe class SqliteStatement(SqliteConnection connection, nint statement)
{
    private nint _statement = statement;

    public SqliteStatement Bind(int index, long value)
    {
        _ = sqlite3_bind_int64(_statement, index, value);
        return this;
    }

    public SqliteStatement Bind(int index, ulong value) => Bind(index, (long)value);

    /// <summary>An empty span is stored as an empty blob, not NULL.</summary>
    public SqliteStatement Bind(int index, ReadOnlySpan<byte> value)
    {
        byte none = 0;
        fixed (byte* p = value)
        {
            Check(sqlite3_bind_blob(_statement, index, p == null ? &none : p, value.Length, Transient));
        }
        return this;
    }

    /// <summary>An empty span is stored as NULL.</summary>
    public SqliteStatement BindOrNull(int index, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            return Bind(index, value);
        }
        _ = sqlite3_bind_null(_statement, index);
        return this;
    }

    public SqliteStatement BindText(int index, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        byte none = 0;
        fixed (byte* p = bytes)
        {
            Check(sqlite3_bind_text(_statement, index, p == null ? &none : p, bytes.Length, Transient));
        }
        return this;
    }

    /// <summary>True when there is a row. The statement has to be reset after the last row that is looked at.</summary>
    public bool Step()
    {
        int rc = sqlite3_step(_statement);
        if (rc == Row)
        {
            return true;
        }
        if (rc == Done)
        {
            return false;
        }
        var failure = connection.Failure(rc);
        _ = sqlite3_reset(_statement);
        throw failure;
    }

    /// <summary>Runs a statement that returns no rows.</summary>
    public void Run()
    {
        _ = Step();
        _ = sqlite3_reset(_statement);
    }

    public void Reset() => _ = sqlite3_reset(_statement);

    public long Integer(int column) => sqlite3_column_int64(_statement, column);

    public bool IsNull(int column) => sqlite3_column_type(_statement, column) == TypeNull;

    /// <summary>Valid until the next step or reset.</summary>
    public ReadOnlySpan<byte> Blob(int column)
    {
        byte* p = sqlite3_column_blob(_statement, column);
        return p == null ? default : new ReadOnlySpan<byte>(p, sqlite3_column_bytes(_statement, column));
    }

    public byte[] BlobArray(int column)
    {
        var blob = Blob(column);
        return blob.IsEmpty ? [] : blob.ToArray();
    }

    public string Text(int column) => Encoding.UTF8.GetString(Blob(column));

    internal void Release()
    {
        if (_statement != 0)
        {
            _ = sqlite3_finalize(_statement);
            _statement = 0;
        }
    }

    private void Check(int rc)
    {
        if (rc != Ok)
        {
            throw connection.Failure(rc);
        }
    }
}
