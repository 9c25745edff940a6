using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Sqlite;

namespace Nacre.Server.Storage;

/// <summary>An action on a file that is to be done by a copytool, as it is queued.</summary>
/// <param name="Cookie">Identifies it, also to copytools; a transno, so it is never given twice.</param>
/// <param name="ArchiveId">Archive it belongs to; from 1, or 0 of a removal from all of them.</param>
/// <param name="Created">Unix time, seconds.</param>
/// <param name="Data">Opaque bytes of the request, for the copytool.</param>
internal sealed record QueuedHsmAction(
    ulong Cookie, HsmUserAction Action, LuFid Fid, uint ArchiveId, HsmRequestFlags Flags, long Created, byte[] Data);

/// <summary>The queue of HSM actions: what is in it survives a killed process and is gone on with.</summary>
public sealed partial class MetadataStore
{
    private SqliteStatement _putHsmActionSql = null!, _deleteHsmActionSql = null!, _listHsmActionsSql = null!;

    /// <summary>Queues an action. Inside a change.</summary>
    internal void PutHsmAction(QueuedHsmAction action)
    {
        _ = InodeNumber.TryOf(action.Fid, out long number);
        RunChange(_putHsmActionSql.Bind(1, action.Cookie).Bind(2, (long)action.Action).Bind(3, number).Bind(4, (long)action.ArchiveId)
            .Bind(5, (ulong)action.Flags).Bind(6, action.Created).BindOrNull(7, action.Data));
    }

    /// <summary>Forgets an action; one that is not there is no error. Inside a change.</summary>
    internal void RemoveHsmAction(ulong cookie) => RunChange(_deleteHsmActionSql.Bind(1, cookie));

    /// <summary>All that are queued, oldest first: what an earlier run of the server has left.</summary>
    internal List<QueuedHsmAction> HsmActions()
    {
        Begin();
        try
        {
            var actions = new List<QueuedHsmAction>();
            var row = _listHsmActionsSql;
            while (row.Step())
            {
                actions.Add(new QueuedHsmAction(
                    (ulong)row.Integer(0), (HsmUserAction)row.Integer(1), InodeNumber.ToFid(row.Integer(2)), (uint)row.Integer(3),
                    (HsmRequestFlags)row.Integer(4), row.Integer(5), row.BlobArray(6)));
            }
            row.Reset();
            return actions;
        }
        catch (SqliteException e)
        {
            throw Failed(e);
        }
    }

    private void PrepareHsm()
    {
        _putHsmActionSql = _db.Prepare(
            "INSERT INTO hsm_action(cookie, action, ino, archive, flags, created, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
        _deleteHsmActionSql = _db.Prepare("DELETE FROM hsm_action WHERE cookie = ?1");
        _listHsmActionsSql = _db.Prepare("SELECT cookie, action, ino, archive, flags, created, data FROM hsm_action ORDER BY cookie");
    }
}
