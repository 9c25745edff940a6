using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Tests.MdtService;

/// <summary>An action as a copytool is told of it.</summary>
internal sealed record ToldAction(HsmActionItem Item, uint ArchiveId, string FileSystem, byte[] Data);

internal sealed partial class ScriptedClient
{
    /// <summary>What the server has told this client's copytool, in order.</summary>
    public ConcurrentQueue<ToldAction> Told { get; } = [];

    /// <summary>What the client answers to a list of actions: 0, or a negative errno.</summary>
    public int CopytoolAnswer { get; set; }

    public async Task<HsmUserState> HsmStateAsync(LuFid fid)
    {
        var answer = await SendAsync(Opcode.MdsHsmStateGet, Portal.MdsRequest, [Bytes(Ask(fid, ObdMd.None)), []]);
        Assert.Equal(0, answer.Status);
        return answer.Get<HsmUserState>(2);
    }

    public async Task<int> SetHsmStateAsync(LuFid fid, HsmStates set, HsmStates clear = HsmStates.None, uint? archive = null)
    {
        var wanted = new HsmStateSet
        {
            Valid = HsmStateSetValid.SetMask | HsmStateSetValid.ClearMask | (archive is null ? 0 : HsmStateSetValid.ArchiveId),
            ArchiveId = archive ?? 0,
            SetMask = (ulong)set,
            ClearMask = (ulong)clear,
        };
        return (await SendAsync(Opcode.MdsHsmStateSet, Portal.MdsRequest, [Bytes(Ask(fid, ObdMd.None)), [], Bytes(wanted)])).Status;
    }

    public async Task<HsmCurrentAction> HsmActionAsync(LuFid fid)
    {
        var answer = await SendAsync(Opcode.MdsHsmAction, Portal.MdsRequest, [Bytes(Ask(fid, ObdMd.None)), []]);
        Assert.Equal(0, answer.Status);
        return answer.Get<HsmCurrentAction>(2);
    }

    public Task<RpcAnswer> HsmRequestAsync(HsmUserAction action, params LuFid[] files) => HsmRequestAsync(action, 0, [], files);

    public Task<RpcAnswer> HsmRequestAsync(
        HsmUserAction action, uint archive, byte[] data, LuFid[] files, HsmRequestFlags flags = HsmRequestFlags.None)
    {
        var head = new HsmRequest
        {
            Action = action,
            ArchiveId = archive,
            Flags = flags,
            ItemCount = (uint)files.Length,
            DataLength = (uint)data.Length,
        };
        var items = files.Select(static fid => new HsmUserItem { Fid = fid, Extent = HsmExtent.Whole }).ToArray();
        return SendAsync(Opcode.MdsHsmRequest, Portal.MdsRequest, [
            Bytes(Ask(default, ObdMd.None) with { Valid = ObdMd.None }), Bytes(head), MemoryMarshal.AsBytes<HsmUserItem>(items).ToArray(), data]);
    }

    public async Task<int> RegisterCopytoolAsync(params uint[] archives) =>
        (await SendAsync(Opcode.MdsHsmCtRegister, Portal.MdsRequest, [
            Bytes(Ask(default, ObdMd.None)), MemoryMarshal.AsBytes<uint>(archives.Length == 0 ? [0u] : archives).ToArray()])).Status;

    public async Task<int> UnregisterCopytoolAsync() =>
        (await SendAsync(Opcode.MdsHsmCtUnregister, Portal.MdsRequest, [Bytes(Ask(default, ObdMd.None))])).Status;

    public Task<RpcAnswer> HsmReportAsync(
        ulong cookie, LuFid fid, bool completed, int error = 0, ulong version = 0, ulong moved = 0, HsmProgressFlags flags = 0) =>
        SendAsync(Opcode.MdsHsmProgress, Portal.MdsRequest, [
            Bytes(Ask(default, ObdMd.None)),
            Bytes(new HsmProgressKernel
            {
                Fid = fid,
                Cookie = cookie,
                Extent = new HsmExtent { Length = moved },
                Flags = flags | (completed ? HsmProgressFlags.Completed : 0),
                Error = (ushort)error,
                DataVersion = version,
            })]);

    /// <summary>The next action this client's copytool is told, after those it was told before.</summary>
    public async Task<ToldAction> NextActionAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        ToldAction? told;
        while (!Told.TryDequeue(out told))
            await Task.Delay(5, limit.Token);
        return told;
    }

    /// <summary>Archives a file from request to completion, by this client's copytool.</summary>
    public async Task ArchiveAsync(LuFid fid, ulong version)
    {
        Assert.Equal(0, (await HsmRequestAsync(HsmUserAction.Archive, fid)).Status);
        var told = await NextActionAsync();
        Assert.Equal((HsmCopytoolAction.Archive, fid), (told.Item.Action, told.Item.Fid));
        Assert.Equal(0, (await HsmReportAsync(told.Item.Cookie, fid, completed: true, version: version)).Status);
    }

    /// <summary>The close of <c>lfs hsm_release</c> after its lease open.</summary>
    public Task<RpcAnswer> ReleaseCloseAsync(IntentAnswer lease, LuFid fresh, ulong version, ulong size) =>
        SendAsync(Opcode.MdsClose, Portal.MdsReadPage, [
            Bytes(new MdtIoEpoch { OpenHandle = lease.Handle }),
            Bytes(new MdtRecSetattr
            {
                Opcode = ReintOp.SetAttr,
                Fid = lease.Fid,
                Valid = MdsAttr.Size | MdsAttr.Blocks | MdsAttr.MtimeSet | MdsAttr.AtimeSet | MdsAttr.CtimeSet,
                ObjectSize = size,
                Mtime = Now + 5,
                Atime = Now + 6,
                Ctime = Now + 7,
                Bias = MdsBias.HsmRelease,
            }),
            [], Bytes(new CloseData { Handle = lease.LockHandle, Fid = fresh, DataVersion = version }), new byte[4]]);

    private void AnswerSetInfo(ulong xid, RpcAnswer request)
    {
        Assert.Equal("hsm_send\0", Encoding.ASCII.GetString(request.Buffer(1)));
        if (CopytoolAnswer == 0)
            Hear(request.Buffer(2));
        var builder = new MessageBuilder();
        builder.Start([]);
        builder.Body = new PtlrpcBody
        {
            Type = MessageType.Reply,
            Version = ServiceVersion.Message,
            Opcode = Opcode.LdlmSetInfo,
            Status = CopytoolAnswer,
        };
        _node.TryPut(MdtServer.Peer, _node.LocalNid, Nacre.PtlRpc.Wire.Portal.LdlmCallbackReply, xid, 0, builder.Finish());
    }

    /// <summary>Reads a list of actions as a kernel client does (07 sections 2.7 and 2.8).</summary>
    private void Hear(byte[] list)
    {
        var kuc = MemoryMarshal.Read<KucHeader>(list);
        Assert.Equal((0x191c, 2, 100, list.Length), (kuc.Magic, kuc.Transport, kuc.MessageType, kuc.MessageLength));
        var head = MemoryMarshal.Read<HsmActionList>(list.AsSpan(8));
        int nameEnd = Array.IndexOf(list, (byte)0, 40);
        var name = Encoding.ASCII.GetString(list.AsSpan(40, nameEnd - 40));
        int at = 40 + (name.Length + 8) / 8 * 8;
        for (uint i = 0; i < head.Count; i++)
        {
            var item = MemoryMarshal.Read<HsmActionItem>(list.AsSpan(at));
            Told.Enqueue(new ToldAction(item, head.ArchiveId, name, list[(at + HsmActionItem.Size)..(at + (int)item.Length)]));
            at += ((int)item.Length + 7) / 8 * 8;
        }
        Assert.Equal(list.Length, at);
    }
}
