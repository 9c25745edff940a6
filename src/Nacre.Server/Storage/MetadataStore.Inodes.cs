using System.Diagnostics;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Storage.Sqlite;

namespace Nacre.Server.Storage;

/// <summary>Inodes: read through the cache, changed in memory, written once at commit however often they were changed.</summary>
public sealed partial class MetadataStore
{
    /// <summary>Dirty inodes from which a commit is asked for without a waiter.</summary>
    private const int ManyDirtyInodes = 4096;

    private readonly List<Inode> _dirtyInodes = [];
    private SqliteStatement _getInodeSql = null!, _putInodeSql = null!, _deleteInodeSql = null!;

    /// <summary>The inode with this number, or null when there is none (or no more).</summary>
    internal Inode? FindInode(long number)
    {
        AssertHeld();
        var inode = _cache.FindInode(number) ?? LoadInode(number);
        return inode is { IsDeleted: false } ? inode : null;
    }

    /// <summary>A new inode in the open transaction, not yet in any directory. The caller has made sure that
    /// <see cref="FindInode"/> finds none, and fills in the attributes.</summary>
    internal Inode NewInode(long number)
    {
        Debug.Assert(_changing && FindInode(number) == null);
        // A row deleted in this transaction is replaced by the write at commit: deletions are written in order before it.
        var inode = new Inode(number) { IsNew = true };
        Change(inode);
        _cache.Add(inode);
        AddInodes(1);
        return inode;
    }

    /// <summary>Says that the inode is about to change in the open transaction.</summary>
    internal void Change(Inode inode)
    {
        Debug.Assert(_changing);
        inode.Transaction = _open;
        if (inode.IsDirty)
        {
            return;
        }
        inode.IsDirty = true;
        _dirtyInodes.Add(inode);
        if (_dirtyInodes.Count == ManyDirtyInodes)
        {
            CommitTimerFired();
        }
    }

    /// <summary>Ends an inode that has no names and is not open: row, xattrs, orphan mark; its layout goes into the queue of
    /// pending destroys.</summary>
    internal void Destroy(Inode inode, bool isOrphan)
    {
        Change(inode);
        inode.IsDeleted = true;
        AddInodes(-1);
        if (inode.XattrCount > 0)
        {
            DeleteXattrs(inode.Number);
        }
        if (isOrphan)
        {
            RemoveOrphan(inode.Number);
        }
        if (inode.IsRegular && inode.Layout.Length > 0)
        {
            EnqueueDestroy(inode.Number, inode.Layout);
        }
    }

    /// <summary>The transaction a reply showing this inode has to wait for; 0 when it is committed.</summary>
    internal ulong Pending(Inode inode) => inode.Transaction == _open ? _open : 0;

    private Inode? LoadInode(long number)
    {
        Begin();
        try
        {
            var row = _getInodeSql.Bind(1, number);
            var inode = row.Step() ? ReadInode(row, number) : null;
            row.Reset();
            if (inode != null)
            {
                _cache.Add(inode);
            }
            return inode;
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
    }

    private static Inode ReadInode(SqliteStatement row, long number)
    {
        var inode = new Inode(number)
        {
            Mode = (uint)row.Integer(0),
            Uid = (uint)row.Integer(1),
            Gid = (uint)row.Integer(2),
            ProjId = (uint)row.Integer(3),
            NLink = (uint)row.Integer(4),
            Flags = (InodeFlags)row.Integer(5),
            RDev = (uint)row.Integer(6),
            Size = (ulong)row.Integer(7),
            Blocks = (ulong)row.Integer(8),
            HasLazySize = row.Integer(9) != 0,
            ATime = new FileTime(row.Integer(10), (uint)row.Integer(14)),
            MTime = new FileTime(row.Integer(11), (uint)row.Integer(15)),
            CTime = new FileTime(row.Integer(12), (uint)row.Integer(16)),
            BTime = new FileTime(row.Integer(13), (uint)row.Integer(17)),
            Version = (ulong)row.Integer(18),
            XattrCount = (int)row.Integer(19),
            XattrBytes = row.Integer(20),
            Links = row.BlobArray(21),
            Layout = row.BlobArray(22),
            AccessAcl = row.BlobArray(23),
            DefaultAcl = row.BlobArray(24),
            Hsm = row.BlobArray(25),
            Target = row.BlobArray(26),
        };
        if (inode.IsDirectory)
        {
            inode.Parent = number == InodeNumber.Root ? number : LinkEa.FirstParent(inode.Links);
        }
        return inode;
    }

    private void WriteInodes()
    {
        foreach (var inode in _dirtyInodes)
        {
            inode.IsDirty = false;
            if (inode.IsDeleted)
            {
                if (!inode.IsNew)
                {
                    _deleteInodeSql.Bind(1, inode.Number).Run();
                }
                _cache.Remove(inode);
                continue;
            }
            WriteInode(inode);
            inode.IsNew = false;
            _cache.Recount(inode);
        }
        _dirtyInodes.Clear();
    }

    private void WriteInode(Inode inode) => _putInodeSql
        .Bind(1, inode.Number)
        .Bind(2, inode.Mode)
        .Bind(3, inode.Uid)
        .Bind(4, inode.Gid)
        .Bind(5, inode.ProjId)
        .Bind(6, inode.NLink)
        .Bind(7, (uint)inode.Flags)
        .Bind(8, inode.RDev)
        .Bind(9, inode.Size)
        .Bind(10, inode.Blocks)
        .Bind(11, inode.HasLazySize ? 1L : 0)
        .Bind(12, inode.ATime.Seconds)
        .Bind(13, inode.MTime.Seconds)
        .Bind(14, inode.CTime.Seconds)
        .Bind(15, inode.BTime.Seconds)
        .Bind(16, inode.ATime.Nanoseconds)
        .Bind(17, inode.MTime.Nanoseconds)
        .Bind(18, inode.CTime.Nanoseconds)
        .Bind(19, inode.BTime.Nanoseconds)
        .Bind(20, inode.Version)
        .Bind(21, inode.XattrCount)
        .Bind(22, inode.XattrBytes)
        .BindOrNull(23, inode.Links)
        .BindOrNull(24, inode.Layout)
        .BindOrNull(25, inode.AccessAcl)
        .BindOrNull(26, inode.DefaultAcl)
        .BindOrNull(27, inode.Hsm)
        .BindOrNull(28, inode.Target)
        .Run();

    private void Prepare()
    {
        _beginSql = _db.Prepare("BEGIN IMMEDIATE");
        _commitSql = _db.Prepare("COMMIT");
        _rollbackSql = _db.Prepare("ROLLBACK");
        _getInodeSql = _db.Prepare("""
            SELECT mode, uid, gid, projid, nlink, flags, rdev, size, blocks, lazy, atime, mtime, ctime, btime,
                atime_ns, mtime_ns, ctime_ns, btime_ns, version, xattrs, xattr_bytes,
                links, layout, access_acl, default_acl, hsm, target FROM inode WHERE ino = ?1
            """);
        _putInodeSql = _db.Prepare("""
            INSERT OR REPLACE INTO inode(ino, mode, uid, gid, projid, nlink, flags, rdev, size, blocks, lazy,
                atime, mtime, ctime, btime, atime_ns, mtime_ns, ctime_ns, btime_ns, version, xattrs, xattr_bytes,
                links, layout, access_acl, default_acl, hsm, target)
            VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                ?23, ?24, ?25, ?26, ?27, ?28)
            """);
        _deleteInodeSql = _db.Prepare("DELETE FROM inode WHERE ino = ?1");
        PrepareEntries();
        PrepareXattrs();
        PrepareQueues();
        PrepareHsm();
    }
}
