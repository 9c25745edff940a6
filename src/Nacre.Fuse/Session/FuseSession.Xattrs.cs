using System.Runtime.CompilerServices;
using Nacre.Client.Vfs;
using Nacre.Fuse.Protocol;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Session;

/// <summary>Extended attributes, POSIX ACLs among them.</summary>
internal sealed partial class FuseSession
{
    private const uint SetGroupId = 0x400;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SetXattrAsync(FuseRequest request)
    {
        bool extended = _flags.HasFlag(InitFlags.SetXattrExtended);
        var set = extended ? Body<SetXattrRequest>(request) : FromOld(Body<ulong>(request));
        int next = extended ? SetXattrRequest.Size : SetXattrRequest.OldSize;
        var name = Name(request, ref next);
        if (set.ValueLength > request.Body.Length - next)
        {
            ReplyError(request, Errno.EINVAL);
            return;
        }

        var done = await _vfs.SetXattrAsync(
            request.Entry.Node, name, request.Body.Slice(next, (int)set.ValueLength), set.Flags, Who(request), request.Cancelled)
            .ConfigureAwait(false);
        if (done.IsOk && (set.SetXattrFlags & RequestFlags.SetXattrKillSgid) != 0)
        {
            done = await ClearSetGroupIdAsync(request).ConfigureAwait(false);
        }

        ReplyDone(request, done);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask GetXattrAsync(FuseRequest request)
    {
        uint room = Body<XattrLength>(request).Length;
        var value = await _vfs.GetXattrAsync(
            request.Entry.Node, Name(request, XattrLength.Size), Who(request), request.Cancelled).ConfigureAwait(false);
        ReplyXattr(request, value, room);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ListXattrsAsync(FuseRequest request)
    {
        uint room = Body<XattrLength>(request).Length;
        var names = await _vfs.ListXattrsAsync(request.Entry.Node, Who(request), request.Cancelled).ConfigureAwait(false);
        ReplyXattr(request, names, room);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask RemoveXattrAsync(FuseRequest request) => ReplyDone(request, await _vfs.RemoveXattrAsync(
        request.Entry.Node, Name(request), Who(request), request.Cancelled).ConfigureAwait(false));

    /// <summary>The value, or its length where the caller has no room at all.</summary>
    private void ReplyXattr(FuseRequest request, in Outcome<ReadOnlyMemory<byte>> value, uint room)
    {
        if (!value.IsOk) ReplyError(request, value.Errno);
        else if (room == 0) Reply(request, new XattrLength { Length = (uint)value.Value.Length });
        else if (value.Value.Length > room) ReplyError(request, Errno.ERANGE);
        else Reply(request, value.Value.Span);
    }

    /// <summary>An access ACL set by somebody outside the file's group takes the setgid bit.</summary>
    private async ValueTask<Outcome<Done>> ClearSetGroupIdAsync(FuseRequest request)
    {
        var node = request.Entry.Node;
        var current = await _vfs.GetAttributesAsync(node, null, request.Cancelled).ConfigureAwait(false);
        if (!current.IsOk) return new Failure(current.Errno);
        uint mode = current.Value.Attributes.Mode;
        if ((mode & SetGroupId) == 0) return default(Done);
        var change = new AttributeChange(AttributeFields.Mode) { Mode = mode & 0xFFF & ~SetGroupId };
        var done = await _vfs.SetAttributesAsync(node, null, change, Who(request), request.Cancelled).ConfigureAwait(false);
        return done.IsOk ? default(Done) : new Failure(done.Errno);
    }

    private static SetXattrRequest FromOld(ulong body) => new() { ValueLength = (uint)body, Flags = (int)(body >> 32) };
}
