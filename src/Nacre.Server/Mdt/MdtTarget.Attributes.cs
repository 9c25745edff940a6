using System.Runtime.CompilerServices;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>MDS_GET_ROOT, MDS_GETATTR, MDS_GETATTR_NAME and MDS_SYNC: reads without client locks (05 sections 3.1 to 3.4, 3.6).
/// A malformed request or a FID that is not there is an error reply; the others have all their buffers.</summary>
public sealed partial class MdtTarget
{
    /// <summary>Largest ACL without LARGE_ACL: 32 entries (05 section 13.2).</summary>
    private const int SmallAcl = 4 + 32 * 8;
    private const int BufBody = 1;
    private const int BufLayout = 2;
    private const int BufAcl = 3;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask GetRootAsync(RpcRequest request)
    {
        LuFid root;
        ulong transaction = 0;
        if (!request.Has(2) || request.Buffer(2).Length <= 1)
        {
            root = MdtFileSystem.Root;
        }
        else
        {
            try
            {
                lock (_store.Gate)
                {
                    var found = _fs.ResolveFileset(NameIn(request, 2));
                    (root, transaction) = (found.Fid, found.Transaction);
                }
            }
            catch (FsException refused)
            {
                throw new RpcException(refused.Errno, rpcLevel: true);
            }
        }
        await Settled(transaction).ConfigureAwait(false);
        request.StartReply(MdtBody.Size, 0);
        ref var body = ref request.Reply<MdtBody>(BufBody);
        body.Fid1 = root;
        body.Valid = ObdMd.FlId;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask GetAttrAsync(RpcRequest request)
    {
        var found = ObjectOrError(RequireFid(request.Get<MdtBody>(BufBody)));
        var defaultLmv = DefaultLmvFor(request.Get<MdtBody>(BufBody), found);
        await Settled(Math.Max(found.Transaction, defaultLmv.Transaction)).ConfigureAwait(false);
        ReplyGetAttr(request, found, defaultLmv.Value);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask GetAttrNameAsync(RpcRequest request)
    {
        ulong since = _store.OpenTransaction;
        MdtObject found = default;
        int errno = 0;
        try
        {
            found = LookupForGetAttr(request);
        }
        catch (FsException refused)
        {
            errno = refused.Errno;
        }
        if (errno != 0)
        {
            await _store.WhenSettled(since).ConfigureAwait(false);
            FailWithBuffers(request, errno, GetAttrShape);
            return;
        }
        var defaultLmv = DefaultLmvFor(request.Get<MdtBody>(BufBody), found);
        await Settled(Math.Max(found.Transaction, defaultLmv.Transaction)).ConfigureAwait(false);
        if (request.Get<MdtBody>(BufBody).Valid == ObdMd.FlId)
            ReplyRawLookup(request, found.Fid);
        else
            ReplyGetAttr(request, found, defaultLmv.Value);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SyncAsync(RpcRequest request)
    {
        ref readonly var asked = ref request.Get<MdtBody>(BufBody);
        bool wholeDevice = (asked.Valid & ObdMd.FlId) == 0 || asked.Fid1.IsZero;
        var found = wholeDevice ? default : ObjectOrError(asked.Fid1);
        await _store.SyncAsync().ConfigureAwait(false);
        request.StartReply(MdtBody.Size);
        if (!wholeDevice)
            BodyWriter.Describe(ref request.Reply<MdtBody>(BufBody), found, withSize: false);
    }

    private static ReadOnlySpan<int> GetAttrShape => [MdtBody.Size, 0, 0, 0, 0, 0];

    private MdtObject ObjectOrError(LuFid fid)
    {
        lock (_store.Gate)
        {
            if (_fs.TryGetAttr(fid, out var found))
                return found;
        }
        throw new RpcException(Errno.ENOENT, rpcLevel: true);
    }

    private MdtObject LookupForGetAttr(RpcRequest request)
    {
        ref readonly var asked = ref request.Get<MdtBody>(BufBody);
        var parent = RequireFid(asked);
        var name = NameIn(request, 3);
        lock (_store.Gate)
        {
            if (name.IsEmpty)
                return _fs.GetAttr(asked.Fid2);
            var lookup = _fs.Lookup(Caller(request, asked), parent, name);
            return lookup.Found ? lookup.Object : throw new FsException(Errno.ENOENT);
        }
    }

    private static void ReplyRawLookup(RpcRequest request, LuFid child)
    {
        request.StartReply(GetAttrShape);
        ref var body = ref request.Reply<MdtBody>(BufBody);
        body.Fid1 = child;
        body.Valid = ObdMd.FlId;
    }

    /// <summary>The reply of MDS_GETATTR and MDS_GETATTR_NAME: attributes and the one EA the request asks for.</summary>
    private void ReplyGetAttr(RpcRequest request, in MdtObject found, ReadOnlyMemory<byte> defaultLmv)
    {
        ref readonly var asked = ref request.Get<MdtBody>(BufBody);
        var ea = EaFor(asked, found, defaultLmv, out var eaValid);
        bool wantsAcl = WantsAcl(request, asked.Valid);
        int aclLength = wantsAcl ? AclLength(request.Export, found) : 0;
        request.StartReply(MdtBody.Size, ea.Length + (eaValid == ObdMd.LinkName ? 1 : 0), aclLength, 0, 0, 0);
        ref var body = ref request.Reply<MdtBody>(BufBody);
        BodyWriter.Describe(ref body, found);
        if (eaValid != ObdMd.None)
        {
            body.Valid |= eaValid;
            body.EaDataSize = (uint)request.ReplyBuffer(BufLayout).Length;
            ea.Span.CopyTo(request.ReplyBuffer(BufLayout));
        }
        if (wantsAcl)
            PutAcl(request, ref body, found, BufAcl);
        if ((asked.Valid & ObdMd.FlModeAsize) != 0)
            PutMaxMdSize(ref body);
        if (eaValid == ObdMd.FlEaSize)
            PutHsmState(ref body, found);
        if ((asked.Valid & ObdMd.FlDataVersion) != 0)
        {
            body.Valid |= ObdMd.FlDataVersion;
            body.Version = found.Attributes.Version;
        }
    }

    /// <summary>What MDT_MD holds: a link target (the NUL is added by the caller), a file's layout, a directory's default
    /// layout, a directory's default LMV.</summary>
    private ReadOnlyMemory<byte> EaFor(in MdtBody asked, in MdtObject found, ReadOnlyMemory<byte> defaultLmv, out ObdMd valid)
    {
        valid = ObdMd.None;
        var attributes = found.Attributes;
        if (attributes.IsSymlink)
        {
            if ((asked.Valid & ObdMd.LinkName) == 0)
                return default;
            valid = ObdMd.LinkName;
            return found.Target;
        }
        if (attributes.IsDirectory)
            return DirectoryEaFor(asked, found, defaultLmv, out valid);
        if ((asked.Valid & ObdMd.FlEaSize) == 0 || asked.EaDataSize == 0 || found.Layout.IsEmpty)
            return default;
        valid = ObdMd.FlEaSize;
        NoteLayoutSize(found.Layout.Length);
        return found.Layout;
    }

    private ReadOnlyMemory<byte> DirectoryEaFor(
        in MdtBody asked, in MdtObject found, ReadOnlyMemory<byte> defaultLmv, out ObdMd valid)
    {
        valid = ObdMd.None;
        if ((asked.Valid & ObdMd.FlDirEa) == 0 || asked.EaDataSize == 0 || (asked.Valid & ObdMd.Mea) != 0)
            return default;
        if ((asked.Valid & ObdMd.DefaultMea) != 0)
        {
            if (!defaultLmv.IsEmpty)
                valid = ObdMd.FlDirEa | ObdMd.DefaultMea;
            return defaultLmv;
        }
        var layout = found.Layout;
        if (layout.IsEmpty && found.Fid == MdtFileSystem.Root)
            layout = _defaultUserLayout;
        if (!layout.IsEmpty)
            valid = ObdMd.FlDirEa;
        return layout;
    }

    /// <summary>The default LMV of a directory, read before the reply waits, if the request asks for it.</summary>
    private MdtXattrValue DefaultLmvFor(in MdtBody asked, in MdtObject found)
    {
        const ObdMd wanted = ObdMd.FlDirEa | ObdMd.DefaultMea;
        if (!found.Attributes.IsDirectory || (asked.Valid & wanted) != wanted)
            return default;
        lock (_store.Gate)
            return _fs.GetXattr(found.Fid, DefaultLmvName);
    }

    private static bool WantsAcl(RpcRequest request, ObdMd valid) =>
        (valid & ObdMd.FlAcl) != 0 && request.Export.Has(ConnectFlags.Acl);

    /// <summary>Bytes of the extended ACL, 0 = the mode says it all. E2BIG when the client cannot take so much.</summary>
    private static int AclLength(Export export, in MdtObject found)
    {
        int length = found.AccessAcl.Length;
        return length > SmallAcl && !export.Has(ConnectFlags.LargeAcl) ? throw new FsException(Errno.E2BIG) : length;
    }

    /// <summary>The ACL state is known (FLACL), the buffer was made of the right length.</summary>
    private static void PutAcl(RpcRequest request, ref MdtBody body, in MdtObject found, int buffer)
    {
        body.Valid |= ObdMd.FlAcl;
        body.AclSize = (uint)found.AccessAcl.Length;
        if (body.AclSize != 0)
            found.AccessAcl.Span.CopyTo(request.ReplyBuffer(buffer));
    }

    /// <summary><c>t_state</c>: a restore is under way (07 section 6.1).</summary>
    private void PutHsmState(ref MdtBody body, in MdtObject found)
    {
        if (found.Hsm.IsEmpty)
            return;
        body.Valid |= ObdMd.TState;
        body.TState = BodyWriter.IsReleased(found.Layout.Span) && _hsm.IsRestoring(found.Fid) ? 1u : 0u;
    }

    /// <summary>An ordinary reply with all buffers of its format, zeroed, and a negative status (05 section 1.5).</summary>
    private static void FailWithBuffers(RpcRequest request, int errno, params ReadOnlySpan<int> shape)
    {
        request.StartReply(shape);
        request.Status = -errno;
        request.Transno = 0;
    }
}
