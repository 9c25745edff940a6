using System.Runtime.CompilerServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>REINT_SETXATTR (05 section 5.8). Who may set what is the store's decision; here are the names that are not
/// stored as they come.</summary>
public sealed partial class MdtTarget
{
    private const int XattrName = 3;
    private const int XattrValue = 4;

    private static ReadOnlySpan<byte> LustreLov => "lustre.lov"u8;
    private static ReadOnlySpan<byte> LustreLovPrefix => "lustre.lov."u8;
    private static ReadOnlySpan<byte> DefaultLmvName => "trusted.dmv"u8;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReintSetXattrAsync(RpcRequest request)
    {
        var record = request.Get<MdtRecSetxattr>(BufRecord);
        if (NameIn(request, XattrName).IsEmpty)
            throw new RpcException(Errno.EPROTO, rpcLevel: true);
        if (NameIn(request, XattrName).StartsWith(LustreLovPrefix))
            throw new FsException(IsLayoutEdit(NameIn(request, XattrName)) ? Errno.EOPNOTSUPP : Errno.EINVAL);
        RequireUserXattrs(request.Export, NameIn(request, XattrName));
        if (NameIn(request, XattrName).SequenceEqual(LustreLov))
        {
            await SetLayoutXattrAsync(request, record).ConfigureAwait(false);
            return;
        }
        if (XattrNames.IsServersOwn(NameIn(request, XattrName)))
        {
            await AcceptWithoutEffectAsync(request, record.Fid).ConfigureAwait(false);
            return;
        }
        MdtResult result;
        using (await LockAsync(request, record.Fid, LockMode.EX, XattrBits(NameIn(request, XattrName))).ConfigureAwait(false))
            result = SetXattrUnderLock(request, record);
        await FinishReintAsync(request, ReintOp.SetXattr, result with { Object = default }).ConfigureAwait(false);
    }

    private MdtResult SetXattrUnderLock(RpcRequest request, in MdtRecSetxattr record)
    {
        var name = NameIn(request, XattrName);
        var value = BytesIn(request, XattrValue);
        var who = Caller(request, request.Get<MdtRecReint>(BufRecord));
        FileTime? ctime = (record.Valid & ObdMd.FlCtime) != 0 ? record.Time : null;
        lock (_store.Gate)
        {
            if ((record.Valid & ObdMd.FlXattrRm) != 0)
                return _fs.RemoveXattr(who, record.Fid, name, ctime);
            if ((record.Valid & ObdMd.FlXattr) == 0)
                throw new FsException(Errno.EINVAL);
            return _fs.SetXattr(who, record.Fid, name, value, (XattrFlags)record.Flags, ctime);
        }
    }

    /// <summary>05 section 10: an access ACL is about permissions, anything else about the xattr cache.</summary>
    private static InodeBits XattrBits(ReadOnlySpan<byte> name) => name.SequenceEqual(XattrNames.AccessAcl)
        ? InodeBits.Update | InodeBits.Perm | InodeBits.Lookup
        : InodeBits.Update | InodeBits.Xattr;

    private static bool IsLayoutEdit(ReadOnlySpan<byte> name) =>
        name[LustreLovPrefix.Length..] is var verb
        && (verb.SequenceEqual("add"u8) || verb.SequenceEqual("set"u8) || verb.SequenceEqual("set.flags"u8)
            || verb.SequenceEqual("del"u8));

    /// <summary>Success without a change, as a restore tool expects; the object must be there.</summary>
    private async ValueTask AcceptWithoutEffectAsync(RpcRequest request, LuFid fid)
    {
        ulong transaction;
        lock (_store.Gate)
            transaction = _fs.GetAttr(fid).Transaction;
        await Settled(transaction).ConfigureAwait(false);
        request.StartReply(ShapeOf(ReintOp.SetXattr));
    }
}
