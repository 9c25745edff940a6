using System.Runtime.CompilerServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Ost;

// OST_GETATTR, OST_SETATTR, OST_SYNC (06 sections 6.1, 6.2, 6.5).
public sealed partial class OstTarget
{
    private const uint RegularFile = 0x8000 | 0x1B6; // S_IFREG, 0666
    private const uint PristineUid = 0x800, PristineGid = 0x400, PristineProject = 0x200;
    private const ulong EndOfObject = ulong.MaxValue;

    private const ObdoValid Identity = ObdoValid.Id | ObdoValid.Group;
    private const ObdoValid Times = ObdoValid.ATime | ObdoValid.MTime | ObdoValid.CTime;
    private const ObdoValid Owners = ObdoValid.Uid | ObdoValid.Gid | ObdoValid.ProjectId;
    private const ObdoValid AllAttributes =
        Identity | Times | Owners | ObdoValid.Size | ObdoValid.Blocks | ObdoValid.Mode | ObdoValid.Type;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask GetAttributesAsync(RpcRequest request)
    {
        var fid = ObjectOf(request.Get<OstBody>(BodyIndex).Oa);
        var mode = request.Get<OstBody>(BodyIndex).Oa.HasFlags(ObdoFlags.Flush) ? LockMode.PW : LockMode.PR;
        using var held = await ServerLockAsync(request, fid, mode, 0, EndOfObject).ConfigureAwait(false);
        using var stored = _store.Open(fid);
        ref var reply = ref StartBody(request, fid);
        FillAttributes(ref reply, stored.Attributes);
        reply.Valid = AllAttributes | ObdoValid.DataVersion | ObdoValid.Flags;
        reply.Flags = ObdoFlags.Flush;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private ValueTask SetAttributesAsync(RpcRequest request)
    {
        ref readonly var oa = ref request.Get<OstBody>(BodyIndex).Oa;
        var fid = ObjectOf(oa);
        if (oa.Has(ObdoValid.Size) && oa.ObjectSize != EndOfObject) throw new FsException(Errno.EPERM);
        // Only an MDT says which layout an object belongs to, and ours makes no mirrors.
        if (oa.Has(ObdoValid.LayoutVersion)) throw new FsException(Errno.EPERM);

        using var stored = _store.Open(fid);
        var change = new ObjectChange { Parent = ParentOf(oa) };
        SetOwners(ref change, oa);
        SetTimes(ref change, oa);
        if ((oa.Valid & Times) != 0) StateOf(request.Export).Times.Record(fid, request.Xid);
        using (var transaction = _transactions.Begin())
        {
            stored.Commit(change);
            request.Transno = transaction.Number;
        }

        ref var reply = ref StartBody(request, fid);
        FillAttributes(ref reply, stored.Attributes);
        reply.Valid = Identity | (oa.Valid & (Times | Owners));
        return ValueTask.CompletedTask;
    }

    /// <summary>Syncs the whole object, whatever the range. Tells of failures of earlier flushes too.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SyncAsync(RpcRequest request)
    {
        var fid = ObjectOf(request.Get<OstBody>(BodyIndex).Oa);
        using var stored = _store.Open(fid);
        await stored.SyncAsync(reportPast: true, request.Aborted).ConfigureAwait(false);
        ref var reply = ref StartBody(request, fid);
        FillAttributes(ref reply, stored.Attributes);
        reply.Valid = Identity | Times | ObdoValid.Size | ObdoValid.Blocks | ObdoValid.Mode | ObdoValid.Type;
    }

    /// <summary>A reply of one obdo that names the object.</summary>
    private static ref Obdo StartBody(RpcRequest request, in LuFid fid)
    {
        request.StartReply(OstBody.Size);
        ref var reply = ref request.Reply<OstBody>(1).Oa;
        reply.Valid = Identity;
        reply.Oi = OstId.FromFid(fid);
        return ref reply;
    }

    private static void FillAttributes(ref Obdo reply, in ObjectAttributes attributes)
    {
        reply.ObjectSize = (ulong)attributes.Size;
        reply.Blocks = (ulong)attributes.Blocks;
        reply.MTime = attributes.MTime;
        reply.ATime = attributes.ATime;
        reply.CTime = attributes.CTime;
        reply.Uid = attributes.Uid;
        reply.Gid = attributes.Gid;
        reply.ProjectId = attributes.ProjectId;
        reply.DataVersion = attributes.DataVersion;
        reply.Mode = RegularFile
            | ((attributes.OwnersSet & ObjectOwnerIds.Uid) == 0 ? PristineUid : 0)
            | ((attributes.OwnersSet & ObjectOwnerIds.Gid) == 0 ? PristineGid : 0)
            | ((attributes.OwnersSet & ObjectOwnerIds.Project) == 0 ? PristineProject : 0);
    }

    private static void SetTimes(ref ObjectChange change, in Obdo oa)
    {
        if (oa.Has(ObdoValid.MTime)) change.MTime = oa.MTime;
        if (oa.Has(ObdoValid.ATime)) change.ATime = oa.ATime;
        if (oa.Has(ObdoValid.CTime)) change.CTime = oa.CTime;
    }

    private static void SetOwners(ref ObjectChange change, in Obdo oa)
    {
        if (oa.Has(ObdoValid.Uid)) change.Uid = oa.Uid;
        if (oa.Has(ObdoValid.Gid)) change.Gid = oa.Gid;
        if (oa.Has(ObdoValid.ProjectId)) change.ProjectId = oa.ProjectId;
    }

    private static ObjectParent ParentOf(in Obdo oa)
    {
        if (!oa.Has(ObdoValid.Fid)) return default;
        var parent = new ObjectParent
        {
            File = new LuFid(oa.ParentSeq, oa.ParentOid, oa.ParentVer),
            StripeIndex = oa.StripeIndex,
        };
        if (!oa.Has(ObdoValid.OstLayout)) return parent;
        parent.StripeSize = oa.Layout.StripeSize;
        parent.StripeCount = oa.Layout.StripeCount;
        parent.ComponentId = oa.Layout.CompId;
        parent.ComponentStart = oa.Layout.CompStart;
        parent.ComponentEnd = oa.Layout.CompEnd;
        return parent;
    }
}
