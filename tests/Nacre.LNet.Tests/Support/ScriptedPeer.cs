using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;

namespace Nacre.LNet.Tests.Support;

/// <summary>One connection of a client that sends exactly the bytes a test wants, and reads what comes back.</summary>
internal sealed class ScriptedPeer(IByteConnection bytes) : IDisposable
{
    public static readonly PeerId Id = new(NodePair.ClientNid);

    public static async Task<ScriptedPeer> DialAsync(ITransport transport, IPEndPoint at, bool privileged = false) =>
        new(await transport.ConnectAsync(at, privileged, Wait.Token()));

    /// <summary>Dials, says HELLO and reads the answer.</summary>
    public static async Task<ScriptedPeer> ConnectAsync(
        ITransport transport, LNetNode server, ConnectionType type = ConnectionType.Control, uint version = 3, ulong incarnation = GoldenBytes.ClientIncarnation)
    {
        var peer = await DialAsync(transport, server.ListeningAt!);
        await peer.SendAsync(GoldenBytes.AcceptorRequest, Hello(type, version, incarnation));
        var answer = MemoryMarshal.Read<KsockHello>(await peer.ReadAsync(KsockHello.Size));
        Assert.Equal(type.Invert(), answer.Type);
        return peer;
    }

    public static byte[] Hello(ConnectionType type, uint version = 3, ulong incarnation = GoldenBytes.ClientIncarnation)
    {
        var hello = MemoryMarshal.Read<KsockHello>(GoldenBytes.ClientHello);
        hello.Type = type;
        hello.Version = version;
        hello.SrcIncarnation = incarnation;
        return MemoryMarshal.AsBytes(new ReadOnlySpan<KsockHello>(in hello)).ToArray();
    }

    /// <summary>A message to the server with its header changed as the test wants, and its payload.</summary>
    public static byte[] Message(LnetMessageType type, byte[] payload, Func<LnetMessage, LnetMessage> with)
    {
        LnetMessage message = default;
        message.Ksock.Type = KsockMessageType.Lnet;
        message.Lnet.DestNid = NodePair.ServerNid;
        message.Lnet.SrcNid = NodePair.ClientNid;
        message.Lnet.DestPid = message.Lnet.SrcPid = PeerId.LustrePid;
        message.Lnet.Type = type;
        message.Lnet.PayloadLength = (uint)payload.Length;
        if (type == LnetMessageType.Put) message.Lnet.Put.AckHandle = WireHandle.None;
        message = with(message);
        return [.. MemoryMarshal.AsBytes(new ReadOnlySpan<LnetMessage>(in message)), .. payload];
    }

    public static byte[] Put(int portal, byte[] payload, ulong zcCookie = 0, ulong matchBits = 0) => Message(LnetMessageType.Put, payload, m =>
    {
        m.Ksock.ZcRequestCookie = zcCookie;
        m.Lnet.Put.Portal = (uint)portal;
        m.Lnet.Put.MatchBits = matchBits;
        return m;
    });

    public static byte[] Noop(ulong first, ulong second)
    {
        var noop = new KsockHeader { Type = KsockMessageType.Noop, ZcRequestCookie = first, ZcAckCookie = second };
        return MemoryMarshal.AsBytes(new ReadOnlySpan<KsockHeader>(in noop)).ToArray();
    }

    public async Task SendAsync(params byte[][] pieces)
    {
        foreach (var piece in pieces) await bytes.SendAsync(piece).WithinBounds();
    }

    public void FinishSending() => bytes.ShutdownSend();

    public async Task<byte[]> ReadAsync(int count)
    {
        var buffer = new byte[count];
        for (var read = 0; read < count;)
        {
            var n = await bytes.ReceiveAsync(buffer.AsMemory(read)).WithinBounds();
            Assert.True(n > 0, $"closed after {read} of {count} bytes");
            read += n;
        }

        return buffer;
    }

    public async Task<T> ReadAsync<T>()
        where T : unmanaged => MemoryMarshal.Read<T>(await ReadAsync(System.Runtime.CompilerServices.Unsafe.SizeOf<T>()));

    /// <summary>What arrives until the connection ends, by whatever way.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        var all = new MemoryStream();
        var buffer = new byte[4096];
        try
        {
            while (await bytes.ReceiveAsync(buffer).WithinBounds() is > 0 and var n) all.Write(buffer, 0, n);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // A reset ends it too.
        }

        return all.ToArray();
    }

    /// <summary>Proves that the connection is in order: a ping is answered, and nothing else was sent before.</summary>
    public Task PingAsync() => PingAsyncVia(this);

    /// <summary>As <see cref="PingAsync"/>, when the answer to a small message takes another connection.</summary>
    public async Task PingAsyncVia(ScriptedPeer control)
    {
        await SendAsync(GoldenBytes.PingGet);
        Assert.Equal(GoldenBytes.PingReply, await control.ReadAsync(GoldenBytes.PingReply.Length));
    }

    public void Dispose() => bytes.Dispose();
}
