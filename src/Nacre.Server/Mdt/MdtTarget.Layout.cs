using System.Runtime.CompilerServices;
using Nacre.Ldlm;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Mdt.Layouts;

namespace Nacre.Server.Mdt;

/// <summary>Making, giving out and exchanging layouts (05 sections 6.8, 7.3, 3.7, 11.7). A layout changes only under an EX
/// LAYOUT lock, and a client gets one only together with a lock that was granted before it was read.</summary>
public sealed partial class MdtTarget
{
    /// <summary>The file system's default as a lov_user_md, for getstripe of the root.</summary>
    private readonly byte[] _defaultUserLayout;

    /// <summary><see cref="LayoutOfAsync"/>, made once.</summary>
    private readonly Func<LdlmResId, ValueTask<ReadOnlyMemory<byte>>> _layoutOf;

    /// <summary>Makes the EA of a new layout with its first objects. Under the gate; the caller stores it.</summary>
    /// <param name="file">The file.</param>
    /// <param name="parent">Its directory if known: its default counts.</param>
    /// <param name="request">What the client asked for, or null.</param>
    /// <param name="append">Created for appending: one stripe unless the client asked for something.</param>
    /// <param name="size">Size in bytes of a file that has one already: the component of its last byte gets objects too.</param>
    private byte[] NewLayout(LuFid file, LuFid parent, LovLayout? request, bool append, ulong size = 0)
    {
        var template = request == null && append
            ? LayoutTemplates.Resolve(LayoutDefaults.OneStripe, null, null, _options.DefaultLayout)
            : LayoutTemplates.Resolve(request, DefaultOf(parent), DefaultOf(MdtFileSystem.Root), _options.DefaultLayout);
        var layout = _layouts.Create(template, file);
        if (size > 0)
            layout = _layouts.Instantiate(layout, file, size - 1, size) ?? layout;
        var ea = LovCodec.Encode(layout);
        NoteLayoutSize(ea.Length);
        return ea;
    }

    /// <summary>The default a directory has of its own. One naming an OST that is gone is as good as none.</summary>
    private LovLayout? DefaultOf(LuFid directory)
    {
        if (!_fs.TryGetAttr(directory, out var found) || !found.Attributes.IsDirectory || found.Layout.IsEmpty)
            return null;
        try
        {
            return LayoutValidator.ParseUserLayout(found.Layout.Span, _allocator.Exists);
        }
        catch (FsException)
        {
            return null;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask IntentLayoutAsync(RpcRequest request)
    {
        var intent = request.Get<LayoutIntent>(IntentRecord);
        var fid = request.Get<LdlmRequest>(1).LockDesc.Resource.Name.ToFid();
        switch (intent.Op)
        {
            case LayoutIntentOp.Access:
                await AccessLayoutAsync(request, fid).ConfigureAwait(false);
                return;
            case LayoutIntentOp.Write or LayoutIntentOp.Trunc:
                await InstantiateAsync(request, fid, intent).ConfigureAwait(false);
                return;
            case LayoutIntentOp.Read or LayoutIntentOp.Glimpse or LayoutIntentOp.Release or LayoutIntentOp.Restore:
                throw new RpcException(Errno.ENOTSUPP);
            default:
                throw new RpcException(Errno.EINVAL);
        }
    }

    /// <summary>
    /// The lock as asked for, and with it the layout. A client for which it is not free waits for a CP AST and not in here: a
    /// restore keeps the layout for hours (07 section 6.3).
    /// </summary>
    private async ValueTask AccessLayoutAsync(RpcRequest request, LuFid fid)
    {
        RequireRegular(fid);
        await _locks.EnqueuePlainAsync(request, _layoutOf).ConfigureAwait(false);
        request.Reply<LdlmReply>(IntentReply).LockPolicyRes1 = (ulong)Disp.Execd;
    }

    /// <summary>The layout to hand out under a granted lock; empty for a file that has none or that is gone.</summary>
    private async ValueTask<ReadOnlyMemory<byte>> LayoutOfAsync(LdlmResId resource)
    {
        MdtObject found;
        ulong seen;
        lock (_store.Gate)
            seen = _fs.TryGetAttr(resource.ToFid(), out found) ? found.Transaction : _store.PendingTransaction;
        await Settled(seen).ConfigureAwait(false);
        NoteLayoutSize(found.Layout.Length);
        return found.Layout;
    }

    private async ValueTask InstantiateAsync(RpcRequest request, LuFid fid, LayoutIntent intent)
    {
        const InodeBits bits = InodeBits.Layout | InodeBits.Update;
        if (!NeedsObjects(fid, intent))
        {
            await ReplyLayoutAsync(request, fid, bits).ConfigureAwait(false);
            return;
        }
        RequireWritable(request.Export);
        using var held = await LockAsync(request, fid, LockMode.EX, bits).ConfigureAwait(false);
        MdtResult? change = null;
        for (int attempt = 0; change == null; attempt++)
        {
            if (attempt == MaxRetries)
                throw new FsException(Errno.EAGAIN);
            using var made = await PrepareLayoutAsync(request, fid, default, null).ConfigureAwait(false);
            lock (_store.Gate)
                change = Instantiate(fid, intent, made);
        }
        // The client gets the server's own lock, made weaker: there is no moment in which the new layout could change again.
        var granted = _locks.HandToClient(held, request, LockMode.CR, bits);
        await ReplyLayoutAsync(request, fid, granted, change.Value).ConfigureAwait(false);
    }

    private MdtObject RequireRegular(LuFid fid)
    {
        var found = ObjectOrError(fid);
        return found.Attributes.IsRegular ? found : throw new RpcException(Errno.EINVAL);
    }

    private bool NeedsObjects(LuFid fid, in LayoutIntent intent)
    {
        var stored = RequireRegular(fid).Layout.Span;
        if (stored.IsEmpty)
            return true;
        // The data of a released file has to come back first; its client asks for that by itself.
        if (BodyWriter.IsReleased(stored))
            return false;
        var layout = DecodeStored(stored);
        var (start, end) = ExtentOf(intent);
        return layout.IsComposite && layout.Components.Exists(c => !c.IsInstantiated && c.Intersects(start, end));
    }

    /// <summary>Null when the file got another size since its objects were made.</summary>
    private MdtResult? Instantiate(LuFid fid, in LayoutIntent intent, SizedLayout? made)
    {
        var found = _fs.GetAttr(fid);
        if (!Fits(made, found))
            return null;
        var stored = found.Layout.Span;
        if (stored.IsEmpty)
            return StoreLayout(fid, default, null, made);
        if (BodyWriter.IsReleased(stored))
            return default(MdtResult);
        var (start, end) = ExtentOf(intent);
        var changed = _layouts.Instantiate(DecodeStored(stored), fid, start, end);
        return changed == null ? default(MdtResult) : _fs.SetLayout(fid, LovCodec.Encode(changed));
    }

    /// <summary>An empty extent (a truncate to a border) still means the byte at its start.</summary>
    private static (ulong Start, ulong End) ExtentOf(in LayoutIntent intent) =>
        (intent.Start, intent.End > intent.Start ? intent.End : intent.Start == Lov.Eof ? Lov.Eof : intent.Start + 1);

    /// <summary>A layout this server has stored is well-formed; EIO says the store is damaged.</summary>
    private static LovLayout DecodeStored(ReadOnlySpan<byte> ea) =>
        LovCodec.TryDecode(ea, userForm: false, out var layout) ? layout : throw new RpcException(Errno.EIO);

    /// <summary>Gives the client a CR lock and the layout read under it.</summary>
    private async ValueTask ReplyLayoutAsync(RpcRequest request, LuFid fid, InodeBits bits)
    {
        RequireRegular(fid);
        var granted = await GrantAsync(request, fid, LockMode.CR, bits, InodeBits.None).ConfigureAwait(false);
        await ReplyLayoutAsync(request, fid, granted, default).ConfigureAwait(false);
    }

    private async ValueTask ReplyLayoutAsync(RpcRequest request, LuFid fid, ClientLock granted, MdtResult change)
    {
        MdtObject found;
        ulong seen;
        lock (_store.Gate)
            seen = _fs.TryGetAttr(fid, out found) ? found.Transaction : _store.PendingTransaction;
        await Settled(Math.Max(seen, change.Transaction)).ConfigureAwait(false);
        request.StartReply(LdlmReply.Size, found.Layout.Length);
        found.Layout.Span.CopyTo(request.ReplyBuffer(2));
        NoteLayoutSize(found.Layout.Length);
        ref var reply = ref request.Reply<LdlmReply>(IntentReply);
        reply.LockPolicyRes1 = (ulong)Disp.Execd;
        LdlmNamespace.FillReply(request, ref reply, granted);
        Record(request, change);
    }

    /// <summary>setxattr of lustre.lov: the same as setstripe. A file that has a layout keeps it.</summary>
    private async ValueTask SetLayoutXattrAsync(RpcRequest request, MdtRecSetxattr record)
    {
        MdtResult? result = null;
        using (await LockAsync(request, record.Fid, LockMode.EX, InodeBits.Layout | InodeBits.Xattr).ConfigureAwait(false))
        {
            for (int attempt = 0; result == null && attempt < MaxRetries; attempt++)
            {
                var wish = LayoutValidator.ParseUserLayout(BytesIn(request, XattrValue), _allocator.Exists);
                RequireMayWrite(request, record.Fid);
                using var made = await PrepareLayoutAsync(request, record.Fid, default, wish).ConfigureAwait(false);
                result = SetLayoutXattr(request, record, made);
            }
        }
        var done = result ?? throw new FsException(Errno.EAGAIN);
        await FinishReintAsync(request, ReintOp.SetXattr, done with { Object = default }).ConfigureAwait(false);
    }

    /// <summary>Nobody makes objects of a file he may not write.</summary>
    private void RequireMayWrite(RpcRequest request, LuFid fid)
    {
        var who = Caller(request, request.Get<MdtRecReint>(BufRecord));
        lock (_store.Gate)
        {
            if (IsSizedWithoutLayout(_fs.GetAttr(fid)))
                _fs.CheckAccess(who, fid, 2);
        }
    }

    /// <summary>Null when the file got another size since its objects were made.</summary>
    private MdtResult? SetLayoutXattr(RpcRequest request, in MdtRecSetxattr record, SizedLayout? made)
    {
        var ea = BytesIn(request, XattrValue);
        var wish = LayoutValidator.ParseUserLayout(ea, _allocator.Exists);
        var who = Caller(request, request.Get<MdtRecReint>(BufRecord));
        lock (_store.Gate)
        {
            var found = _fs.GetAttr(record.Fid);
            if (found.Attributes.IsDirectory)
            {
                var stored = LayoutValidator.IsDeleteDefault(wish) ? default : ea[..LayoutValidator.UserLayoutLength(ea, wish)];
                return _fs.SetDefaultLayout(who, record.Fid, stored, record.Time);
            }
            if (!found.Attributes.IsRegular)
                throw new FsException(Errno.EINVAL);
            if (!Fits(made, found))
                return null;
            if (!found.Layout.IsEmpty)
                return default(MdtResult);
            _fs.CheckAccess(who, record.Fid, 2);
            return StoreLayout(record.Fid, default, wish, made);
        }
    }

    /// <summary>MDS_SWAP_LAYOUTS: two regular files exchange their data (05 section 3.7).</summary>
    private async ValueTask SwapLayoutsAsync(RpcRequest request)
    {
        var asked = request.Get<MdtBody>(BufBody);
        _locks.CancelEarly(request, 5);
        RequireWritable(request.Export);
        if (!request.Export.Has(ConnectFlags.Layoutlock))
            throw new FsException(Errno.EOPNOTSUPP);
        var first = RequireFid(asked);
        if (first == asked.Fid2)
        {
            request.StartReply();
            return;
        }
        var (low, high) = Ordered(first, asked.Fid2);
        const InodeBits bits = InodeBits.Layout | InodeBits.Xattr;
        MdtResult result;
        using (await LockAsync(request, low, LockMode.EX, bits).ConfigureAwait(false))
        using (await LockAsync(request, high, LockMode.EX, bits).ConfigureAwait(false))
        {
            lock (_store.Gate)
                result = SwapLayouts(Caller(request, asked), low, high);
        }
        await Settled(result.Transaction).ConfigureAwait(false);
        request.StartReply();
        Record(request, result);
    }

    private MdtResult SwapLayouts(in MdtCredentials who, LuFid one, LuFid other)
    {
        var (a, b) = (_fs.GetAttr(one), _fs.GetAttr(other));
        if (!a.Attributes.IsRegular || !b.Attributes.IsRegular)
            throw new FsException(Errno.EINVAL);
        _fs.CheckAccess(who, one, 2);
        _fs.CheckAccess(who, other, 2);
        uint generation = Math.Max(GenerationOf(a), GenerationOf(b)) + 1;
        var toOne = Moved(b.Layout.Span, one, generation);
        var toOther = Moved(a.Layout.Span, other, generation);
        var first = _fs.SetLayout(one, toOne);
        var second = _fs.SetLayout(other, toOther);
        return second with { Transaction = Math.Max(first.Transaction, second.Transaction) };
    }

    private static uint GenerationOf(in MdtObject file) =>
        file.Layout.IsEmpty ? 0 : DecodeStored(file.Layout.Span).EffectiveGeneration;

    /// <summary>A layout in the hands of another file.</summary>
    private static byte[] Moved(ReadOnlySpan<byte> ea, LuFid owner, uint generation) =>
        ea.IsEmpty ? [] : MdtFileSystem.Owned(DecodeStored(ea), owner, generation);
}
