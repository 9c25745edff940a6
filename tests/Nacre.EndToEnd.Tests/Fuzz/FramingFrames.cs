using System.Buffers;
using System.Runtime.InteropServices;
using Nacre.LNet;
using Nacre.LNet.Wire;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>
/// LNet messages of all kinds, some in order, some with damaged headers: fields the node looks at more often than others get values
/// at the edges of what is allowed. Not thread-safe, except for <see cref="Harvest"/>.
/// </summary>
internal sealed class FramingFrames(PeerId self, PeerId server, Random random)
{
    /// <summary>Marks the handles of pings whose answers are waited for.</summary>
    public const ulong PingCookie = 0x5A5A5A5A5A5A5A5A;

    private const int MostHandles = 64;

    /// <summary>Where numbers change their meaning: portals, MTU, payload bounds, min_bulk, cookies.</summary>
    private static readonly uint[] Extremes =
        [0, 1, 2, 25, 26, 63, 64, 65, 927, 928, 929, 8192, 8193, 16384, 65536, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, int.MaxValue, 0x80000000, uint.MaxValue];

    private readonly WireHandle[] _handles = new WireHandle[MostHandles];
    private int _harvested;

    /// <summary>Most damage ends the connection: with much of it the node sees little of what follows.</summary>
    public int DamageOneIn { get; set; } = 16;

    /// <summary>Remembers a handle the node waits with.</summary>
    public void Harvest(in WireHandle handle)
    {
        lock (_handles)
        {
            _handles[_harvested++ % MostHandles] = handle;
        }
    }

    /// <summary>HELLO of a connection, a few damaged.</summary>
    public byte[] Greeting(ConnectionType type, ulong incarnation, uint version)
    {
        var bytes = new byte[AcceptorRequest.Size + KsockHello.Size];
        MemoryMarshal.Write(bytes, new AcceptorRequest(server.Nid));
        MemoryMarshal.Write(bytes.AsSpan(AcceptorRequest.Size), new KsockHello
        {
            Magic = KsockHello.ExpectedMagic,
            Version = version,
            SrcNid = self.Nid,
            DstNid = server.Nid,
            SrcPid = self.Pid,
            SrcIncarnation = incarnation,
            Type = type,
        });
        if (random.Next(DamageOneIn) < 2)
        {
            Damage(bytes);
        }

        return bytes;
    }

    /// <summary>Appends one message, one in <see cref="DamageOneIn"/> with a damaged header.</summary>
    public void Append(ArrayBufferWriter<byte> into)
    {
        if (random.Next(10) == 0)
        {
            AppendNoop(into);
            return;
        }

        var length = PayloadLength();
        var message = Message((LnetMessageType)random.Next(4), ref length);
        if (random.Next(DamageOneIn) == 0)
        {
            Damage(MemoryMarshal.AsBytes(new Span<LnetMessage>(ref message)));
        }

        into.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<LnetMessage>(in message)));
        into.GetSpan(Math.Max(length, 1))[..length].Fill((byte)random.Next(256));
        into.Advance(length);
    }

    /// <summary>Appends a ping that is in order; its answer names the number.</summary>
    public void AppendPing(ArrayBufferWriter<byte> into, ulong number)
    {
        var length = 0;
        var message = Message(LnetMessageType.Get, ref length);
        message.Lnet.Get = new LnetGet
        {
            ReturnHandle = new WireHandle(PingCookie, number),
            Portal = PingInfoWire.Portal,
            MatchBits = PingInfoWire.MatchBits,
            SinkLength = PingInfoWire.MaxSize,
        };
        into.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<LnetMessage>(in message)));
    }

    private void AppendNoop(ArrayBufferWriter<byte> into)
    {
        // Mostly empty; the node asks for no zero-copy acknowledgement, so every cookie but that of a keepalive is an offence.
        var noop = new KsockHeader { Type = KsockMessageType.Noop, ZcAckCookie = random.Next(DamageOneIn) == 0 ? (ulong)random.Next(4) : 0 };
        into.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<KsockHeader>(in noop)));
    }

    private LnetMessage Message(LnetMessageType type, ref int length)
    {
        LnetMessage message = default;
        message.Ksock.Type = KsockMessageType.Lnet;
        message.Ksock.ZcRequestCookie = random.Next(4) == 0 ? (ulong)random.Next(2, 100) : 0;
        message.Lnet.DestNid = server.Nid;
        message.Lnet.DestPid = server.Pid;
        message.Lnet.SrcNid = self.Nid;
        message.Lnet.SrcPid = self.Pid;
        message.Lnet.Type = type;
        if (type is LnetMessageType.Get or LnetMessageType.Ack)
        {
            length = 0;
        }

        message.Lnet.PayloadLength = (uint)length;
        Fill(ref message.Lnet);
        return message;
    }

    private void Fill(ref LnetHeader header)
    {
        switch (header.Type)
        {
            case LnetMessageType.Put:
                header.Put.AckHandle = random.Next(3) == 0 ? AnyHandle() : FramingTarget.NoHandle;
                header.Put.Portal = AnyPortal();
                header.Put.MatchBits = (ulong)random.Next(FramingTarget.PostedBuffers + 2);
                header.Put.Offset = random.Next(3) == 0 ? Extremes[random.Next(Extremes.Length)] : 0;
                break;
            case LnetMessageType.Get:
                header.Get.ReturnHandle = AnyHandle();
                header.Get.Portal = AnyPortal();
                header.Get.MatchBits = random.Next(3) == 0 ? PingInfoWire.MatchBits : (ulong)random.Next(FramingTarget.PostedBuffers + 2);
                header.Get.SrcOffset = random.Next(3) == 0 ? Extremes[random.Next(Extremes.Length)] : 0;
                header.Get.SinkLength = Extremes[random.Next(Extremes.Length)];
                break;
            case LnetMessageType.Reply:
                header.Reply.DstHandle = AnyHandle();
                break;
            default:
                header.Ack.DstHandle = AnyHandle();
                header.Ack.StoredLength = Extremes[random.Next(Extremes.Length)];
                break;
        }
    }

    private uint AnyPortal() => random.Next(8) switch
    {
        < 3 => FramingTarget.EchoPortal,
        < 6 => FramingTarget.BulkPortal,
        6 => PingInfoWire.Portal,
        _ => (uint)random.Next(70),
    };

    /// <summary>Mostly small; up to what may travel at all.</summary>
    private int PayloadLength() => random.Next(400) switch
    {
        0 => random.Next((1 << 20) + 1),
        < 6 => random.Next(70_000),
        < 40 => random.Next(9000),
        _ => random.Next(300),
    };

    private WireHandle AnyHandle()
    {
        lock (_handles)
        {
            return _handles[random.Next(MostHandles)];
        }
    }

    private void Damage(Span<byte> bytes)
    {
        for (var count = random.Next(1, 4); count > 0; count--)
        {
            switch (random.Next(3))
            {
                case 0:
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                    break;
                default:
                    MemoryMarshal.Write(bytes[(random.Next(bytes.Length / sizeof(uint)) * sizeof(uint))..], Extremes[random.Next(Extremes.Length)]);
                    break;
            }
        }
    }
}
