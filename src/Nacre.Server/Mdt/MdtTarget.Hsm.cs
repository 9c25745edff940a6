using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Mdt.Hsm;

namespace Nacre.Server.Mdt;

/// <summary>The HSM RPCs (07 section 4); what they ask for is done by <see cref="HsmCoordinator"/>.</summary>
public sealed partial class MdtTarget
{
    private const int HsmStateSetBuffer = 3;
    private const int HsmRequestBuffer = 2;
    private const int HsmItems = 3;
    private const int HsmData = 4;
    private const int HsmProgressBuffer = 2;
    private const int HsmArchives = 2;

    private async ValueTask HsmStateGetAsync(RpcRequest request)
    {
        var fid = RequireFid(request.Get<MdtBody>(BufBody));
        var found = ObjectOrError(fid);
        await Settled(found.Transaction).ConfigureAwait(false);
        request.StartReply(MdtBody.Size, HsmUserState.Size);
        if (found.Hsm.Length != HsmAttrs.Size)
            return;
        var hsm = MemoryMarshal.Read<HsmAttrs>(found.Hsm.Span);
        ref var state = ref request.Reply<HsmUserState>(2);
        (state.States, state.ArchiveId) = (hsm.States, (uint)hsm.ArchiveId);
    }

    private async ValueTask HsmActionAsync(RpcRequest request)
    {
        var fid = RequireFid(request.Get<MdtBody>(BufBody));
        await Settled(ObjectOrError(fid).Transaction).ConfigureAwait(false);
        request.StartReply(MdtBody.Size, HsmCurrentAction.Size);
        request.Reply<HsmCurrentAction>(2) = _hsm.CurrentAction(fid);
    }

    private async ValueTask HsmStateSetAsync(RpcRequest request)
    {
        var body = request.Get<MdtBody>(BufBody);
        var wanted = request.Get<HsmStateSet>(HsmStateSetBuffer);
        var fid = RequireFid(body);
        RequireWritable(request.Export);
        bool manyArchives = request.Export.Has(ConnectFlags2.ArchiveIdArray);
        if ((wanted.Valid & HsmStateSetValid.ArchiveId) != 0 && !manyArchives && wanted.ArchiveId > 32)
            throw new FsException(Errno.EINVAL);
        MdtResult result;
        using (await LockAsync(request, fid, LockMode.PW, InodeBits.Lookup | InodeBits.Xattr).ConfigureAwait(false))
        {
            lock (_store.Gate)
                result = _fs.SetHsmState(Caller(request, body), fid, wanted);
        }
        await Settled(result.Transaction).ConfigureAwait(false);
        request.StartReply();
        Record(request, result);
    }

    private async ValueTask HsmRequestAsync(RpcRequest request)
    {
        var asked = request.Get<HsmRequest>(HsmRequestBuffer);
        var files = FilesIn(request, asked);
        if (asked.Action is not (HsmUserAction.Archive or HsmUserAction.Restore or HsmUserAction.Remove or HsmUserAction.Cancel))
            throw new FsException(Errno.EINVAL);
        if (asked.Action != HsmUserAction.Restore)
            RequireWritable(request.Export);
        var wish = new HsmCoordinator.Wish(
            Caller(request, request.Get<MdtBody>(BufBody)), asked.Action, asked.ArchiveId, asked.Flags, BytesIn(request, HsmData).ToArray());
        await _hsm.QueueAsync(wish, files, request.Aborted).ConfigureAwait(false);
        request.StartReply();
    }

    /// <summary>The files of a request, each once, checked as 07 section 4.4 says.</summary>
    private static List<LuFid> FilesIn(RpcRequest request, in HsmRequest asked)
    {
        if (request.BufferCount <= HsmData)
            throw new FsException(Errno.EPROTO);
        var buffer = BytesIn(request, HsmItems);
        if ((ulong)asked.ItemCount * HsmUserItem.Size > (ulong)buffer.Length || asked.DataLength != BytesIn(request, HsmData).Length)
            throw new FsException(Errno.EPROTO);
        var items = MemoryMarshal.Cast<byte, HsmUserItem>(buffer)[..(int)asked.ItemCount];
        var files = new List<LuFid>(items.Length);
        var seen = new HashSet<LuFid>(items.Length);
        foreach (ref readonly var item in items)
        {
            if (asked.Action == HsmUserAction.Restore && item.Extent.Offset != 0)
                throw new FsException(Errno.EPROTO);
            if (item.Fid.IsZero)
                throw new FsException(Errno.EINVAL);
            if (seen.Add(item.Fid))
                files.Add(item.Fid);
        }
        return files;
    }

    private async ValueTask HsmProgressAsync(RpcRequest request)
    {
        RequireAdministrator(request);
        var result = await _hsm.ReportAsync(request.Get<HsmProgressKernel>(HsmProgressBuffer), request.Aborted).ConfigureAwait(false);
        request.StartReply();
        Record(request, result);
    }

    private ValueTask HsmRegisterAsync(RpcRequest request)
    {
        RequireAdministrator(request);
        _hsm.Register(request.Export, ArchivesIn(request));
        request.StartReply();
        return ValueTask.CompletedTask;
    }

    private ValueTask HsmUnregisterAsync(RpcRequest request)
    {
        RequireAdministrator(request);
        if (!_hsm.Unregister(request.Export))
            throw new FsException(Errno.ENOENT);
        request.StartReply();
        return ValueTask.CompletedTask;
    }

    /// <summary>Archive ids: an array, or one mask of the ids 1 to 32 from clients without ARCHIVE_ID_ARRAY. Null for all.</summary>
    private static HashSet<uint>? ArchivesIn(RpcRequest request)
    {
        var buffer = BytesIn(request, HsmArchives);
        if (buffer.Length < sizeof(uint) || buffer.Length % sizeof(uint) != 0)
            throw new FsException(Errno.EPROTO);
        var words = MemoryMarshal.Cast<byte, uint>(buffer);
        if (request.Export.Has(ConnectFlags2.ArchiveIdArray))
            return words is [0] ? null : [.. words];
        uint mask = words[0];
        return mask == 0 ? null : [.. Enumerable.Range(0, 32).Where(bit => (mask >> bit & 1) != 0).Select(bit => (uint)bit + 1)];
    }

    private void RequireAdministrator(RpcRequest request)
    {
        if (!Caller(request, request.Get<MdtBody>(BufBody)).Has(Capabilities.SysAdmin))
            throw new FsException(Errno.EPERM);
    }
}
