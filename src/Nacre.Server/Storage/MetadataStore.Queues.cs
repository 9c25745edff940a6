using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Storage.Sqlite;

namespace Nacre.Server.Storage;

/// <summary>Work that outlives an operation: inodes kept only because they are open, and layouts whose objects are to be
/// destroyed on the OSTs.</summary>
public sealed partial class MetadataStore
{
    private SqliteStatement _putOrphanSql = null!, _deleteOrphanSql = null!, _listOrphansSql = null!;
    private SqliteStatement _putDestroySql = null!, _deleteDestroySql = null!, _listDestroysSql = null!;

    /// <summary>Entries whose objects are just being made; their layout may be stored yet. Guarded by <see cref="Gate"/>.</summary>
    private readonly HashSet<long> _heldDestroys = [];

    /// <summary>Never given twice, not even after a rollback: an id stands for one entry.</summary>
    private long _lastDestroyId;
    private long _committedDestroyId;

    /// <summary>Marks an inode without a name: it does not survive a restart.</summary>
    internal void AddOrphan(long inode) => RunChange(_putOrphanSql.Bind(1, inode));

    internal void RemoveOrphan(long inode) => RunChange(_deleteOrphanSql.Bind(1, inode));

    /// <summary>Inodes marked as orphans in the open transaction.</summary>
    internal List<long> Orphans()
    {
        Begin();
        try
        {
            var orphans = new List<long>();
            while (_listOrphansSql.Step())
            {
                orphans.Add(_listOrphansSql.Integer(0));
            }
            _listOrphansSql.Reset();
            return orphans;
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
    }

    /// <summary>Queues a layout whose objects nobody uses any more. Inside a change. Returns the entry's id.</summary>
    internal long EnqueueDestroy(long inode, ReadOnlySpan<byte> layout)
    {
        long id = ++_lastDestroyId;
        RunChange(_putDestroySql.Bind(1, id).Bind(2, inode).Bind(3, layout));
        return id;
    }

    /// <summary>Keeps an entry from being worked on until <see cref="LetDestroy"/>, or a restart.</summary>
    internal void HoldDestroy(long id)
    {
        AssertHeld();
        _heldDestroys.Add(id);
    }

    internal void LetDestroy(long id)
    {
        AssertHeld();
        _heldDestroys.Remove(id);
    }

    /// <summary>Forgets a queued destroy. Inside a change.</summary>
    internal void RemoveDestroy(long id) => RunChange(_deleteDestroySql.Bind(1, id));

    /// <summary>Queued destroys with an id above <paramref name="after"/>, oldest first. Those of the open transaction are
    /// left out, for the unlink they belong to may still be undone, and those that are held.</summary>
    internal List<PendingDestroy> PendingDestroys(long after, int max)
    {
        Begin();
        try
        {
            var destroys = new List<PendingDestroy>();
            var rows = _listDestroysSql.Bind(1, after).Bind(2, _committedDestroyId).Bind(3, max + _heldDestroys.Count);
            while (destroys.Count < max && rows.Step())
            {
                if (_heldDestroys.Contains(rows.Integer(0)))
                {
                    continue;
                }
                destroys.Add(new PendingDestroy(rows.Integer(0), InodeNumber.ToFid(rows.Integer(1)), rows.BlobArray(2)));
            }
            rows.Reset();
            return destroys;
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
    }

    /// <summary>At start nobody has anything open.</summary>
    private void DestroyOrphans()
    {
        var orphans = Orphans();
        if (orphans.Count == 0)
        {
            return;
        }
        BeginChange();
        foreach (long number in orphans)
        {
            if (FindInode(number) is { } inode)
            {
                Destroy(inode, isOrphan: true);
            }
            else
            {
                RemoveOrphan(number);
            }
        }
        EndChange();
    }

    private void RunChange(SqliteStatement statement)
    {
        try
        {
            statement.Run();
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
    }

    private void PrepareQueues()
    {
        _putOrphanSql = _db.Prepare("INSERT OR IGNORE INTO orphan VALUES(?1)");
        _deleteOrphanSql = _db.Prepare("DELETE FROM orphan WHERE ino = ?1");
        _listOrphansSql = _db.Prepare("SELECT ino FROM orphan");
        _putDestroySql = _db.Prepare("INSERT INTO destroy(id, ino, layout) VALUES(?1, ?2, ?3)");
        _deleteDestroySql = _db.Prepare("DELETE FROM destroy WHERE id = ?1");
        _listDestroysSql = _db.Prepare(
            "SELECT id, ino, layout FROM destroy WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3");
        _lastDestroyId = _committedDestroyId = _db.ReadInteger("SELECT max(id) FROM destroy") ?? 0;
    }
}
