using System.Security.Cryptography;
using Microsoft.Data.Sqlite;

namespace Nacre.ControlPlane.Catalog;

/// <summary>
/// The tables of the catalog. Each kind of resource has one of the same columns, so that a new kind is a name in <see cref="Kinds"/>.
/// </summary>
internal static class CatalogSchema
{
    /// <summary>Grows when an older program could not use the file any more.</summary>
    public const int Format = 1;

    /// <summary>"NcrC": tells our databases from other people's.</summary>
    public const int ApplicationId = 0x4e637243;

    public const string FileSystems = "file_system";

    public const string Backups = "backup";
    public const string Associations = "association";
    public const string Tasks = "task";

    private static readonly string[] Kinds = [FileSystems, Backups, Associations, Tasks];

    // The index of usage has all its query needs, or each creation would read every document.
    // AUTOINCREMENT: a sequence number is never given twice, so that a page that begins behind one is the same after removals.
    private const string Resource = """
        CREATE TABLE {0}(
            sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
            name TEXT UNIQUE, parent TEXT, unsettled INTEGER NOT NULL,
            usage_class TEXT, usage_gib INTEGER NOT NULL, usage_throughput INTEGER NOT NULL, document TEXT NOT NULL);
        CREATE INDEX {0}_account ON {0}(account, sequence);
        CREATE INDEX {0}_usage ON {0}(account, usage_class, id, usage_gib, usage_throughput) WHERE usage_class IS NOT NULL;
        CREATE INDEX {0}_parent ON {0}(parent, sequence) WHERE parent IS NOT NULL;
        CREATE INDEX {0}_unsettled ON {0}(sequence) WHERE unsettled = 1;
        """;

    // request: the canonical request without its token. A token goes with its resource, or at kept_until (epoch seconds) if that is set.
    private const string Tokens = """
        CREATE TABLE token(
            account TEXT NOT NULL, operation TEXT NOT NULL, token TEXT NOT NULL, request TEXT NOT NULL, resource TEXT NOT NULL,
            kept_until INTEGER, PRIMARY KEY(account, operation, token)) WITHOUT ROWID;
        CREATE INDEX token_resource ON token(resource);
        CREATE INDEX token_kept_until ON token(kept_until) WHERE kept_until IS NOT NULL;
        """;

    // page_key: signs what stands in page tokens, so that a client cannot make one up; kept, so that a listing goes on after a restart.
    private const string Settings = "CREATE TABLE setting(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID";

    /// <summary>Makes the tables in an empty file, in one transaction; refuses a file this program cannot use.</summary>
    /// <exception cref="CatalogException">Not a catalog, or of a newer format.</exception>
    public static void Prepare(SqliteConnection db, string path)
    {
        db.Run("BEGIN IMMEDIATE");
        if (db.Integer("PRAGMA user_version") == 0 && db.Integer("SELECT COUNT(*) FROM sqlite_schema") == 0)
        {
            Create(db);
        }
        Check(db, path);
        db.Run("COMMIT");
    }

    private static void Create(SqliteConnection db)
    {
        foreach (string kind in Kinds)
        {
            db.Run(Resource.Replace("{0}", kind, StringComparison.Ordinal));
        }
        db.Run(Tokens);
        db.Run(Settings);
        db.Run("INSERT INTO setting VALUES('page_key', ?1)", RandomNumberGenerator.GetBytes(32));
        db.Run(FormattableString.Invariant($"PRAGMA application_id={ApplicationId}"));
        db.Run(FormattableString.Invariant($"PRAGMA user_version={Format}"));
    }

    private static void Check(SqliteConnection db, string path)
    {
        if (db.Integer("PRAGMA application_id") != ApplicationId)
        {
            throw new CatalogException($"{path} is not a catalog of Nacre");
        }
        long format = db.Integer("PRAGMA user_version");
        if (format > Format)
        {
            throw new CatalogException($"{path} has format {format}, written by a newer Nacre; this one understands up to {Format}");
        }
    }
}
