using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;
using Nacre.Testing.Captures;

namespace Nacre.PtlRpc.Tests.Captures;

/// <summary>Every RPC message between genuine nodes decodes, and comes out of the builder byte for byte.</summary>
public class CapturedMessageTests
{
    public static TheoryData<string> Names => [.. CaptureReader.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void MessagesEncodeToTheSameBytes(string name)
    {
        var messages = CaptureReader.Messages(name).Where(message => message.IsRpc).ToList();
        Assert.NotEmpty(messages);
        Assert.All(messages, message => Assert.Equal(message.Payload, Encode(message.Message)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void StructuresEncodeToTheSameBytes(string name)
    {
        foreach (var message in CaptureReader.Messages(name).Where(message => message.IsRpc))
        {
            var body = message.Body;
            Assert.Equal(message.Message.Buffer(0).ToArray(), MemoryMarshal.AsBytes(new Span<PtlrpcBody>(ref body)).ToArray());
            if (Opcode.IsConnect(body.Opcode) && body.Type != MessageType.Error)
            {
                var bytes = message.Message.Buffer(body.Type == MessageType.Request ? 4 : 1);
                ObdConnectData.Read(bytes, out var data);
                Assert.Equal(bytes.ToArray(), MemoryMarshal.AsBytes(new Span<ObdConnectData>(ref data)).ToArray());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void TheFormatTableDescribesEveryMessage(string name)
    {
        var rpcs = CaptureReader.Rpcs(name);
        Assert.NotEmpty(rpcs);
        foreach (var rpc in rpcs)
        {
            var request = rpc.Request.Message;
            var format = RequestFormats.ForRequest(rpc.Request.Body.Opcode, request);
            Assert.True(format is not null, $"{rpc.Request}: no format for {Opcode.Name(rpc.Request.Body.Opcode)}");
            Assert.True(format.CheckRequest(request) == 0, $"{rpc.Request}: not a {format}");
            Assert.True(request.BufferCount <= format.Request.Length, $"{rpc.Request}: more buffers than {format} has");
            if (rpc.Reply is { } reply)
            {
                CheckReply(format, reply);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void OpcodesHaveTheVersionOfTheirClass(string name)
    {
        foreach (var rpc in CaptureReader.Rpcs(name))
        {
            var body = rpc.Request.Body;
            Assert.Equal(Opcode.VersionOf(body.Opcode) | ServiceVersion.Message, body.Version);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void RepliesGoToThePortalAndOffsetOfTheRules(string name)
    {
        foreach (var rpc in CaptureReader.Rpcs(name).Where(rpc => rpc.Reply is not null))
        {
            var adaptive = (rpc.Request.Message.Header.Flags & MessageFlags.AdaptiveTimeouts) != 0;
            Assert.Equal(Portal.ReplyOf(rpc.Request.Portal), rpc.Reply!.Portal);
            Assert.Equal(adaptive ? (uint)MessageLayout.EarlyReplySize : 0u, rpc.Reply.Offset);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void RequestsUseThePortalsOurClientUses(string name)
    {
        foreach (var rpc in CaptureReader.Rpcs(name).Where(rpc => rpc.Request.Portal != Portal.LdlmCallbackRequest))
        {
            var opcode = rpc.Request.Body.Opcode;
            // OBD_PING and cancels do not say whom they are for; the others do by their portal.
            var kind = rpc.Request.Portal switch
            {
                Portal.MgsRequest => TargetKind.Mgs,
                Portal.OstRequest or Portal.OstIo or Portal.OstCreate => TargetKind.Ost,
                _ => TargetKind.Mdt,
            };
            Assert.Equal(rpc.Request.Portal, ImportPortals.For(kind, opcode));
        }
    }

    [Fact]
    public void TheOneEarlyReplyHasItsChecksum()
    {
        var early = CaptureReader.Names.SelectMany(CaptureReader.Rpcs).SelectMany(rpc => rpc.EarlyReplies).ToList();
        Assert.NotEmpty(early);
        Assert.All(early, message => Assert.Equal(
            message.Message.Header.Checksum, MessageChecksum.OfBody(message.Message.Buffer(0))));
    }

    /// <summary>Every reply has all buffers of its format; only an error may have none.</summary>
    private static void CheckReply(RequestFormat format, CapturedMessage reply)
    {
        var message = reply.Message;
        Assert.True(format.CheckReply(message) == 0, $"{reply}: not a reply of {format}");
        if (reply.Body.Type == MessageType.Reply)
        {
            Assert.True(message.BufferCount == format.Reply.Length, $"{reply}: {message.BufferCount} buffers, {format} has {format.Reply.Length}");
        }
    }

    private static byte[] Encode(LustreMessage message)
    {
        var lengths = new int[message.BufferCount - 1];
        for (var i = 0; i < lengths.Length; i++)
        {
            lengths[i] = message.BufferLength(i + 1);
        }

        var builder = new MessageBuilder();
        builder.Start(lengths);
        builder.Header = message.Header;
        message.ReadBody(out builder.Body);
        for (var i = 1; i < message.BufferCount; i++)
        {
            message.Buffer(i).CopyTo(builder.Buffer(i));
        }

        return builder.Finish().ToArray();
    }
}
