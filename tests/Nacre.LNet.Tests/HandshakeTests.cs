using System.Net;
using System.Runtime.InteropServices;
using Nacre.LNet.Tests.Support;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;

namespace Nacre.LNet.Tests;

/// <summary>Acceptor request and HELLO as a passive node answers them (01 sections 3 and 4).</summary>
public class HandshakeTests
{
    private readonly InMemoryTransport _transport = new(TimeProvider.System);

    private async Task<LNetNode> ListenAsync(Func<LNetOptions, LNetOptions>? with = null)
    {
        var node = NodePair.NewNode(NodePair.ServerNid, _transport, null, o => (with?.Invoke(o) ?? o) with { Incarnation = GoldenBytes.ServerIncarnation });
        await node.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, 988), default);
        return node;
    }

    private Task<ScriptedPeer> DialAsync(LNetNode server, bool privileged = false) => ScriptedPeer.DialAsync(_transport, server.ListeningAt!, privileged);

    [Fact]
    public async Task GoldenHelloIsAnsweredWithTheGoldenHello()
    {
        await using var server = await ListenAsync();
        using var peer = await DialAsync(server);
        await peer.SendAsync(GoldenBytes.AcceptorRequest, GoldenBytes.ClientHello);
        Assert.Equal(GoldenBytes.ServerHello, await peer.ReadAsync(KsockHello.Size));
        await peer.PingAsync();
    }

    [Fact]
    public async Task RequestHelloAndFirstMessageMayComeInOnePiece()
    {
        await using var server = await ListenAsync();
        using var peer = await DialAsync(server);
        await peer.SendAsync([.. GoldenBytes.AcceptorRequest, .. GoldenBytes.ClientHello, .. GoldenBytes.PingGet]);
        Assert.Equal(GoldenBytes.ServerHello, await peer.ReadAsync(KsockHello.Size));
        Assert.Equal(GoldenBytes.PingReply, await peer.ReadAsync(GoldenBytes.PingReply.Length));
    }

    [Theory]
    [InlineData(ConnectionType.Any, 2u)]
    [InlineData(ConnectionType.Any, 3u)]
    [InlineData(ConnectionType.Control, 2u)]
    [InlineData(ConnectionType.Control, 3u)]
    [InlineData(ConnectionType.BulkIn, 3u)]
    [InlineData(ConnectionType.BulkOut, 2u)]
    [InlineData(ConnectionType.BulkOut, 3u)]
    public async Task EveryTypeIsInvertedAndTheVersionKept(ConnectionType type, uint version)
    {
        await using var server = await ListenAsync();
        using var peer = await DialAsync(server);
        await peer.SendAsync(GoldenBytes.AcceptorRequest, ScriptedPeer.Hello(type, version));
        var answer = await peer.ReadAsync<KsockHello>();
        Assert.Equal(type.Invert(), answer.Type);
        Assert.Equal(version, answer.Version);
        Assert.Equal(NodePair.ServerNid, answer.SrcNid);
        Assert.Equal(NodePair.ClientNid, answer.DstNid);
        Assert.Equal(PeerId.LustrePid, answer.SrcPid);
    }

    [Fact]
    public async Task OneIncarnationForAllConnections()
    {
        await using var server = await ListenAsync();
        foreach (var type in new[] { ConnectionType.Control, ConnectionType.BulkIn, ConnectionType.BulkOut, ConnectionType.BulkIn })
        {
            var peer = await DialAsync(server);
            await peer.SendAsync(GoldenBytes.AcceptorRequest, ScriptedPeer.Hello(type));
            Assert.Equal(GoldenBytes.ServerIncarnation, (await peer.ReadAsync<KsockHello>()).SrcIncarnation);
        }

        await Wait.UntilAsync(() => server.ConnectionCount == 4, "four connections");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task AnAddressListIsReadAndForgotten(int count)
    {
        await using var server = await ListenAsync();
        using var peer = await DialAsync(server);
        await peer.SendAsync(GoldenBytes.AcceptorRequest, HelloWith(h => h with { AddressCount = (uint)count }), Enumerable.Repeat((byte)1, 4 * count).ToArray());
        Assert.Equal(0u, (await peer.ReadAsync<KsockHello>()).AddressCount);
        await peer.PingAsync();
    }

    public static TheoryData<string> HellosToRefuse => ["legacy", "big-endian", "noise", "no-nid", "type 4", "type -1", "17 addresses", "zero address", "cut off"];

    [Theory]
    [MemberData(nameof(HellosToRefuse))]
    public async Task AWrongHelloIsClosedWithoutAnAnswer(string kind)
    {
        await using var server = await ListenAsync();
        using var peer = await DialAsync(server);
        await peer.SendAsync(GoldenBytes.AcceptorRequest, kind switch
        {
            "legacy" => HelloWith(h => h with { Magic = KsockHello.LegacyMagic }),
            "big-endian" => HelloWith(h => h with { Magic = 0x63697245, Version = 0x03000000 }),
            "noise" => TestData.Bytes(KsockHello.Size),
            "no-nid" => HelloWith(h => h with { SrcNid = Nid.Any }),
            "type 4" => HelloWith(h => h with { Type = (ConnectionType)4 }),
            "type -1" => HelloWith(h => h with { Type = ConnectionType.None }),
            "17 addresses" => HelloWith(h => h with { AddressCount = 17 }),
            "zero address" => [.. HelloWith(h => h with { AddressCount = 2 }), 1, 0, 0, 0, 0, 0, 0, 0],
            _ => GoldenBytes.ClientHello[..30],
        });
        peer.FinishSending();
        Assert.Empty(await peer.ReadToEndAsync());
        await Wait.UntilAsync(() => server.HandshakeCount == 0, "the handshake to end");
        Assert.Equal(0, server.ConnectionCount);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(4u)]
    [InlineData(77u)]
    public async Task AnUnknownVersionIsOfferedOurs(uint version)
    {
        await using var server = await ListenAsync();
        using var peer = await DialAsync(server);
        await peer.SendAsync(GoldenBytes.AcceptorRequest, ScriptedPeer.Hello(ConnectionType.Control, version), new byte[24]);
        peer.FinishSending();
        var answer = MemoryMarshal.Read<KsockHello>(await peer.ReadAsync(KsockHello.Size));
        Assert.Equal((3u, ConnectionType.None, NodePair.ServerNid), (answer.Version, answer.Type, answer.DstNid));
        Assert.Empty(await peer.ReadToEndAsync());
        Assert.Equal(0, server.ConnectionCount);
    }

    public static TheoryData<string, bool> RequestsToRefuse => new()
    {
        { "00 71 ce ac 03 00 00 00 14 01 a8 c0 00 00 02 00", true }, // a later version
        { "00 71 ce ac 00 00 00 00 14 01 a8 c0 00 00 02 00", true },
        { "63 69 72 45 03 00 00 00 14 01 a8 c0 00 00 02 00", true }, // a version query
        { "00 71 ce ac 02 00 00 00 00 02 00 00 c0 a8 01 14", false }, // a large NID
        { "00 71 ce ac 01 00 00 00 15 01 a8 c0 00 00 02 00", false }, // another's NID
        { "00 71 ce ac 01 00 00 00 14 01 a8 c0 01 00 02 00", false }, // the same address on tcp1
        { "ac ce 71 00 00 00 00 01 00 02 00 00 c0 a8 01 14", false }, // big-endian
        { "ed 0d bc ee 01 00 00 00 14 01 a8 c0 00 00 02 00", false }, // very old
        { "47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a", false }, // a web browser
    };

    [Theory]
    [MemberData(nameof(RequestsToRefuse))]
    public async Task AWrongAcceptorRequestIsClosed(string request, bool answersItsVersion)
    {
        await using var server = await ListenAsync();
        using var peer = await DialAsync(server);
        await peer.SendAsync(Hex.Parse(request));
        peer.FinishSending();
        var expected = answersItsVersion ? Hex.Parse("00 71 ce ac 01 00 00 00 00 00 00 00 00 00 00 00") : [];
        Assert.Equal(expected, await peer.ReadToEndAsync());
    }

    [Fact]
    public async Task UnprivilegedCallersAreTurnedAwayIfAsked()
    {
        await using var server = await ListenAsync(o => o with { AcceptUnprivilegedPorts = false });
        using (var peer = await DialAsync(server))
        {
            Assert.Empty(await peer.ReadToEndAsync());
        }

        using var privileged = await DialAsync(server, privileged: true);
        await privileged.SendAsync(GoldenBytes.AcceptorRequest, GoldenBytes.ClientHello);
        Assert.Equal(GoldenBytes.ServerHello, await privileged.ReadAsync(KsockHello.Size));
    }

    [Fact]
    public async Task ANewIncarnationClosesTheOldConnections()
    {
        await using var server = await ListenAsync();
        using var old = await ScriptedPeer.ConnectAsync(_transport, server);
        using var oldBulk = await ScriptedPeer.ConnectAsync(_transport, server, ConnectionType.BulkIn);
        using var young = await ScriptedPeer.ConnectAsync(_transport, server, incarnation: 42);
        Assert.Empty(await old.ReadToEndAsync());
        Assert.Empty(await oldBulk.ReadToEndAsync());
        await young.PingAsync();
        Assert.Equal(1, server.ConnectionCount);
    }

    [Fact]
    public async Task TooManyConnectionsOfAPeerCloseTheOldestOfTheirType()
    {
        await using var server = await ListenAsync(o => o with { MaxConnectionsPerPeer = 3 });
        using var control = await ScriptedPeer.ConnectAsync(_transport, server);
        using var first = await ScriptedPeer.ConnectAsync(_transport, server, ConnectionType.BulkIn);
        using var second = await ScriptedPeer.ConnectAsync(_transport, server, ConnectionType.BulkIn);
        using var third = await ScriptedPeer.ConnectAsync(_transport, server, ConnectionType.BulkIn);
        Assert.Empty(await first.ReadToEndAsync());
        foreach (var alive in new[] { control, second, third }) await alive.PingAsyncVia(control);
        Assert.Equal(3, server.ConnectionCount);
    }

    [Fact]
    public async Task TooManyPeersAreTurnedAway()
    {
        await using var server = await ListenAsync(o => o with { MaxPeers = 1 });
        using var first = await ScriptedPeer.ConnectAsync(_transport, server);
        using var second = await DialAsync(server);
        await second.SendAsync(GoldenBytes.AcceptorRequest, HelloWith(h => h with { SrcNid = Nid.Parse("10.1.1.1") }));
        Assert.Empty(await second.ReadToEndAsync());
        await first.PingAsync();
    }

    [Fact]
    public async Task SilentCallersMakeRoomForOthers()
    {
        await using var server = await ListenAsync(o => o with { MaxHandshakes = 2 });
        using var first = await DialAsync(server);
        await Wait.UntilAsync(() => server.HandshakeCount == 1, "the first caller");
        using var second = await DialAsync(server);
        await Wait.UntilAsync(() => server.HandshakeCount == 2, "the second caller");
        using var third = await ScriptedPeer.ConnectAsync(_transport, server);
        Assert.Empty(await first.ReadToEndAsync());
        await third.PingAsync();
    }

    [Fact]
    public async Task ASecondControlConnectionOutlivesTheDeathOfTheFirst()
    {
        await using var server = await ListenAsync();
        var old = await ScriptedPeer.ConnectAsync(_transport, server);
        using var young = await ScriptedPeer.ConnectAsync(_transport, server);
        old.Dispose();
        await Wait.UntilAsync(() => server.ConnectionCount == 1, "the old connection to go");
        await young.PingAsync();
    }

    private static byte[] HelloWith(Func<KsockHello, KsockHello> change)
    {
        var hello = change(MemoryMarshal.Read<KsockHello>(GoldenBytes.ClientHello));
        return MemoryMarshal.AsBytes(new ReadOnlySpan<KsockHello>(in hello)).ToArray();
    }
}
