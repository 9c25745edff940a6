using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Storage.Sqlite;

namespace Nacre.Server.Storage;

/// <summary>Extended attributes that are stored as such. ACLs, layouts, links and HSM state are columns of the inode.</summary>
public sealed partial class MetadataStore
{
    private SqliteStatement _getXattrSql = null!, _listXattrsSql = null!, _putXattrSql = null!, _deleteXattrSql = null!;
    private SqliteStatement _deleteXattrsSql = null!;

    /// <summary>The value, or null. Inodes without any answer from memory.</summary>
    internal byte[]? GetXattr(Inode inode, ReadOnlySpan<byte> name)
    {
        if (inode.XattrCount == 0)
        {
            return null;
        }
        Begin();
        try
        {
            var row = _getXattrSql.Bind(1, inode.Number).Bind(2, name);
            byte[]? value = row.Step() ? row.BlobArray(0) : null;
            row.Reset();
            return value;
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
    }

    /// <summary>Appends all, ordered by name.</summary>
    internal void ListXattrs(Inode inode, List<MdtXattr> into)
    {
        if (inode.XattrCount == 0)
        {
            return;
        }
        Begin();
        try
        {
            var rows = _listXattrsSql.Bind(1, inode.Number);
            while (rows.Step())
            {
                into.Add(new MdtXattr(rows.BlobArray(0), rows.BlobArray(1)));
            }
            rows.Reset();
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
    }

    /// <summary>Sets a value; <paramref name="old"/> is what <see cref="GetXattr"/> says now. Inside a change of the inode.</summary>
    internal void PutXattr(Inode inode, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, byte[]? old)
    {
        try
        {
            _putXattrSql.Bind(1, inode.Number).Bind(2, name).Bind(3, value).Run();
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
        inode.XattrCount += old == null ? 1 : 0;
        inode.XattrBytes += value.Length - (old == null ? -name.Length : old.Length);
    }

    /// <summary>Removes a value that is there.</summary>
    internal void DeleteXattr(Inode inode, ReadOnlySpan<byte> name, byte[] old)
    {
        try
        {
            _deleteXattrSql.Bind(1, inode.Number).Bind(2, name).Run();
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
        inode.XattrCount--;
        inode.XattrBytes -= name.Length + old.Length;
    }

    private void DeleteXattrs(long inode)
    {
        try
        {
            _deleteXattrsSql.Bind(1, inode).Run();
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
    }

    private void PrepareXattrs()
    {
        _getXattrSql = _db.Prepare("SELECT value FROM xattr WHERE ino = ?1 AND name = ?2");
        _listXattrsSql = _db.Prepare("SELECT name, value FROM xattr WHERE ino = ?1 ORDER BY name");
        _putXattrSql = _db.Prepare("INSERT OR REPLACE INTO xattr(ino, name, value) VALUES(?1, ?2, ?3)");
        _deleteXattrSql = _db.Prepare("DELETE FROM xattr WHERE ino = ?1 AND name = ?2");
        _deleteXattrsSql = _db.Prepare("DELETE FROM xattr WHERE ino = ?1");
    }
}
