using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>MDS_GETXATTR (05 section 3.5) and the getxattr intent (05 section 6.7).</summary>
public sealed partial class MdtTarget
{
    /// <summary>Largest xattr value and largest "all values" answer, bytes: <c>ocd_max_easize</c>.</summary>
    private const int MaxEaSize = 65536;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask GetXattrAsync(RpcRequest request)
    {
        ulong since = _store.OpenTransaction;
        MdtXattrValue found = default;
        int errno = 0;
        try
        {
            found = ReadXattr(request);
        }
        catch (FsException refused)
        {
            errno = refused.Errno;
        }
        if (errno != 0)
        {
            await _store.WhenSettled(since).ConfigureAwait(false);
            FailWithBuffers(request, errno, MdtBody.Size, 0);
            return;
        }
        await Settled(found.Transaction).ConfigureAwait(false);
        if (!found.Found && !NameIn(request, 3).SequenceEqual(XattrNames.Lov))
        {
            FailWithBuffers(request, Errno.ENODATA, MdtBody.Size, 0);
            return;
        }
        // With no room the client asks for the length only; with too little it finds out by the length it gets.
        bool wantsValue = request.Get<MdtBody>(BufBody).EaDataSize != 0;
        request.StartReply(MdtBody.Size, wantsValue ? found.Value.Length : 0);
        ref var body = ref request.Reply<MdtBody>(BufBody);
        body.Valid = ObdMd.FlXattr;
        body.EaDataSize = (uint)found.Value.Length;
        if (wantsValue)
            found.Value.Span.CopyTo(request.ReplyBuffer(2));
    }

    private MdtXattrValue ReadXattr(RpcRequest request)
    {
        ref readonly var asked = ref request.Get<MdtBody>(BufBody);
        var fid = RequireFid(asked);
        var what = asked.Valid & (ObdMd.FlXattr | ObdMd.FlXattrLs);
        if (what == ObdMd.FlXattrLs)
            return XattrNameList(fid);
        if (what != ObdMd.FlXattr)
            throw new FsException(Errno.EINVAL);
        var name = NameIn(request, 3);
        if (name.IsEmpty)
            throw new RpcException(Errno.EPROTO, rpcLevel: true);
        RequireUserXattrs(request.Export, name);
        lock (_store.Gate)
            return _fs.GetXattr(fid, name);
    }

    private MdtXattrValue XattrNameList(LuFid fid)
    {
        MdtXattrList all;
        lock (_store.Gate)
            all = _fs.ListXattrs(fid);
        var names = new byte[NamesLength(all)];
        WriteNames(all, names);
        return new MdtXattrValue(true, names, all.Transaction);
    }

    private static void RequireUserXattrs(Export export, ReadOnlySpan<byte> name)
    {
        if (name.StartsWith(XattrNames.User) && !export.Has(ConnectFlags.Xattr))
            throw new FsException(Errno.EOPNOTSUPP);
    }

    private static int NamesLength(in MdtXattrList all)
    {
        int length = 0;
        foreach (var item in all.Items)
            length += item.Name.Length + 1;
        return length;
    }

    private static int ValuesLength(in MdtXattrList all)
    {
        int length = 0;
        foreach (var item in all.Items)
            length += item.Value.Length;
        return length;
    }

    private static void WriteNames(in MdtXattrList all, Span<byte> to)
    {
        foreach (var item in all.Items)
        {
            item.Name.Span.CopyTo(to);
            to = to[(item.Name.Length + 1)..];
        }
    }

    /// <summary>The getxattr intent: every xattr at once, under a PR XATTR lock that is returned whatever the outcome.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask IntentGetXattrAsync(RpcRequest request)
    {
        ulong since = _store.OpenTransaction;
        var fid = RequireFid(request.Get<MdtBody>(IntentBody));
        ObjectOrError(fid);
        var granted = await GrantAsync(request, fid, LockMode.PR, InodeBits.Xattr, InodeBits.None).ConfigureAwait(false);
        MdtXattrList all;
        int errno;
        bool gone = false;
        try
        {
            lock (_store.Gate)
                all = _fs.ListXattrs(fid);
            errno = XattrRoomErrno(request.Get<MdtBody>(IntentBody).EaDataSize, ValuesLength(all));
        }
        catch (FsException refused)
        {
            (all, errno, gone) = (new MdtXattrList([], 0), refused.Errno, true);
        }
        await Settled(gone, all.Transaction, since).ConfigureAwait(false);
        if (errno != 0)
            all = new MdtXattrList([], 0);
        ReplyAllXattrs(request, all);
        ref var reply = ref request.Reply<LdlmReply>(IntentReply);
        reply.LockPolicyRes2 = unchecked((ulong)-errno);
        Nacre.Ldlm.LdlmNamespace.FillReply(request, ref reply, granted);
    }

    private static int XattrRoomErrno(uint room, int values)
    {
        if (room is 0 or > MaxEaSize || room % 4 != 0)
            return Errno.EINVAL;
        return values > room ? Errno.ERANGE : 0;
    }

    private static void ReplyAllXattrs(RpcRequest request, in MdtXattrList all)
    {
        const int unusedLayout = 56;
        int values = ValuesLength(all);
        request.StartReply(LdlmReply.Size, MdtBody.Size, unusedLayout, SmallAcl, NamesLength(all), values, sizeof(uint) * all.Items.Count);
        ref var body = ref request.Reply<MdtBody>(IntentReplyBody);
        body.Valid = ObdMd.FlXattr;
        body.EaDataSize = (uint)NamesLength(all);
        body.AclSize = (uint)values;
        body.MaxMdSize = (uint)all.Items.Count;
        if (all.Items.Count == 0)
            return;
        WriteNames(all, request.ReplyBuffer(5));
        var to = request.ReplyBuffer(6);
        var lengths = MemoryMarshal.Cast<byte, uint>(request.ReplyBuffer(7));
        for (int i = 0; i < all.Items.Count; i++)
        {
            var value = all.Items[i].Value.Span;
            value.CopyTo(to);
            to = to[value.Length..];
            lengths[i] = (uint)value.Length;
        }
    }
}
