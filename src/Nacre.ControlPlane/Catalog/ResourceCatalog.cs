using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Nacre.ControlPlane.Api;

namespace Nacre.ControlPlane.Catalog;

/// <summary>
/// What the control plane remembers: resources and idempotency tokens, in one SQLite file. Changes are transactions that are on disk
/// when they return (WAL, synchronous=FULL), so a kill at any moment leaves all of a change or nothing.
/// </summary>
/// <remarks>
/// Two connections: one for changes, under <c>_gate</c>; one for reads, which see the last commit and do not wait for a change that is being
/// written to disk. Inside of <see cref="Change{T}(Func{T})"/> reads use the first and see what the change has done so far.
/// </remarks>
public sealed partial class ResourceCatalog : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Lock _readGate = new();
    private readonly SqliteConnection _writer;
    private readonly SqliteConnection _reader;

    // Of the change under way; touched under _gate only.
    private readonly List<Action> _afterCommit = [];
    private bool _changing;
    private bool _failed;

    private ResourceCatalog(SqliteConnection writer, SqliteConnection reader, TimeProvider time)
    {
        _writer = writer;
        _reader = reader;
        Tokens = new IdempotencyTokens(this, time);
        FileSystems = new ResourceTable<FileSystemEntry>(this, Kinds.FileSystem);
        Backups = new ResourceTable<BackupEntry>(this, Kinds.Backup);
        Associations = new ResourceTable<AssociationEntry>(this, Kinds.Association);
        Tasks = new ResourceTable<TaskEntry>(this, Kinds.Task);
        PageKey = Read(db => db.Rows(row => row.GetFieldValue<byte[]>(0), "SELECT value FROM setting WHERE name = 'page_key'").Single());
    }

    public ResourceTable<FileSystemEntry> FileSystems { get; }

    public ResourceTable<BackupEntry> Backups { get; }

    public ResourceTable<AssociationEntry> Associations { get; }

    public ResourceTable<TaskEntry> Tasks { get; }

    public IdempotencyTokens Tokens { get; }

    /// <summary>A secret of this catalog that signs page tokens.</summary>
    internal byte[] PageKey { get; }

    /// <summary>Opens the catalog in a file, which is made when it is not there; its folder has to be.</summary>
    /// <exception cref="CatalogException">The file cannot be used: damaged, of a newer format, or no catalog at all.</exception>
    public static ResourceCatalog Open(string path, TimeProvider time, ILogger logger)
    {
        var writer = new SqliteConnection(ConnectionString(path));
        SqliteConnection? reader = null;
        try
        {
            writer.Open();
            CatalogSchema.Prepare(writer, path);
            writer.Run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
            reader = new SqliteConnection(ConnectionString(path));
            reader.Open();
            reader.Run("PRAGMA query_only=1");
            LogOpened(logger, path, writer.Integer($"SELECT COUNT(*) FROM {CatalogSchema.FileSystems}"));
            return new ResourceCatalog(writer, reader, time);
        }
        catch (Exception e)
        {
            reader?.Dispose();
            writer.Dispose();
            if (e is SqliteException)
            {
                throw new CatalogException($"{path} cannot be opened as a catalog: {e.Message}", e);
            }
            throw;
        }
    }

    /// <summary>
    /// Runs what <paramref name="change"/> does to any tables as one transaction. An exception undoes all of it. May be called inside of another
    /// change, and is then a part of that.
    /// </summary>
    /// <exception cref="ApiException">InternalServerError: the disk is full.</exception>
    public T Change<T>(Func<T> change) => Change(_ => change());

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            lock (_readGate)
            {
                _reader.Dispose();
                _writer.Dispose();
            }
        }
    }

    internal T Change<T>(Func<SqliteConnection, T> change)
    {
        Action[] announcements;
        T result;
        lock (_gate)
        {
            if (_changing)
            {
                return Part(change);
            }
            result = Transaction(change);
            announcements = [.. _afterCommit];
        }
        Array.ForEach(announcements, announce => announce());
        return result;
    }

    internal T Read<T>(Func<SqliteConnection, T> read)
    {
        if (_gate.IsHeldByCurrentThread)
        {
            return read(_writer);
        }
        lock (_readGate)
        {
            return read(_reader);
        }
    }

    /// <summary>Inside of a change only: runs once it is committed, outside of the gate.</summary>
    internal void AfterCommit(Action action) => _afterCommit.Add(action);

    private T Transaction<T>(Func<SqliteConnection, T> change)
    {
        _afterCommit.Clear();
        _writer.Run("BEGIN IMMEDIATE");
        _changing = true;
        _failed = false;
        try
        {
            var result = Part(change);
            if (_failed)
            {
                throw new InvalidOperationException("a part of the change has failed, so all of it does");
            }
            _writer.Run("COMMIT");
            return result;
        }
        catch (SqliteException e) when (e.SqliteErrorCode == SQLitePCL.raw.SQLITE_FULL)
        {
            RollBack();
            throw new ApiException("InternalServerError", "The node's disk is full: nothing was changed.", 500);
        }
        catch
        {
            RollBack();
            throw;
        }
        finally
        {
            _changing = false;
        }
    }

    // A part that failed has been done by halves, even if whoever called it goes on.
    private T Part<T>(Func<SqliteConnection, T> change)
    {
        try
        {
            return change(_writer);
        }
        catch
        {
            _failed = true;
            throw;
        }
    }

    private void RollBack()
    {
        // SQLite has rolled back by itself after some errors, a full disk for instance.
        if (SQLitePCL.raw.sqlite3_get_autocommit(_writer.Handle) == 0)
        {
            _writer.Run("ROLLBACK");
        }
    }

    // No pool: closing means that the file is closed.
    private static string ConnectionString(string path) => new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString();

    [LoggerMessage(EventId = 5001, Level = LogLevel.Information, Message = "catalog {Path}: {FileSystems} file systems")]
    private static partial void LogOpened(ILogger logger, string path, long fileSystems);
}
