using System.Globalization;
using System.Security.Cryptography;
using Nacre.Server.Storage.Sqlite;

namespace Nacre.Server.Storage;

/// <summary>The tables of a metadata database; docs/storage.md describes them for people with the sqlite3 tool.</summary>
internal static class MetadataSchema
{
    /// <summary>
    /// Grows when an older program could not use the database any more. 2: files whose data is in an archive, and actions queued for them.
    /// </summary>
    public const int Format = 2;

    /// <summary>"Ncre": tells our databases from other people's.</summary>
    public const int ApplicationId = 0x4e637265;

    /// <summary>Since format 2.</summary>
    private const string HsmTables = """
        CREATE TABLE hsm_action(
            cookie INTEGER PRIMARY KEY, action INTEGER NOT NULL, ino INTEGER NOT NULL, archive INTEGER NOT NULL,
            flags INTEGER NOT NULL, created INTEGER NOT NULL, data BLOB);
        """;

    private const string Tables = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
        CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE inode(
            ino INTEGER PRIMARY KEY,
            mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL, projid INTEGER NOT NULL,
            nlink INTEGER NOT NULL, flags INTEGER NOT NULL, rdev INTEGER NOT NULL,
            size INTEGER NOT NULL, blocks INTEGER NOT NULL, lazy INTEGER NOT NULL,
            atime INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, btime INTEGER NOT NULL,
            atime_ns INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, btime_ns INTEGER NOT NULL,
            version INTEGER NOT NULL, xattrs INTEGER NOT NULL, xattr_bytes INTEGER NOT NULL,
            links BLOB, layout BLOB, access_acl BLOB, default_acl BLOB, hsm BLOB, target BLOB);
        CREATE TABLE entry(
            parent INTEGER NOT NULL, cookie INTEGER NOT NULL, ino INTEGER NOT NULL, type INTEGER NOT NULL, name BLOB NOT NULL,
            PRIMARY KEY(parent, cookie)) WITHOUT ROWID;
        CREATE TABLE xattr(
            ino INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY(ino, name)) WITHOUT ROWID;
        CREATE TABLE orphan(ino INTEGER PRIMARY KEY);
        CREATE TABLE destroy(id INTEGER PRIMARY KEY, ino INTEGER NOT NULL, layout BLOB NOT NULL);
        CREATE TABLE client(uuid TEXT PRIMARY KEY, handle INTEGER NOT NULL, nid TEXT, data BLOB) WITHOUT ROWID;
        CREATE TABLE reply(
            client TEXT NOT NULL, tag INTEGER NOT NULL, xid INTEGER NOT NULL, transno INTEGER NOT NULL, status INTEGER NOT NULL,
            data BLOB, PRIMARY KEY(client, tag)) WITHOUT ROWID;
        """ + HsmTables + "\n" + """
        CREATE VIEW file AS SELECT
            printf('[0x%x:0x%x:0x0]', (ino >> 32) + 0x200000000, ino & 0xffffffff) AS fid,
            printf('%06o', mode) AS mode, uid, gid, projid, nlink, size, datetime(mtime, 'unixepoch') AS mtime,
            datetime(ctime, 'unixepoch') AS ctime, CAST(target AS TEXT) AS target, ino FROM inode;
        CREATE VIEW name AS SELECT
            printf('[0x%x:0x%x:0x0]', (parent >> 32) + 0x200000000, parent & 0xffffffff) AS directory,
            CAST(name AS TEXT) AS name, printf('[0x%x:0x%x:0x0]', (ino >> 32) + 0x200000000, ino & 0xffffffff) AS fid,
            parent, ino FROM entry;
        """;

    /// <summary>Makes the tables and the root directory in an empty database, in one transaction.</summary>
    public static void Create(SqliteConnection db, MetadataStoreOptions options, DateTimeOffset now)
    {
        db.Execute("BEGIN IMMEDIATE");
        db.Execute(Tables);
        PutMeta(db, "format", Format);
        PutMeta(db, "hash_bits", options.HashBits);
        PutMeta(db, "created", now.ToUnixTimeSeconds());
        PutMeta(db, "hash_key", RandomNumberGenerator.GetBytes(NameHash.KeyLength));
        PutMeta(db, "file_system", options.FileSystemName);
        PutMeta(db, "generation", options.Generation);
        InsertRoot(db, now);
        db.Execute(Invariant($"PRAGMA application_id={ApplicationId}"));
        db.Execute(Invariant($"PRAGMA user_version={Format}"));
        db.Execute("COMMIT");
    }

    /// <summary>Refuses databases this program cannot use.</summary>
    /// <exception cref="MetadataStoreException">Not ours, a newer format, or of another file system.</exception>
    public static void Check(SqliteConnection db, string path, string fileSystemName)
    {
        if (db.ReadInteger("PRAGMA application_id") != ApplicationId)
        {
            throw new MetadataStoreException($"{path} is not a Nacre metadata database");
        }
        long format = db.ReadInteger("PRAGMA user_version") ?? 0;
        if (format > Format)
        {
            throw new MetadataStoreException(
                $"{path} has format {format}, written by a newer Nacre; this one understands up to {Format}");
        }
        string name = ReadText(db, "file_system");
        if (fileSystemName.Length > 0 && name != fileSystemName)
        {
            throw new MetadataStoreException($"{path} belongs to the file system '{name}', not to '{fileSystemName}'");
        }
    }

    /// <summary>Brings a database of an older format up to this one, in one transaction.</summary>
    public static void Upgrade(SqliteConnection db)
    {
        if ((db.ReadInteger("PRAGMA user_version") ?? 0) >= Format)
        {
            return;
        }
        db.Execute("BEGIN IMMEDIATE");
        db.Execute(HsmTables);
        db.Execute(Invariant($"UPDATE meta SET value = {Format} WHERE key = 'format'"));
        db.Execute(Invariant($"PRAGMA user_version={Format}"));
        db.Execute("COMMIT");
    }

    public static string ReadText(SqliteConnection db, string key)
    {
        var row = Find(db, key);
        string text = row.Text(0);
        row.Reset();
        return text;
    }

    /// <summary>See <see cref="MetadataStoreOptions.Generation"/>; 0 in a database of before there were generations.</summary>
    public static uint ReadGeneration(SqliteConnection db) => (uint)(db.ReadInteger("SELECT value FROM meta WHERE key = 'generation'") ?? 0);

    public static NameHash ReadNameHash(SqliteConnection db)
    {
        var row = Find(db, "hash_key");
        byte[] key = row.BlobArray(0);
        row.Reset();
        row = Find(db, "hash_bits");
        int bits = (int)row.Integer(0);
        row.Reset();
        return new NameHash(key, bits);
    }

    private static SqliteStatement Find(SqliteConnection db, string key)
    {
        var select = db.Prepare("SELECT value FROM meta WHERE key = ?1").BindText(1, key);
        return select.Step() ? select : throw new MetadataStoreException($"the metadata database lacks '{key}'; it is damaged");
    }

    private static void InsertRoot(SqliteConnection db, DateTimeOffset now)
    {
        long seconds = now.ToUnixTimeSeconds();
        db.Execute(Invariant($"""
            INSERT INTO inode VALUES({InodeNumber.Root}, {0x4000 | 0x1ED}, 0, 0, 0, 2, 0, 0, 4096, 8, 0,
            {seconds}, {seconds}, {seconds}, {seconds}, 0, 0, 0, 0, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL);
            INSERT INTO counter VALUES('inodes', 1), ('epoch', 0);
            """));
    }

    private static void PutMeta(SqliteConnection db, string key, object value)
    {
        var insert = db.Prepare("INSERT INTO meta VALUES(?1, ?2)").BindText(1, key);
        _ = value switch
        {
            string text => insert.BindText(2, text),
            byte[] bytes => insert.Bind(2, bytes),
            _ => insert.Bind(2, Convert.ToInt64(value, CultureInfo.InvariantCulture)),
        };
        insert.Run();
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
