using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc.Tests.Wire;

public class LustreMessageTests
{
    [Fact]
    public void TheGoldenConnectRequestReadsAsDescribed()
    {
        Assert.Equal(MessageError.None, LustreMessage.TryParse(GoldenMessages.ConnectRequest, out var message));
        message.ReadBody(out var body);

        Assert.Equal(6, message.BufferCount);
        Assert.Equal(544u, message.Header.ReplySize);
        Assert.Equal((byte)SecurityPart.Mgc, (byte)(message.Header.SecurityFlavour >> 24));
        Assert.Equal(MessageType.Request, body.Type);
        Assert.Equal(Opcode.MgsConnect, body.Opcode);
        Assert.Equal(ConnectOperationFlags.Initial, body.OperationFlags);
        Assert.Equal((1u, 5u, 4u), (body.ConnectionCount, body.Timeout, body.ServiceTime));
        Assert.Equal("MGS", Encoding.ASCII.GetString(message.Buffer(1)).TrimEnd('\0'));
        Assert.Equal(GoldenMessages.ClientUuid, Encoding.ASCII.GetString(message.Buffer(2)).TrimEnd('\0'));
        Assert.Equal(GoldenMessages.ClientHandle, MemoryMarshal.Read<ulong>(message.Buffer(3)));
        var data = MemoryMarshal.Read<ObdConnectData>(message.Buffer(4));
        Assert.Equal((ConnectFlags)0xA000411001002020, data.Flags);
        Assert.Equal(ConnectFlags2.RepMbits, data.Flags2);
        Assert.Equal(ObdConnectData.Version2158, data.Version);
        Assert.Equal(0, message.BufferLength(5));
        Assert.True(message.Buffer(6).IsEmpty);
    }

    [Fact]
    public void TheBuilderMakesTheGoldenConnectRequest()
    {
        var builder = new MessageBuilder();
        builder.Start([39, 39, 8, 192, 0]);
        builder.Header.SecurityFlavour = (uint)SecurityPart.Mgc << 24;
        builder.Header.ReplySize = 544;
        ref var body = ref builder.Body;
        body.Type = MessageType.Request;
        body.Version = ServiceVersion.Obd | ServiceVersion.Message;
        body.Opcode = Opcode.MgsConnect;
        body.Status = 3456;
        body.OperationFlags = ConnectOperationFlags.Initial;
        body.ConnectionCount = 1;
        body.Timeout = 5;
        body.ServiceTime = 4;
        ObdUuid.Write("MGS", builder.Buffer(1));
        ObdUuid.Write(GoldenMessages.ClientUuid, builder.Buffer(2));
        builder.Get<LustreHandle>(3) = GoldenMessages.ClientHandle;
        ref var data = ref builder.Get<ObdConnectData>(4);
        data.Flags = (ConnectFlags)0xA000411001002020;
        data.Flags2 = ConnectFlags2.RepMbits;
        data.Version = ObdConnectData.Version2158;

        Assert.Equal(GoldenMessages.ConnectRequest, builder.Finish().ToArray());
    }

    [Fact]
    public void TheBuilderMakesTheGoldenEarlyReply()
    {
        var builder = new MessageBuilder();
        builder.Start([]);
        ref var body = ref builder.Body;
        body.Type = MessageType.Reply;
        body.Version = ServiceVersion.Message;
        body.Opcode = Opcode.MdsReint;
        body.Timeout = 36;
        body.ServiceTime = 6;
        builder.Header.Checksum = MessageChecksum.OfBody(builder.Buffer(0));

        Assert.Equal(GoldenMessages.EarlyReply, builder.Finish().ToArray());
    }

    [Fact]
    public void ShrinkingMovesLaterBuffersUpAndLeavesNoGarbage()
    {
        var builder = new MessageBuilder();
        builder.Start([20, 16, 5]);
        builder.Buffer(1).Fill(1);
        builder.Buffer(2).Fill(2);
        builder.Buffer(3).Fill(3);
        builder.Shrink(1, 3);
        builder.Shrink(2, 0);

        Assert.Equal(MessageError.None, LustreMessage.TryParse(builder.Finish(), out var message));
        Assert.Equal(4, message.BufferCount);
        Assert.Equal(new byte[] { 1, 1, 1 }, message.Buffer(1).ToArray());
        Assert.Equal(0, message.BufferLength(2));
        Assert.Equal(new byte[] { 3, 3, 3, 3, 3 }, message.Buffer(3).ToArray());
        Assert.Equal(MessageLayout.TotalSize([184, 3, 0, 5]), message.Bytes.Length);
        // Padding of buffers 1 and 3.
        Assert.Equal(new byte[5], message.Bytes.Slice(MessageLayout.HeaderSize(4) + 184 + 3, 5).ToArray());
        Assert.Equal(new byte[3], message.Bytes[^3..].ToArray());
    }

    [Fact]
    public void GrowingKeepsAllContents()
    {
        var builder = new MessageBuilder();
        builder.Start([8, 4, 8]);
        builder.Buffer(1).Fill(1);
        builder.Buffer(2).Fill(2);
        builder.Buffer(3).Fill(3);
        builder.Shrink(1, 2);
        builder.Grow(2, 5000);

        Assert.Equal(MessageError.None, LustreMessage.TryParse(builder.Finish(), out var message));
        Assert.Equal(new byte[] { 1, 1 }, message.Buffer(1).ToArray());
        Assert.Equal([2, 2, 2, 2, .. new byte[4996]], message.Buffer(2).ToArray());
        Assert.Equal(Enumerable.Repeat((byte)3, 8), message.Buffer(3).ToArray());
    }

    [Fact]
    public void AMessageWithoutJobIdHasAnEmptyOne()
    {
        var bytes = new byte[40 + 152];
        GoldenMessages.PingRequest.AsSpan(0, bytes.Length).CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(32), 152);

        Assert.Equal(MessageError.None, LustreMessage.TryParse(bytes, out var message));
        message.ReadBody(out var body);
        Assert.Equal(Opcode.ObdPing, body.Opcode);
        Assert.Equal("", body.JobId.ToString());
    }

    [Fact]
    public void BytesAfterTheEndAreIgnored()
    {
        byte[] longer = [.. GoldenMessages.PingRequest, 1, 2, 3];
        Assert.Equal(MessageError.None, LustreMessage.TryParse(longer, out var message));
        Assert.Equal(224, message.Bytes.Length);
    }

    public static TheoryData<int, uint, MessageError> Damages => new()
    {
        { 8, 0xD30BD00B, MessageError.ByteSwapped },
        { 8, 0x0BD00BD0, MessageError.BadMagic },
        { 0, 0, MessageError.BadBufferCount },
        { 0, 33, MessageError.BadBufferCount },
        { 0, uint.MaxValue, MessageError.BadBufferCount },
        { 32, 151, MessageError.ShortBody },
        { 32, 185 + 7, MessageError.Truncated },
        { 32, 1_024_001, MessageError.TooLarge },
        { 32, uint.MaxValue, MessageError.TooLarge },
        { 32, 1_024_000, MessageError.TooLarge },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void DamagedMessagesAreRefused(int offset, uint value, MessageError expected)
    {
        byte[] bytes = [.. GoldenMessages.PingRequest];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), value);
        Assert.Equal(expected, LustreMessage.TryParse(bytes, out _));
    }

    [Fact]
    public void NoPrefixOfAMessageIsAMessage()
    {
        for (var length = 0; length < GoldenMessages.ConnectRequest.Length; length++)
        {
            Assert.NotEqual(MessageError.None, LustreMessage.TryParse(GoldenMessages.ConnectRequest.AsSpan(0, length), out _));
        }
    }
}
