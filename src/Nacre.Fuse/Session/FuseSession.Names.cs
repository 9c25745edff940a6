using System.Runtime.CompilerServices;
using Nacre.Client.Vfs;
using Nacre.Fuse.Cache;
using Nacre.Fuse.Protocol;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Session;

/// <summary>Requests that look names up, make, move and remove them.</summary>
internal sealed partial class FuseSession
{
    /// <summary>RENAME_NOREPLACE, RENAME_EXCHANGE.</summary>
    private const uint RenameFlags = 3;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask LookupAsync(FuseRequest request)
    {
        var name = Name(request);
        // "." and ".." are only looked up for file handles (NFS export, open_by_handle_at).
        if (name.Span.SequenceEqual("."u8))
        {
            await LookupSelfAsync(request).ConfigureAwait(false);
            return;
        }

        var directory = request.Entry.Node;
        var found = name.Span.SequenceEqual(".."u8)
            ? await _vfs.LookupParentAsync(directory, Who(request), request.Cancelled).ConfigureAwait(false)
            : await _vfs.LookupAsync(directory, name, Who(request), request.Cancelled).ConfigureAwait(false);
        ReplyEntry(request, name, found);
    }

    private async ValueTask LookupSelfAsync(FuseRequest request)
    {
        var current = await _vfs.GetAttributesAsync(request.Entry.Node, null, request.Cancelled).ConfigureAwait(false);
        if (!current.IsOk)
        {
            ReplyError(request, current.Errno);
            return;
        }

        // The reference this node has serves one more lookup.
        var entry = _nodes.Add(request.Entry.Node, references: 0);
        var reply = Promise(request, entry, current.Value.Attributes, current.Value.MayBeCached);
        if (!Reply(request, in reply)) Forget(entry.Id, 1);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask MakeNodeAsync(FuseRequest request)
    {
        var make = Body<MakeNodeRequest>(request);
        var name = Name(request, MakeNodeRequest.Size);
        var made = await _vfs.MakeNodeAsync(
            request.Entry.Node, name, make.Mode, make.Umask, make.Device, Who(request), request.Cancelled).ConfigureAwait(false);
        ReplyEntry(request, name, made);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask MakeDirectoryAsync(FuseRequest request)
    {
        var make = Body<MakeDirectoryRequest>(request);
        var name = Name(request, MakeDirectoryRequest.Size);
        var made = await _vfs.MakeDirectoryAsync(
            request.Entry.Node, name, make.Mode, make.Umask, Who(request), request.Cancelled).ConfigureAwait(false);
        ReplyEntry(request, name, made);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SymlinkAsync(FuseRequest request)
    {
        int next = 0;
        var name = Name(request, ref next);
        var target = Text(request, ref next);
        var made = await _vfs.MakeSymlinkAsync(request.Entry.Node, name, target, Who(request), request.Cancelled).ConfigureAwait(false);
        ReplyEntry(request, name, made);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask LinkAsync(FuseRequest request)
    {
        var name = Name(request, sizeof(ulong));
        if (_nodes.Find(Body<ulong>(request)) is not { } old)
        {
            ReplyError(request, Errno.ESTALE);
            return;
        }

        var made = await _vfs.LinkAsync(old.Node, request.Entry.Node, name, Who(request), request.Cancelled).ConfigureAwait(false);
        ReplyEntry(request, name, made);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask UnlinkAsync(FuseRequest request) => ReplyDone(request, await _vfs.UnlinkAsync(
        request.Entry.Node, Name(request), Who(request), request.Cancelled).ConfigureAwait(false));

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask RemoveDirectoryAsync(FuseRequest request) => ReplyDone(request, await _vfs.RemoveDirectoryAsync(
        request.Entry.Node, Name(request), Who(request), request.Cancelled).ConfigureAwait(false));

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask RenameAsync(FuseRequest request)
    {
        bool hasFlags = request.Header.Opcode == FuseOpcode.Rename2;
        uint flags = hasFlags ? Body<RenameRequest>(request).Flags : 0;
        int next = hasFlags ? RenameRequest.Size : RenameRequest.OldSize;
        var from = Name(request, ref next);
        var to = Name(request, ref next);
        if ((flags & ~RenameFlags) != 0)
        {
            // RENAME_WHITEOUT is for overlay file systems alone.
            ReplyError(request, Errno.EINVAL);
            return;
        }

        ulong newDirectory = Body<ulong>(request);
        request.SecondName = DropLog.Hash(to.Span);
        request.SecondNodeId = newDirectory;
        if (_nodes.Find(newDirectory) is not { } target)
        {
            ReplyError(request, Errno.ESTALE);
            return;
        }

        ReplyDone(request, await _vfs.RenameAsync(
            request.Entry.Node, from, target.Node, to, flags, Who(request), request.Cancelled).ConfigureAwait(false));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReadLinkAsync(FuseRequest request)
    {
        var target = await _vfs.ReadLinkAsync(request.Entry.Node, Who(request), request.Cancelled).ConfigureAwait(false);
        if (target.IsOk) Reply(request, target.Value.Span);
        else ReplyError(request, target.Errno);
    }

    private void ReplyDone(FuseRequest request, Outcome<Done> outcome)
    {
        if (outcome.IsOk) ReplyDone(request);
        else ReplyError(request, outcome.Errno);
    }

    private void ReplyEntry(FuseRequest request, ReadOnlyMemory<byte> name, in Outcome<Entry> outcome)
    {
        if (!outcome.IsOk)
        {
            ReplyError(request, outcome.Errno);
            return;
        }

        var reply = TakeEntry(request, request.Entry, name.Span, outcome.Value);
        if (reply.NodeId == 0 && reply.EntryValid == 0) ReplyError(request, Errno.ENOENT);
        else if (!Reply(request, in reply) && reply.NodeId != 0) Forget(reply.NodeId, 1);
    }

    /// <summary>
    /// Enters the node into the table, which takes over the entry's reference, and says what the kernel may cache.
    /// </summary>
    private EntryReply TakeEntry(FuseRequest request, NodeEntry directory, ReadOnlySpan<byte> name, in Entry found)
    {
        var reply = default(EntryReply);
        if (found.Node is not null)
        {
            reply = Promise(request, _nodes.Add(found.Node), found.Attributes, found.AttributesMayBeCached);
            _bound.Enforce();
        }

        if (found.NameMayBeCached) reply.EntryValid = PromiseName(request, directory, name);
        return reply;
    }

    private ulong PromiseName(FuseRequest request, NodeEntry directory, ReadOnlySpan<byte> name)
    {
        long now = Environment.TickCount64;
        if (directory.BusyUntil > now) return 0;
        // First said, then looked whether it still holds: a drop looks the other way round.
        directory.LastPromise = now;
        return Validity.Of(_drops.MayPromise(request.DropsAtStart, directory.Node, DropLog.Hash(name)));
    }

    private EntryReply Promise(FuseRequest request, NodeEntry entry, in Attributes attributes, bool mayBeCached) => new()
    {
        NodeId = entry.Id,
        Generation = entry.Generation,
        AttributesValid = PromiseAttributes(request, entry, attributes.Mode, mayBeCached),
        Attributes = Validity.ToWire(in attributes),
    };

    /// <summary>
    /// Whether the kernel by itself disregards attributes in the answer when it was notified after the request: no drop need be repeated for these. It
    /// must not be either, as it makes the kernel disregard a later answer, and with it a new size.
    /// </summary>
    private static bool IsDatedByKernel(FuseOpcode opcode) =>
        opcode is FuseOpcode.GetAttributes or FuseOpcode.Lookup or FuseOpcode.ReadDirectoryPlus;

    private ulong PromiseAttributes(FuseRequest request, NodeEntry entry, uint mode, bool mayBeCached)
    {
        entry.Mode = mode;
        if (!mayBeCached) return 0;
        if (!IsDatedByKernel(request.Header.Opcode)) entry.LastPromise = Environment.TickCount64;
        entry.PromiseAttributes();
        return Validity.Of(_drops.MayPromise(request.DropsAtStart, entry.Node, DropLog.Attributes));
    }
}
