using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Storage.Sqlite;

/// <summary>A call of SQLite failed; never leaves the store.</summary>
internal sealed class SqliteException(int code, string message) : Exception($"{message} (SQLite error {code})")
{
    /// <summary>Extended result code.</summary>
    public int Code { get; } = code;

    public int PrimaryCode => Code & 0xff;

    /// <summary>What a client is told: no space, or an I/O error for everything else.</summary>
    public int ErrorNumber => PrimaryCode == SqliteNative.Full ? Errno.ENOSPC : Errno.EIO;
}
