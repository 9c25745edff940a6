using System.Runtime.CompilerServices;
using Nacre.Client.Vfs;
using Nacre.Fuse.Protocol;

namespace Nacre.Fuse.Session;

/// <summary>Requests about attributes.</summary>
internal sealed partial class FuseSession
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask GetAttributesAsync(FuseRequest request)
    {
        var get = Body<GetAttributesRequest>(request);
        var file = (get.Flags & RequestFlags.GetAttributesHandle) != 0 ? _files.Find(get.Handle) : null;
        var current = await _vfs.GetAttributesAsync(request.Entry.Node, file, request.Cancelled).ConfigureAwait(false);
        ReplyAttributes(request, current);
    }

    /// <summary>Asked only for what stat(2) does not tell: the time of birth.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask StatxAsync(FuseRequest request)
    {
        var get = Body<StatxRequest>(request);
        var file = (get.GetAttributesFlags & RequestFlags.GetAttributesHandle) != 0 ? _files.Find(get.Handle) : null;
        var current = await _vfs.GetAttributesAsync(request.Entry.Node, file, request.Cancelled).ConfigureAwait(false);
        if (!current.IsOk)
        {
            ReplyError(request, current.Errno);
            return;
        }

        var reply = Validity.ToStatx(current.Value);
        reply.Valid = PromiseAttributes(request, request.Entry, reply.Mode, current.Value.MayBeCached);
        Reply(request, in reply);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SetAttributesAsync(FuseRequest request)
    {
        var set = Body<SetAttributesRequest>(request);
        var file = set.Valid.HasFlag(SetAttributesValid.Handle) ? _files.Find(set.Handle) : null;
        var change = Change(in set, request.Entry.Node.FileType);
        var current = await _vfs.SetAttributesAsync(
            request.Entry.Node, file, change, Who(request), request.Cancelled).ConfigureAwait(false);
        // The kernel takes the answer of a SETATTR over without looking whether they were called back meanwhile: another client may have changed the size.
        bool mayBeCached = (change.Fields & AttributeFields.Size) == 0;
        ReplyAttributes(request, current.IsOk ? current.Value with { MayBeCached = current.Value.MayBeCached && mayBeCached } : current);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask StatFsAsync(FuseRequest request)
    {
        var status = await _vfs.GetStatusAsync(request.Cancelled).ConfigureAwait(false);
        if (!status.IsOk)
        {
            ReplyError(request, status.Errno);
            return;
        }

        Reply(request, ToWire(status.Value));
    }

    private void ReplyAttributes(FuseRequest request, in Outcome<CurrentAttributes> outcome)
    {
        if (!outcome.IsOk)
        {
            ReplyError(request, outcome.Errno);
            return;
        }

        var current = outcome.Value;
        var reply = new AttributesReply
        {
            Valid = PromiseAttributes(request, request.Entry, current.Attributes.Mode, current.MayBeCached),
            Attributes = Validity.ToWire(current.Attributes),
        };
        Reply(request, in reply);
    }

    private static AttributeChange Change(in SetAttributesRequest set, uint fileType)
    {
        const uint directory = 0x4000;
        var valid = set.Valid;
        var fields = Field(valid, SetAttributesValid.Mode, AttributeFields.Mode)
            | Field(valid, SetAttributesValid.Uid, AttributeFields.Uid)
            | Field(valid, SetAttributesValid.Gid, AttributeFields.Gid)
            | Field(valid, SetAttributesValid.Size, AttributeFields.Size)
            | Field(valid, SetAttributesValid.ChangeTime, AttributeFields.ChangeTime)
            | Field(valid, SetAttributesValid.KillSuidSgid, AttributeFields.KillPrivileges);
        // "Now" comes with the time itself, which is the client's.
        fields |= valid.HasFlag(SetAttributesValid.AccessTimeNow)
            ? AttributeFields.AccessTimeNow
            : Field(valid, SetAttributesValid.AccessTime, AttributeFields.AccessTime);
        fields |= valid.HasFlag(SetAttributesValid.ModifyTimeNow)
            ? AttributeFields.ModifyTimeNow
            : Field(valid, SetAttributesValid.ModifyTime, AttributeFields.ModifyTime);
        // HANDLE_KILLPRIV_V2 leaves it to the file system that chown takes the bits, without saying so each time.
        bool changesOwner = (valid & (SetAttributesValid.Uid | SetAttributesValid.Gid)) != 0;
        if (changesOwner && fileType != directory) fields |= AttributeFields.KillPrivileges;
        return new AttributeChange(fields)
        {
            Mode = set.Mode & 0xFFF,
            Uid = set.Uid,
            Gid = set.Gid,
            Size = (long)set.FileSize,
            AccessTime = new Timestamp((long)set.AccessTime, set.AccessTimeNanoseconds),
            ModifyTime = new Timestamp((long)set.ModifyTime, set.ModifyTimeNanoseconds),
            ChangeTime = new Timestamp((long)set.ChangeTime, set.ChangeTimeNanoseconds),
        };
    }

    private static AttributeFields Field(SetAttributesValid valid, SetAttributesValid bit, AttributeFields field) =>
        (valid & bit) != 0 ? field : AttributeFields.None;

    private static StatFsReply ToWire(in FileSystemStatus status) => new()
    {
        Blocks = status.Blocks,
        FreeBlocks = status.FreeBlocks,
        AvailableBlocks = status.AvailableBlocks,
        Files = status.Files,
        FreeFiles = status.FreeFiles,
        BlockSize = status.BlockSize,
        FragmentSize = status.BlockSize,
        NameLength = status.NameLength,
    };
}
