using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Nacre.ControlPlane.Catalog;

/// <summary>
/// The resources of one kind. Each call is a transaction of its own, or part of the one of
/// <see cref="ResourceCatalog.Change{T}(Func{T})"/> it is called in. A change that has returned survives a kill and a power cut. Safe for use from several threads.
/// </summary>
public sealed class ResourceTable<TEntry>
    where TEntry : class
{
    private const string Columns = "id, account, name, parent, unsettled, usage_class, usage_gib, usage_throughput, document";

    private readonly ResourceCatalog _catalog;
    private readonly ResourceKind<TEntry> _kind;
    private readonly string _table;

    internal ResourceTable(ResourceCatalog catalog, ResourceKind<TEntry> kind)
    {
        _catalog = catalog;
        _kind = kind;
        _table = kind.Table;
    }

    /// <summary>
    /// The id of each resource that was inserted, changed or removed, after the commit and in no promised order. Called on the thread that made the
    /// change: a handler is short and does not throw. What is to be done is in <see cref="Unsettled"/>; this only says when to look.
    /// </summary>
    public event Action<string>? Changed;

    public TEntry? Find(string id) =>
        _catalog.Read(db => db.Rows(Entry, $"SELECT document FROM {_table} WHERE id = ?1", id).FirstOrDefault());

    public bool HasName(string name) => _catalog.Read(db => db.Integer($"SELECT 1 FROM {_table} WHERE name = ?1", name)) == 1;

    /// <summary>
    /// Resources of an account in the order they were made: at most <paramref name="limit"/>, behind the one with the given sequence number.
    /// </summary>
    /// <param name="after">0 for the first page; else the last sequence number of the page before. The resource itself may be gone.</param>
    public IReadOnlyList<Sequenced<TEntry>> List(string account, long after = 0, int limit = int.MaxValue) => _catalog.Read(db => db.Rows(
        row => new Sequenced<TEntry>(row.GetInt64(1), Entry(row)),
        $"SELECT document, sequence FROM {_table} WHERE account = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3", account, after, limit));

    /// <summary>What an account has of one class of resources, for its quotas.</summary>
    /// <param name="except">Id of a resource that is not counted.</param>
    public UsageTotal UsageOf(string account, string usageClass, string? except = null) => _catalog.Read(db => db.Rows(
        row => new UsageTotal(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)),
        $"SELECT COUNT(*), COALESCE(SUM(usage_gib), 0), COALESCE(SUM(usage_throughput), 0) FROM {_table} "
        + "WHERE account = ?1 AND usage_class = ?2 AND id IS NOT ?3",
        account, usageClass, except)).Single();

    /// <summary>Ids of the resources that belong to another one, in the order they were made.</summary>
    public IReadOnlyList<string> ChildrenOf(string parent) => Ids("parent = ?1", parent);

    /// <summary>Ids for which something is still to be done, in the order they were made.</summary>
    public IReadOnlyList<string> Unsettled() => Ids("unsettled = 1");

    /// <exception cref="InvalidOperationException">The id or the name is taken.</exception>
    public TEntry Insert(TEntry entry) => _catalog.Change(db =>
    {
        try
        {
            db.Run(
                $"INSERT INTO {_table}({Columns}) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", Values(entry));
        }
        catch (SqliteException e) when (e.SqliteErrorCode == SQLitePCL.raw.SQLITE_CONSTRAINT)
        {
            throw new InvalidOperationException($"{_table}: '{_kind.Id(entry)}' or the name '{_kind.Name(entry)}' is taken", e);
        }
        Announce(_kind.Id(entry));
        return entry;
    });

    /// <summary>Replaces what is kept by what <paramref name="change"/> makes of it. An exception of it leaves everything as it was.</summary>
    /// <returns>The new entry; null where there is no such resource.</returns>
    public TEntry? Update(string id, Func<TEntry, TEntry> change) => _catalog.Change(db =>
    {
        if (Find(id) is not { } old)
        {
            return null;
        }
        var entry = change(old);
        if (!ReferenceEquals(entry, old))
        {
            Replace(db, id, entry);
        }
        return entry;
    });

    /// <summary>Removes a resource and the idempotency tokens that stand for it.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(string id) => _catalog.Change(db =>
    {
        if (db.Run($"DELETE FROM {_table} WHERE id = ?1", id) == 0)
        {
            return false;
        }
        db.Run("DELETE FROM token WHERE resource = ?1", id);
        Announce(id);
        return true;
    });

    private void Replace(SqliteConnection db, string id, TEntry entry)
    {
        if (_kind.Id(entry) != id)
        {
            throw new InvalidOperationException($"{_table}: the id of '{id}' cannot change");
        }
        db.Run($"UPDATE {_table} SET ({Columns}) = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) WHERE id = ?1", Values(entry));
        Announce(id);
    }

    private IReadOnlyList<string> Ids(string where, params object?[] parameters) => _catalog.Read(db => db.Rows(
        row => row.GetString(0), $"SELECT id FROM {_table} WHERE {where} ORDER BY sequence", parameters));

    private TEntry Entry(SqliteDataReader row) => JsonSerializer.Deserialize(row.GetString(0), _kind.Json)
        ?? throw new CatalogException($"{_table} holds a document without contents; the catalog is damaged");

    // Of Columns.
    private object?[] Values(TEntry entry)
    {
        var usage = _kind.Usage(entry);
        return
        [
            _kind.Id(entry), _kind.Account(entry), _kind.Name(entry), _kind.Parent(entry), _kind.IsUnsettled(entry),
            usage?.Class, usage?.Gib ?? 0, usage?.Throughput ?? 0, Document(entry),
        ];
    }

    private string Document(TEntry entry) => JsonSerializer.Serialize(entry, _kind.Json);

    private void Announce(string id) => _catalog.AfterCommit(() => Changed?.Invoke(id));
}

/// <param name="Sequence">Grows with each resource that is made, and is never given twice.</param>
public readonly record struct Sequenced<TEntry>(long Sequence, TEntry Entry);
