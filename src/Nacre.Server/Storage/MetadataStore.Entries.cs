using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Storage.Sqlite;

namespace Nacre.Server.Storage;

/// <summary>
/// Directory entries, keyed by (directory, cookie). The cookie is the hash of the name and a slot number below it: the lowest
/// slot no other name of that hash in this directory uses. An entry keeps its cookie for life.
/// </summary>
public sealed partial class MetadataStore
{
    private SqliteStatement _findEntriesSql = null!, _putEntrySql = null!, _deleteEntrySql = null!, _firstEntrySql = null!;
    private SqliteStatement _readEntriesSql = null!;

    /// <summary>The name in the directory; false when it is not there.</summary>
    internal bool FindEntry(long directory, ReadOnlySpan<byte> name, out Entry entry)
    {
        AssertHeld();
        var key = new EntryKey(directory, _hash.FirstCookie(name));
        if (_cache.FindEntry(key, name, out entry))
        {
            return true;
        }
        if (!ReadEntry(key, name, out entry, out _))
        {
            return false;
        }
        _cache.AddEntry(key, name, entry);
        return true;
    }

    /// <summary>Adds a name that is not in the directory. ENOSPC when 65536 names of one hash are there.</summary>
    internal void AddEntry(long directory, ReadOnlySpan<byte> name, long inode, uint type)
    {
        var key = new EntryKey(directory, _hash.FirstCookie(name));
        ReadEntry(key, name, out _, out long cookie);
        if (cookie >= key.FirstCookie + NameHash.Slots)
        {
            throw new FsException(Errno.ENOSPC);
        }
        PutEntry(key, name, new Entry(cookie, inode, type));
    }

    /// <summary>Lets a name that is in the directory mean another inode, at the same position.</summary>
    internal void ReplaceEntry(long directory, ReadOnlySpan<byte> name, in Entry old, long inode, uint type) =>
        PutEntry(new EntryKey(directory, _hash.FirstCookie(name)), name, new Entry(old.Cookie, inode, type));

    internal void RemoveEntry(long directory, ReadOnlySpan<byte> name, in Entry entry)
    {
        var key = new EntryKey(directory, _hash.FirstCookie(name));
        _cache.RemoveEntry(key);
        try
        {
            _deleteEntrySql.Bind(1, directory).Bind(2, entry.Cookie).Run();
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
    }

    internal bool IsEmpty(long directory)
    {
        Begin();
        try
        {
            bool any = _firstEntrySql.Bind(1, directory).Step();
            _firstEntrySql.Reset();
            return !any;
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
    }

    /// <summary>Hands the entries of a directory with cookies from <paramref name="from"/> on to the sink.</summary>
    /// <returns>Cookie of the entry the sink did not take; null at the end of the directory.</returns>
    internal ulong? ReadEntries<TSink>(long directory, long from, ref TSink sink) where TSink : IDirEntrySink, allows ref struct
    {
        Begin();
        try
        {
            return HandOver(_readEntriesSql.Bind(1, directory).Bind(2, from), ref sink);
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
        finally
        {
            _readEntriesSql.Reset();
        }
    }

    private static ulong? HandOver<TSink>(SqliteStatement rows, ref TSink sink) where TSink : IDirEntrySink, allows ref struct
    {
        while (rows.Step())
        {
            var entry = new DirEntry
            {
                Cookie = (ulong)rows.Integer(0),
                Fid = InodeNumber.ToFid(rows.Integer(1)),
                Type = (uint)rows.Integer(2),
                Name = rows.Blob(3),
            };
            if (!sink.Add(entry))
            {
                return entry.Cookie;
            }
        }
        return null;
    }

    /// <summary>Looks at all names of one hash. <paramref name="freeCookie"/>: where another one could go.</summary>
    private bool ReadEntry(EntryKey key, ReadOnlySpan<byte> name, out Entry entry, out long freeCookie)
    {
        Begin();
        entry = default;
        freeCookie = key.FirstCookie;
        try
        {
            var rows = _findEntriesSql.Bind(1, key.Parent).Bind(2, key.FirstCookie).Bind(3, key.FirstCookie + NameHash.Slots - 1);
            bool found = false;
            while (!found && rows.Step())
            {
                long cookie = rows.Integer(0);
                freeCookie = cookie == freeCookie ? cookie + 1 : freeCookie;
                if (name.SequenceEqual(rows.Blob(3)))
                {
                    entry = new Entry(cookie, rows.Integer(1), (uint)rows.Integer(2));
                    found = true;
                }
            }
            rows.Reset();
            return found;
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
    }

    private void PutEntry(EntryKey key, ReadOnlySpan<byte> name, in Entry entry)
    {
        try
        {
            _putEntrySql.Bind(1, key.Parent).Bind(2, entry.Cookie).Bind(3, entry.Inode).Bind(4, entry.Type).Bind(5, name).Run();
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
        _cache.AddEntry(key, name, entry);
    }

    private void PrepareEntries()
    {
        _findEntriesSql = _db.Prepare(
            "SELECT cookie, ino, type, name FROM entry WHERE parent = ?1 AND cookie BETWEEN ?2 AND ?3 ORDER BY cookie");
        _putEntrySql = _db.Prepare("INSERT OR REPLACE INTO entry(parent, cookie, ino, type, name) VALUES(?1, ?2, ?3, ?4, ?5)");
        _deleteEntrySql = _db.Prepare("DELETE FROM entry WHERE parent = ?1 AND cookie = ?2");
        _firstEntrySql = _db.Prepare("SELECT 1 FROM entry WHERE parent = ?1 LIMIT 1");
        _readEntriesSql = _db.Prepare(
            "SELECT cookie, ino, type, name FROM entry WHERE parent = ?1 AND cookie >= ?2 ORDER BY cookie");
    }
}
