using System.Runtime.CompilerServices;
using Nacre.Client.Inodes;
using Nacre.Client.Lov;
using Nacre.Client.Mdc;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Files;

/// <summary>getattr and setattr. The MDT's part and that of the objects are merged as 05 section 2.4 and 06 section 7.1 say.</summary>
internal sealed partial class LustreVfs
{
    private const MdsAttr SetChangeTime = MdsAttr.Ctime | MdsAttr.CtimeSet;

    public ValueTask<Outcome<CurrentAttributes>> GetAttributesAsync(Node node, OpenNode? file, CancellationToken ct) =>
        GetAttributesAsync((LustreInode)node, ct);

    public async ValueTask<Outcome<CurrentAttributes>> SetAttributesAsync(
        Node node, OpenNode? file, AttributeChange change, Credentials who, CancellationToken ct)
    {
        var inode = (LustreInode)node;
        if (_options.ReadOnly)
        {
            return new Failure(Errno.EROFS);
        }

        if (change.Fields is AttributeFields.None or AttributeFields.KillPrivileges && !await NeedsKillAsync(inode, ct).ConfigureAwait(false))
        {
            return await GetAttributesAsync(inode, ct).ConfigureAwait(false);
        }

        var errno = await ChangeAsync(inode, change, who, fromOpen: false, ct).ConfigureAwait(false);
        return errno == 0 ? await GetAttributesAsync(inode, ct).ConfigureAwait(false) : new Failure(errno);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Outcome<CurrentAttributes>> GetAttributesAsync(LustreInode inode, CancellationToken ct)
    {
        if (!inode.TryGetBody(out var body))
        {
            var fetched = await FetchBodyAsync(inode, ct).ConfigureAwait(false);
            if (!fetched.IsOk)
            {
                return new Failure(fetched.Errno);
            }

            body = fetched.Value;
        }

        if (!inode.IsRegular || (body.Valid & (ObdMd.FlSize | ObdMd.FlBlocks)) == (ObdMd.FlSize | ObdMd.FlBlocks))
        {
            return new CurrentAttributes(Show(inode, body, default), inode.TryPromiseAttributes());
        }

        var file = await inode.GetDataAsync().ConfigureAwait(false);
        var data = await file.GetAttributesAsync(ct).ConfigureAwait(false);
        return data.IsOk
            ? new CurrentAttributes(Show(inode, body, data.Value), inode.TryPromiseAttributes() && data.Value.MayBeCached)
            : new Failure(data.Errno);
    }

    private async ValueTask<Outcome<MdtBody>> FetchBodyAsync(LustreInode inode, CancellationToken ct)
    {
        var answered = await GetByFidAsync(inode, ct).ConfigureAwait(false);
        if (answered.Errno == Errno.ENOENT && !inode.IsRegular && inode.TryGetRemains(out var remains))
        {
            return remains;
        }

        if (!answered.IsOk)
        {
            return new Failure(answered.Errno == Errno.ENOENT ? Errno.ESTALE : answered.Errno);
        }

        using var answer = answered.Value;
        inode.Take(answer);
        return answer.Body;
    }

    /// <summary>An answer about another object is none.</summary>
    private async ValueTask<Outcome<IntentReply>> GetByFidAsync(LustreInode inode, CancellationToken ct)
    {
        var answered = await RetryAsync(static (mdc, inode, ct) => mdc.GetByFidAsync(inode.Fid, ct), inode, ct).ConfigureAwait(false);
        if (!answered.IsOk || answered.Value.Body.Fid1 == inode.Fid)
        {
            return answered;
        }

        answered.Value.Dispose();
        return new Failure(Errno.EPROTO);
    }

    private static Attributes Show(LustreInode inode, in MdtBody body, in DataAttributes data) => new()
    {
        Inode = inode.Inode,
        Mode = body.Mode,
        LinkCount = body.Nlink,
        Uid = body.Uid,
        Gid = body.Gid,
        Device = Devices.FromWire(body.Rdev),
        Size = data.HasObjects ? data.Size : (long)body.ObjectSize,
        Blocks = data.HasObjects ? data.Blocks : body.Blocks,
        BlockSize = inode.IsRegular ? FileBlockSize : OtherBlockSize,
        AccessTime = new Timestamp(Math.Max(Math.Max(body.Atime, data.AccessTime), inode.AccessTime), 0),
        ModifyTime = new Timestamp(Math.Max(body.Mtime, data.ModifyTime), 0),
        ChangeTime = new Timestamp(Math.Max(body.Ctime, data.ChangeTime), 0),
        BirthTime = new Timestamp(body.Btime, 0),
    };

    private async ValueTask<bool> NeedsKillAsync(LustreInode inode, CancellationToken ct)
    {
        const uint setUid = 0x800;
        const uint setGid = 0x400;
        const uint groupExecute = 0x8;
        if (!inode.TryGetBody(out var body) && await FetchBodyAsync(inode, ct).ConfigureAwait(false) is { IsOk: true } fetched)
        {
            body = fetched.Value;
        }

        return (body.Mode & setUid) != 0 || (body.Mode & (setGid | groupExecute)) == (setGid | groupExecute);
    }

    /// <summary>The MDT first, then the objects (05 section 5.3).</summary>
    private async ValueTask<int> ChangeAsync(LustreInode inode, AttributeChange change, Credentials who, bool fromOpen, CancellationToken ct)
    {
        var (arguments, bits) = Translate(inode, change, fromOpen);
        var sent = await _mdc.SetAttributesAsync(arguments, bits, who, GroupToShow(inode, change, who)).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            return sent.Errno;
        }

        using (var reply = sent.Value)
        {
            inode.TakeUnlocked(reply.Get<MdtBody>(1));
        }

        if ((arguments.Valid & MdsAttr.AtimeSet) != 0)
        {
            inode.ForgetAccess();
        }

        return inode.IsRegular ? await ChangeObjectsAsync(inode, change, arguments, ct).ConfigureAwait(false) : 0;
    }

    /// <summary>
    /// The group whose membership the server has to be told of: an owner may give a file to any group that he is in, and only one can be told
    /// (05 section 9.1).
    /// </summary>
    private static uint GroupToShow(LustreInode inode, in AttributeChange change, in Credentials who) =>
        (change.Fields & AttributeFields.Gid) != 0 && who.Groups.Span.Contains(change.Gid) ? change.Gid : inode.Group;

    private static async ValueTask<int> ChangeObjectsAsync(
        LustreInode inode, AttributeChange change, SetAttrArguments sent, CancellationToken ct)
    {
        var data = await inode.GetDataAsync().ConfigureAwait(false);
        if ((change.Fields & AttributeFields.Size) != 0)
        {
            return (await data.TruncateAsync(change.Size, sent.ModifyTime, sent.ChangeTime, ct).ConfigureAwait(false)).Errno;
        }

        const MdsAttr times = MdsAttr.AtimeSet | MdsAttr.MtimeSet;
        if ((sent.Valid & (times | MdsAttr.Uid | MdsAttr.Gid)) == 0)
        {
            return 0;
        }

        var done = await data.SetTimesAsync(
            (sent.Valid & MdsAttr.AtimeSet) != 0 ? sent.AccessTime : null,
            (sent.Valid & MdsAttr.MtimeSet) != 0 ? sent.ModifyTime : null,
            sent.ChangeTime,
            ct).ConfigureAwait(false);
        return done.Errno;
    }

    /// <summary>The record a kernel client would send (captures in 05 section 5.3), and the bits it is going to be called back on.</summary>
    private (SetAttrArguments Arguments, InodeBits Bits) Translate(LustreInode inode, in AttributeChange change, bool fromOpen)
    {
        var fields = change.Fields;
        var now = Now;
        var valid = SetChangeTime;
        var bits = InodeBits.Update;
        if ((fields & AttributeFields.Mode) != 0)
        {
            valid |= MdsAttr.Mode;
        }

        valid |= (fields & AttributeFields.Uid) != 0 ? MdsAttr.Uid : 0;
        valid |= (fields & AttributeFields.Gid) != 0 ? MdsAttr.Gid : 0;
        valid |= (fields & AttributeFields.KillPrivileges) != 0 ? MdsAttr.KillSuid | MdsAttr.KillSgid : 0;
        if ((valid & (MdsAttr.Mode | MdsAttr.Uid | MdsAttr.Gid | MdsAttr.KillSuid)) != 0)
        {
            bits |= InodeBits.Lookup | InodeBits.Perm;
        }

        var truncates = (fields & AttributeFields.Size) != 0;
        if (truncates)
        {
            valid |= MdsAttr.Size | MdsAttr.Mtime | MdsAttr.MtimeSet | MdsAttr.Override | (fromOpen ? MdsAttr.FromOpen : 0);
        }

        valid |= TimeOf(fields, AttributeFields.AccessTime | AttributeFields.AccessTimeNow, MdsAttr.Atime | MdsAttr.AtimeSet);
        valid |= TimeOf(fields, AttributeFields.ModifyTime | AttributeFields.ModifyTimeNow, MdsAttr.Mtime | MdsAttr.MtimeSet);
        return (new SetAttrArguments(inode.Fid, valid)
        {
            Mode = inode.FileType | (change.Mode & 0xfff),
            Uid = change.Uid,
            Gid = change.Gid,
            Size = change.Size,
            AccessTime = (fields & AttributeFields.AccessTime) != 0 ? change.AccessTime.Seconds : now,
            ModifyTime = (fields & AttributeFields.ModifyTime) != 0 ? change.ModifyTime.Seconds : now,
            ChangeTime = (fields & AttributeFields.ChangeTime) != 0 ? change.ChangeTime.Seconds : now,
            Bias = truncates ? MdsBias.DataModified : MdsBias.None,
        }, bits);
    }

    private static MdsAttr TimeOf(AttributeFields fields, AttributeFields asked, MdsAttr valid) => (fields & asked) != 0 ? valid : 0;
}
