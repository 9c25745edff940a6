using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.LNet.Tests.Support;
using Nacre.LNet.Wire;

namespace Nacre.LNet.Tests;

/// <summary>Layouts of 01, and its golden bytes written by our structures.</summary>
public class WireTests
{
    private static readonly Nid Server = NodePair.ServerNid;
    private static readonly Nid Client = NodePair.ClientNid;

    [Fact]
    public void SizesAreThoseOfTheTables()
    {
        Assert.Equal((16, 16), (Unsafe.SizeOf<AcceptorRequest>(), AcceptorRequest.Size));
        Assert.Equal((56, 56), (Unsafe.SizeOf<KsockHello>(), KsockHello.Size));
        Assert.Equal((24, 24), (Unsafe.SizeOf<KsockHeader>(), KsockHeader.Size));
        Assert.Equal((72, 72), (Unsafe.SizeOf<LnetHeader>(), LnetHeader.Size));
        Assert.Equal((96, 96), (Unsafe.SizeOf<LnetMessage>(), LnetMessage.Size));
        Assert.Equal((16, 16), (Unsafe.SizeOf<WireHandle>(), WireHandle.Size));
        Assert.Equal((16, 16), (Unsafe.SizeOf<PingInfoHeader>(), PingInfoHeader.Size));
        Assert.Equal((16, 16), (Unsafe.SizeOf<PingInfoEntry>(), PingInfoEntry.Size));
        Assert.Equal(8, Unsafe.SizeOf<Nid>());
    }

    [Fact]
    public void FieldsOfTheAcceptorRequestLieWhereTheTableSays()
    {
        AcceptorRequest r = default;
        Assert.Equal([0, 4, 8], [Offset(ref r, ref r.Magic), Offset(ref r, ref r.Version), Offset(ref r, ref r.Nid)]);
    }

    [Fact]
    public void FieldsOfTheHelloLieWhereTheTableSays()
    {
        KsockHello h = default;
        Assert.Equal(
            [0, 4, 8, 16, 24, 28, 32, 40, 48, 52],
            [
                Offset(ref h, ref h.Magic), Offset(ref h, ref h.Version), Offset(ref h, ref h.SrcNid), Offset(ref h, ref h.DstNid),
                Offset(ref h, ref h.SrcPid), Offset(ref h, ref h.DstPid), Offset(ref h, ref h.SrcIncarnation), Offset(ref h, ref h.DstIncarnation),
                Offset(ref h, ref h.Type), Offset(ref h, ref h.AddressCount),
            ]);
    }

    [Fact]
    public void FieldsOfTheSocklndHeaderLieWhereTheTableSays()
    {
        KsockHeader h = default;
        Assert.Equal(
            [0, 4, 8, 16],
            [Offset(ref h, ref h.Type), Offset(ref h, ref h.Checksum), Offset(ref h, ref h.ZcRequestCookie), Offset(ref h, ref h.ZcAckCookie)]);
    }

    [Fact]
    public void FieldsOfTheLnetHeaderLieWhereTheTablesSay()
    {
        LnetHeader h = default;
        Assert.Equal(
            [0, 8, 16, 20, 24, 28],
            [
                Offset(ref h, ref h.DestNid), Offset(ref h, ref h.SrcNid), Offset(ref h, ref h.DestPid), Offset(ref h, ref h.SrcPid),
                Offset(ref h, ref h.Type), Offset(ref h, ref h.PayloadLength),
            ]);
        Assert.Equal(
            [32, 48, 56, 64, 68],
            [
                Offset(ref h, ref h.Put.AckHandle), Offset(ref h, ref h.Put.MatchBits), Offset(ref h, ref h.Put.HdrData), Offset(ref h, ref h.Put.Portal),
                Offset(ref h, ref h.Put.Offset),
            ]);
        Assert.Equal(
            [32, 48, 56, 60, 64],
            [
                Offset(ref h, ref h.Get.ReturnHandle), Offset(ref h, ref h.Get.MatchBits), Offset(ref h, ref h.Get.Portal),
                Offset(ref h, ref h.Get.SrcOffset), Offset(ref h, ref h.Get.SinkLength),
            ]);
        Assert.Equal(32, Offset(ref h, ref h.Reply.DstHandle));
        Assert.Equal(
            [32, 48, 56],
            [Offset(ref h, ref h.Ack.DstHandle), Offset(ref h, ref h.Ack.MatchBits), Offset(ref h, ref h.Ack.StoredLength)]);
    }

    [Fact]
    public void FieldsOfThePingInfoLieWhereTheTableSays()
    {
        PingInfoHeader h = default;
        PingInfoEntry e = default;
        Assert.Equal(
            [0, 4, 8, 12],
            [Offset(ref h, ref h.Magic), Offset(ref h, ref h.Features), Offset(ref h, ref h.Pid), Offset(ref h, ref h.InterfaceCount)]);
        Assert.Equal([0, 8, 12], [Offset(ref e, ref e.Nid), Offset(ref e, ref e.Status), Offset(ref e, ref e.Unused)]);
    }

    [Fact]
    public void ConstantsAreThoseOfTheReference()
    {
        Assert.Equal(0xACCE7100, AcceptorRequest.ExpectedMagic);
        Assert.Equal(0x45726963u, KsockHello.ExpectedMagic);
        Assert.Equal(0x70696E67u, PingInfoHeader.ExpectedMagic);
        Assert.Equal([0u, 1u, 2u, 3u], [(uint)LnetMessageType.Ack, (uint)LnetMessageType.Put, (uint)LnetMessageType.Get, (uint)LnetMessageType.Reply]);
        Assert.Equal(0x1Eu, (uint)PingFeatures.Default);
        Assert.Equal(Enumerable.Repeat((byte)0xff, 16), Bytes(WireHandle.None));
    }

    [Theory]
    [InlineData(ConnectionType.Any, ConnectionType.Any)]
    [InlineData(ConnectionType.Control, ConnectionType.Control)]
    [InlineData(ConnectionType.BulkIn, ConnectionType.BulkOut)]
    [InlineData(ConnectionType.BulkOut, ConnectionType.BulkIn)]
    public void TypesAreInvertedAsTheTableSays(ConnectionType type, ConnectionType inverse) => Assert.Equal(inverse, type.Invert());

    [Fact]
    public void Golden19_1_AcceptorRequest() => Assert.Equal(GoldenBytes.AcceptorRequest, Bytes(new AcceptorRequest(Server)));

    [Fact]
    public void Golden19_2_ClientHello() => Assert.Equal(GoldenBytes.ClientHello, Bytes(new KsockHello
    {
        Magic = KsockHello.ExpectedMagic,
        Version = KsockHello.Version3,
        SrcNid = Client,
        DstNid = Server,
        SrcPid = PeerId.LustrePid,
        SrcIncarnation = GoldenBytes.ClientIncarnation,
        Type = ConnectionType.Control,
    }));

    [Fact]
    public void Golden19_4_Put()
    {
        var message = Message(Server, Client, LnetMessageType.Put, 16);
        message.Lnet.Put = new LnetPut { AckHandle = WireHandle.None, MatchBits = 0x0006123456789a40, Portal = 26 };
        Assert.Equal(GoldenBytes.Put, (byte[])[.. Bytes(message), .. Enumerable.Range(0x10, 16).Select(i => (byte)i)]);
    }

    [Fact]
    public void Golden19_5_PingGet()
    {
        var message = Message(Server, Client, LnetMessageType.Get, 0);
        message.Lnet.Get = new LnetGet
        {
            ReturnHandle = new WireHandle(0x17a1b2c3d4e60000, 0x15),
            MatchBits = PingInfoWire.MatchBits,
            Portal = PingInfoWire.Portal,
            SinkLength = PingInfoWire.UsualSize,
        };
        Assert.Equal(GoldenBytes.PingGet, Bytes(message));
    }

    [Fact]
    public void Golden19_6_PingReply()
    {
        var message = Message(Client, Server, LnetMessageType.Reply, 48);
        message.Lnet.Reply.DstHandle = new WireHandle(0x17a1b2c3d4e60000, 0x15);
        Assert.Equal(GoldenBytes.PingReply, (byte[])[.. Bytes(message), .. PingInfoWire.Encode(Server, PeerId.LustrePid, 1)]);
    }

    [Fact]
    public void Golden19_7_PushAndItsAck()
    {
        var handle = new WireHandle(0x17a1b2c3d4e60000, 0x25);
        var push = Message(Server, Client, LnetMessageType.Put, 48);
        push.Lnet.Put = new LnetPut { AckHandle = handle, MatchBits = PingInfoWire.MatchBits };
        Assert.Equal(GoldenBytes.Push, (byte[])[.. Bytes(push), .. PingInfoWire.Encode(Client, PeerId.LustrePid, 1)]);

        var ack = Message(Client, Server, LnetMessageType.Ack, 0);
        ack.Lnet.Ack = new LnetAck { DstHandle = handle, MatchBits = PingInfoWire.MatchBits, StoredLength = 48 };
        Assert.Equal(GoldenBytes.PushAck, Bytes(ack));
    }

    [Fact]
    public void Golden19_8_BulkGet()
    {
        var message = Message(Client, Server, LnetMessageType.Get, 0);
        message.Lnet.Get = new LnetGet { ReturnHandle = new WireHandle(0x5a5a000000000001, 0x101), MatchBits = 0x0006123456789a40, Portal = 8, SinkLength = 4096 };
        Assert.Equal(GoldenBytes.BulkGet, Bytes(message));
    }

    [Fact]
    public void Golden19_9_Noops()
    {
        Assert.Equal(GoldenBytes.ZcAckOf2, Bytes(new KsockHeader { Type = KsockMessageType.Noop, ZcAckCookie = 2 }));
        Assert.Equal(GoldenBytes.Keepalive, Bytes(new KsockHeader { Type = KsockMessageType.Noop, ZcAckCookie = KsockHeader.KeepaliveCookie }));
    }

    [Fact]
    public void PingInfoIsReadAsItWasWritten()
    {
        Assert.True(PingInfoWire.TryDecode(PingInfoWire.Encode(Server, 12345, 7), out var info));
        Assert.Equal(Server, info.PrimaryNid);
        Assert.Equal(7u, info.Interfaces[0].Status);
    }

    [Fact]
    public void PingInfoCutShortListsWhatIsThere()
    {
        Assert.True(PingInfoWire.TryDecode(PingInfoWire.Encode(Server, 12345, 7).AsSpan(0, 40), out var info));
        Assert.Single(info.Interfaces);
    }

    [Theory]
    [InlineData(0, 0x00, "magic")]
    [InlineData(4, 0x1c, "no interface status")]
    [InlineData(12, 0, "no entries")]
    [InlineData(12, 201, "too many entries")]
    [InlineData(22, 2, "first entry is not the loopback")]
    public void WrongPingInfosAreRefused(int at, byte value, string what)
    {
        var bytes = PingInfoWire.Encode(Server, 12345, 1);
        bytes[at] = value;
        Assert.False(PingInfoWire.TryDecode(bytes, out _), what);
    }

    private static LnetMessage Message(Nid to, Nid from, LnetMessageType type, int payload)
    {
        LnetMessage message = default;
        message.Ksock.Type = KsockMessageType.Lnet;
        message.Lnet = new LnetHeader
        {
            DestNid = to,
            SrcNid = from,
            DestPid = PeerId.LustrePid,
            SrcPid = PeerId.LustrePid,
            Type = type,
            PayloadLength = (uint)payload,
        };
        return message;
    }

    private static byte[] Bytes<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();

    private static int Offset<TStruct, TField>(ref TStruct structure, ref TField field) =>
        (int)Unsafe.ByteOffset(ref Unsafe.As<TStruct, byte>(ref structure), ref Unsafe.As<TField, byte>(ref field));
}
