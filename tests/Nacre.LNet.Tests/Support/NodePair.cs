using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.LNet.Transports;

namespace Nacre.LNet.Tests.Support;

/// <summary>A server and a client that is connected to it.</summary>
internal sealed class NodePair : IAsyncDisposable
{
    public static readonly Nid ServerNid = Nid.Parse("192.168.1.20@tcp");
    public static readonly Nid ClientNid = Nid.Parse("192.168.1.10@tcp");

    private NodePair(LNetNode server, LNetNode client)
    {
        Server = server;
        Client = client;
    }

    public LNetNode Server { get; }

    public LNetNode Client { get; }

    public PeerId ServerId { get; } = new(ServerNid);

    public PeerId ClientId { get; } = new(ClientNid);

    public static LNetNode NewNode(Nid nid, ITransport transport, TimeProvider? time = null, Func<LNetOptions, LNetOptions>? with = null)
    {
        var options = new LNetOptions { LocalNid = nid };
        return new LNetNode(with?.Invoke(options) ?? options, transport, time ?? TimeProvider.System, NullLogger<LNetNode>.Instance);
    }

    public static async Task<NodePair> StartAsync(
        ITransport transport, TimeProvider? time = null, Func<LNetOptions, LNetOptions>? server = null, Func<LNetOptions, LNetOptions>? client = null)
    {
        var pair = new NodePair(NewNode(ServerNid, transport, time, server), NewNode(ClientNid, transport, time, client));
        await pair.Server.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, 0), Wait.Token());
        await pair.ConnectAsync();
        return pair;
    }

    public async Task ConnectAsync()
    {
        await Client.ConnectAsync(ServerId, Server.ListeningAt!, Wait.Token()).WithinBounds();
        // The client may be done before the server has made a connection of the last HELLO it answered.
        await Wait.UntilAsync(() => Server.ConnectionCount == Client.ConnectionCount, "both ends to have the same connections");
    }

    /// <summary>Also checks that nothing is left behind.</summary>
    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
        foreach (var node in new[] { Client, Server })
        {
            Assert.Equal(0, node.ConnectionCount);
            Assert.Equal(0, node.HandshakeCount);
            Assert.Equal(0, node.Pending.Count);
            Assert.Equal(0, node.Buffers.Outstanding);
        }
    }
}
