using System.Net;
using System.Runtime.InteropServices;
using Nacre.LNet.Tests.Support;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;
using Nacre.Tests;

namespace Nacre.LNet.Tests;

/// <summary>The traffic of genuine nodes: our structures describe every byte of it, and our node takes part in it.</summary>
public class CaptureTests
{
    public static TheoryData<string> Names => CaptureFilesTests.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryByteIsAccountedForAndEncodesAsItWas(string capture)
    {
        var messages = 0;
        foreach (var stream in CaptureStreams.Read(capture))
        {
            var rest = SkipHandshake(stream);
            while (!rest.IsEmpty)
            {
                var ksock = MemoryMarshal.Read<KsockHeader>(rest);
                Assert.Equal(0u, ksock.Checksum);
                if (ksock.Type == KsockMessageType.Noop)
                {
                    rest = rest[KsockHeader.Size..];
                    continue;
                }

                var message = MemoryMarshal.Read<LnetMessage>(rest);
                Assert.Equal(KsockMessageType.Lnet, message.Ksock.Type);
                Assert.True(Rebuilt(message).SequenceEqual(rest[..LnetMessage.Size]), $"message {messages} of {capture}");
                Assert.Equal(Nid.FromTcp(stream.From.Address), message.Lnet.SrcNid);
                Assert.Equal(Nid.FromTcp(stream.To.Address), message.Lnet.DestNid);
                rest = rest[(LnetMessage.Size + (int)message.Lnet.PayloadLength)..];
                messages++;
            }
        }

        Assert.NotEqual(0, messages);
    }

    /// <summary>
    /// A node in the server's place is sent all that the first client sent, but for the acknowledgements of what only the genuine server had
    /// asked for.
    /// </summary>
    [Theory]
    [MemberData(nameof(Names))]
    public async Task OurNodeTakesWhatAGenuineClientSends(string capture)
    {
        var streams = CaptureStreams.Read(capture).Where(s => !s.IsFromServer).ToArray();
        var (client, server) = (streams[0].From.Address, streams[0].To.Address);
        streams = [.. streams.Where(s => s.From.Address.Equals(client)).DistinctBy(s => s.From.Port)];

        var transport = new InMemoryTransport(TimeProvider.System);
        await using var node = NodePair.NewNode(Nid.FromTcp(server), transport);
        var received = new Recorder();
        for (var portal = 1; portal < LnetHeader.PortalCount; portal++) node.Serve(portal, received);
        await node.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, CapturedStream.LustrePort), default);

        var expected = new Expected();
        var connections = new List<(ScriptedPeer Peer, byte[] Messages)>();
        foreach (var stream in streams)
        {
            var peer = await ScriptedPeer.DialAsync(transport, node.ListeningAt!);
            var handshake = HandshakeOf(stream, connections.Count);
            await peer.SendAsync(handshake);
            var hello = MemoryMarshal.Read<KsockHello>(handshake.AsSpan(AcceptorRequest.Size));
            Assert.Equal(hello.Type.Invert(), (await peer.ReadAsync<KsockHello>()).Type);
            connections.Add((peer, expected.Take(SkipHandshake(stream))));
        }

        await Wait.UntilAsync(() => node.ConnectionCount == streams.Length, "the connections");
        var answers = connections.Select(c => AnswersAsync(c.Peer)).ToArray();
        foreach (var (peer, messages) in connections) await peer.SendAsync(messages);
        await Wait.UntilAsync(() => received.Count == expected.Requests, $"{expected.Requests} requests, of which {received.Count} came");
        await Wait.UntilAsync(() => Seen(answers) == (expected.Pings, expected.Acks, expected.Cookies), $"{expected} answers, not {Seen(answers)}");

        // Still in order: a violation would have closed everything.
        Assert.Equal(streams.Length, node.ConnectionCount);
        foreach (var (peer, _) in connections) peer.Dispose();
    }

    private static (int, int, int) Seen(Answers[] answers) => (answers.Sum(a => a.Replies), answers.Sum(a => a.Acks), answers.Sum(a => a.Cookies.Count));

    private static ReadOnlySpan<byte> SkipHandshake(CapturedStream stream)
    {
        var rest = stream.Bytes.AsSpan();
        if (!stream.IsFromItsStart) return rest;
        if (!stream.IsFromServer)
        {
            var request = MemoryMarshal.Read<AcceptorRequest>(rest);
            Assert.Equal(new AcceptorRequest(Nid.FromTcp(stream.To.Address)), request);
            rest = rest[AcceptorRequest.Size..];
        }

        var hello = MemoryMarshal.Read<KsockHello>(rest);
        Assert.Equal((KsockHello.ExpectedMagic, KsockHello.Version3, 0u), (hello.Magic, hello.Version, hello.AddressCount));
        Assert.Equal(new PeerId(Nid.FromTcp(stream.From.Address)), new PeerId(hello.SrcNid, hello.SrcPid));
        return rest[KsockHello.Size..];
    }

    /// <summary>The client's own, or for a connection that was open when the capture began one that it would have sent.</summary>
    private static byte[] HandshakeOf(CapturedStream stream, int number)
    {
        if (stream.IsFromItsStart) return stream.Bytes[..(AcceptorRequest.Size + KsockHello.Size)];
        var request = new AcceptorRequest(Nid.FromTcp(stream.To.Address));
        var hello = MemoryMarshal.Read<KsockHello>(GoldenBytes.ClientHello);
        hello.SrcNid = Nid.FromTcp(stream.From.Address);
        hello.DstNid = request.Nid;
        hello.Type = (ConnectionType)Math.Min(number + 1, (int)ConnectionType.BulkOut);
        return
        [
            .. MemoryMarshal.AsBytes(new ReadOnlySpan<AcceptorRequest>(in request)),
            .. MemoryMarshal.AsBytes(new ReadOnlySpan<KsockHello>(in hello)),
        ];
    }

    /// <summary>The message written anew from what its fields say.</summary>
    private static ReadOnlySpan<byte> Rebuilt(LnetMessage from)
    {
        LnetMessage message = default;
        message.Ksock = from.Ksock with { };
        message.Lnet.DestNid = from.Lnet.DestNid;
        message.Lnet.SrcNid = from.Lnet.SrcNid;
        message.Lnet.DestPid = from.Lnet.DestPid;
        message.Lnet.SrcPid = from.Lnet.SrcPid;
        message.Lnet.Type = from.Lnet.Type;
        message.Lnet.PayloadLength = from.Lnet.PayloadLength;
        switch (from.Lnet.Type)
        {
            case LnetMessageType.Put:
                message.Lnet.Put = from.Lnet.Put;
                break;
            case LnetMessageType.Get:
                message.Lnet.Get = from.Lnet.Get;
                break;
            case LnetMessageType.Reply:
                message.Lnet.Reply = from.Lnet.Reply;
                break;
            case LnetMessageType.Ack:
                message.Lnet.Ack = from.Lnet.Ack;
                break;
            default:
                Assert.Fail($"type {from.Lnet.Type}");
                break;
        }

        return MemoryMarshal.AsBytes(new ReadOnlySpan<LnetMessage>(in message)).ToArray();
    }

    /// <summary>What a client's messages ask of the node.</summary>
    private sealed record Expected
    {
        public int Requests { get; private set; }

        public int Pings { get; private set; }

        public int Acks { get; private set; }

        public int Cookies { get; private set; }

        /// <summary>Counts, and leaves out acknowledgements of cookies the node never handed out.</summary>
        public byte[] Take(ReadOnlySpan<byte> messages)
        {
            var kept = new MemoryStream();
            while (!messages.IsEmpty)
            {
                var ksock = MemoryMarshal.Read<KsockHeader>(messages);
                if (ksock.Type == KsockMessageType.Noop)
                {
                    if (ksock.ZcAckCookie == KsockHeader.KeepaliveCookie) kept.Write(messages[..KsockHeader.Size]);
                    messages = messages[KsockHeader.Size..];
                    continue;
                }

                var message = MemoryMarshal.Read<LnetMessage>(messages);
                Count(message);
                var length = LnetMessage.Size + (int)message.Lnet.PayloadLength;
                kept.Write(messages[..length]);
                messages = messages[length..];
            }

            return kept.ToArray();
        }

        private void Count(in LnetMessage message)
        {
            if (message.Ksock.ZcRequestCookie != 0) Cookies++;
            var toLnet = message.Lnet.Type == LnetMessageType.Put && message.Lnet.Put.Portal == PingInfoWire.Portal;
            if (message.Lnet.Type == LnetMessageType.Put && !toLnet) Requests++;
            if (message.Lnet.Type == LnetMessageType.Put && !message.Lnet.Put.AckHandle.IsNone) Acks++;
            if (message.Lnet.Type == LnetMessageType.Get) Pings++;
        }
    }

    /// <summary>What came back on one connection so far.</summary>
    private sealed class Answers
    {
        public volatile int Replies;
        public volatile int Acks;

        public System.Collections.Concurrent.ConcurrentBag<ulong> Cookies { get; } = [];
    }

    private static Answers AnswersAsync(ScriptedPeer peer)
    {
        var answers = new Answers();
        _ = ReadAllAsync(peer, answers);
        return answers;
    }

    private static async Task ReadAllAsync(ScriptedPeer peer, Answers answers)
    {
        try
        {
            while (true)
            {
                var ksock = await peer.ReadAsync<KsockHeader>();
                if (ksock.Type == KsockMessageType.Noop)
                {
                    answers.Cookies.Add(ksock.ZcAckCookie);
                    continue;
                }

                var header = await peer.ReadAsync<LnetHeader>();
                await peer.ReadAsync((int)header.PayloadLength);
                if (header.Type == LnetMessageType.Reply) answers.Replies++;
                else answers.Acks++;
            }
        }
        catch (Exception e) when (e is IOException or Xunit.Sdk.XunitException or TimeoutException)
        {
            // The test is over.
        }
    }
}
