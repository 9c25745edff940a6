using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Tests.Rpc;

/// <summary>
/// Sends an enqueue by hand over a client's connection, with a chosen xid and the RESENT flag: what an import does only
/// after a lost reply.
/// </summary>
internal static class ResentCall
{
    // Above what imports use: the server refuses xids at or below the highest pb_last_xid it saw (02 section 3.7).
    private static long _xids = 0x4000_0000_0000_0000;

    public static Task<EnqueueReply> SendAsync(LockClient client, LdlmRequest request, ulong xid = 0, bool resent = true) =>
        SendAsync(client, request, [], xid, resent);

    public static Task<EnqueueReply> SendAsync(LockClient client, LdlmRequest request, IntentOpcode intent) =>
        SendAsync(client, request, BitConverter.GetBytes((ulong)intent), 0, true);

    private static async Task<EnqueueReply> SendAsync(LockClient client, LdlmRequest request, byte[] intent, ulong xid, bool resent)
    {
        xid = xid == 0 ? (ulong)Interlocked.Increment(ref _xids) : xid;
        var message = new MessageBuilder();
        message.Start(intent.Length == 0 ? [LdlmRequest.Size] : [LdlmRequest.Size, intent.Length]);
        message.Header.Flags = MessageFlags.ChecksumIncompat18;
        message.Header.ReplySize = 4096;
        message.Body.Handle = client.Import.ServerHandle;
        message.Body.Type = MessageType.Request;
        message.Body.Version = Opcode.VersionOf(Opcode.LdlmEnqueue) | ServiceVersion.Message;
        message.Body.Opcode = Opcode.LdlmEnqueue;
        message.Body.Flags = resent ? BodyFlags.Resent : BodyFlags.None;
        message.Body.ConnectionCount = client.Import.ConnectionCount;
        message.Body.Timeout = 100;
        message.Body.MatchBits = xid;
        message.Get<LdlmRequest>(1) = request;
        if (intent.Length > 0)
            intent.CopyTo(message.Buffer(2));

        var (service, answers) = client.Import.Options.Kind == TargetKind.Ost
            ? (Portal.OstRequest, Portal.OscReply)
            : (Portal.MdsRequest, Portal.MdcReply);
        var waiter = new Waiter();
        using var posted = client.LNet.Post(
            answers, client.Server, xid, waiter.Memory, PostOptions.AcceptPut | PostOptions.RemoteOffset, waiter);
        client.LNet.TryPut(client.Server, client.LNet.LocalNid, service, xid, 0, message.Finish());
        return await waiter.Reply.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private sealed class Waiter : IPostedEvents
    {
        private readonly byte[] _memory = new byte[8192];

        public Memory<byte> Memory => _memory;

        public TaskCompletionSource<EnqueueReply> Reply { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnPut(PostedBuffer buffer, int offset, int stored, int sent)
        {
            Assert.Equal(MessageError.None, LustreMessage.TryParse(_memory.AsSpan(offset, stored), out var message));
            message.ReadBody(out var body);
            var reply = message.Buffer(1).Length >= LdlmReply.Size
                ? MemoryMarshal.Read<LdlmReply>(message.Buffer(1))
                : default;
            Reply.TrySetResult(new EnqueueReply(
                body.Status, body.Type == MessageType.Error, reply, message.Buffer(2).ToArray(), message.BufferCount));
        }

        public void OnGet(PostedBuffer buffer, int length)
        {
        }
    }
}
