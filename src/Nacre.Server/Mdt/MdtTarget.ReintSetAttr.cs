using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Mdt.Layouts;

namespace Nacre.Server.Mdt;

/// <summary>REINT_SETATTR: attributes, or the default layout of a directory (05 section 5.3).</summary>
public sealed partial class MdtTarget
{
    private const int SetAttrEaData = 4;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReintSetAttrAsync(RpcRequest request)
    {
        var record = request.Get<MdtRecSetattr>(BufRecord);
        bool hasEa = request.Has(SetAttrEaData);
        if (hasEa == (record.Valid != 0))
            throw new RpcException(Errno.EPROTO, rpcLevel: true);
        if (hasEa)
        {
            await SetDirectoryDefaultAsync(request, record.Fid).ConfigureAwait(false);
            return;
        }
        MdtResult result;
        using (await LockAsync(request, record.Fid, LockMode.PW, BitsChangedBy(record.Valid)).ConfigureAwait(false))
        {
            lock (_store.Gate)
                result = _fs.SetAttr(CallerOf(request, record), ArgumentsOf(record));
        }
        await FinishReintAsync(request, ReintOp.SetAttr, result).ConfigureAwait(false);
    }

    /// <summary>05 section 10: what clients cache of the attributes that change.</summary>
    private static InodeBits BitsChangedBy(MdsAttr valid)
    {
        var bits = InodeBits.Update;
        if ((valid & (MdsAttr.Mode | MdsAttr.Uid | MdsAttr.Gid | MdsAttr.KillSuid | MdsAttr.KillSgid)) != 0)
            bits |= InodeBits.Lookup | InodeBits.Perm;
        if ((valid & MdsAttr.Projid) != 0)
            bits |= InodeBits.Xattr;
        return bits;
    }

    private MdtCredentials CallerOf(RpcRequest request, in MdtRecSetattr record) =>
        Caller(request, record.FsUid, record.FsGid, record.Cap, record.Suppgid, MdtCredentials.NoGroup);

    private static SetAttrArgs ArgumentsOf(in MdtRecSetattr record) => new()
    {
        Fid = record.Fid,
        Valid = (SetAttrValid)record.Valid,
        Mode = record.Mode,
        Uid = record.Uid,
        Gid = record.Gid,
        Size = record.ObjectSize,
        Blocks = record.Blocks,
        ATime = record.Atime,
        MTime = record.Mtime,
        CTime = record.Ctime,
        Flags = (InodeFlags)record.AttrFlags,
        ProjId = record.Projid,
        DataModified = (record.Bias & MdsBias.DataModified) != 0,
    };

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SetDirectoryDefaultAsync(RpcRequest request, LuFid directory)
    {
        bool lmv = LovCodec.MagicOf(request.Buffer(SetAttrEaData)) is LovMagic.LmvUser or LovMagic.LmvUserSpecific;
        var bits = lmv ? InodeBits.Xattr | InodeBits.Lookup : InodeBits.Xattr;
        MdtResult result;
        using (await LockAsync(request, directory, LockMode.PW, bits).ConfigureAwait(false))
            result = lmv ? SetDefaultLmv(request, directory) : SetDefaultLayout(request, directory);
        await FinishReintAsync(request, ReintOp.SetAttr, result).ConfigureAwait(false);
    }

    private MdtResult SetDefaultLayout(RpcRequest request, LuFid directory)
    {
        var ea = request.Buffer(SetAttrEaData);
        var layout = LayoutValidator.ParseUserLayout(ea, _allocator.Exists);
        var stored = LayoutValidator.IsDeleteDefault(layout) ? default : ea[..LayoutValidator.UserLayoutLength(ea, layout)];
        lock (_store.Gate)
            return _fs.SetDefaultLayout(CallerOf(request, request.Get<MdtRecSetattr>(BufRecord)), directory, stored, null);
    }

    /// <summary>A default directory layout is kept and shown, and with one MDT means nothing.</summary>
    private MdtResult SetDefaultLmv(RpcRequest request, LuFid directory)
    {
        var ea = request.Buffer(SetAttrEaData);
        if (ea.Length < LmvUserMd.Size)
            throw new FsException(Errno.EINVAL);
        var wish = MemoryMarshal.Read<LmvUserMd>(ea);
        RequireOneMdt(wish);
        var who = CallerOf(request, request.Get<MdtRecSetattr>(BufRecord));
        lock (_store.Gate)
        {
            var found = _fs.GetAttr(directory);
            if (!found.Attributes.IsDirectory)
                throw new FsException(Errno.ENOTDIR);
            if (who.Uid != found.Attributes.Uid && !who.Has(Capabilities.FOwner))
                throw new FsException(Errno.EPERM);
            bool delete = wish.StripeCount == 0 && wish.StripeOffset == uint.MaxValue && wish.HashType == 0;
            return _fs.SetInternalXattr(directory, DefaultLmvName, delete ? default : ea[..LmvUserMd.Size]);
        }
    }

    /// <summary>This file system has one MDT: a wish for more, or for another, is refused.</summary>
    private static void RequireOneMdt(in LmvUserMd wish)
    {
        if (wish.StripeOffset is not (0 or uint.MaxValue))
            throw new FsException(Errno.EREMOTE);
        if (wish.StripeCount > 1 && wish.StripeCount != uint.MaxValue)
            throw new FsException(Errno.EINVAL);
    }
}
