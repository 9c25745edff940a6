using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Nacre.PtlRpc;

namespace Nacre.Testing.Rpc;

/// <summary>
/// A server node with its RPC engine, and as many client nodes as a test wants, on an in-memory network with a clock the test moves.
/// </summary>
public sealed class RpcNetwork : IAsyncDisposable
{
    public static readonly Nid ServerNid = Nid.Parse("192.168.1.20@tcp");

    private readonly InMemoryTransport _transport;
    private readonly List<IAsyncDisposable> _clients = [];
    private int _clientNodes;

    private RpcNetwork(RpcServerOptions options)
    {
        _transport = new InMemoryTransport(Time);
        ServerNode = NewNode(ServerNid);
        Server = new RpcServer(ServerNode, options, Time, Log<RpcServer>());
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public LNetNode ServerNode { get; }

    public RpcServer Server { get; }

    public PeerId ServerPeer { get; } = new(ServerNid);

    /// <summary>Receives the logs of all nodes; set before <see cref="StartAsync(RpcServerOptions?, IRpcTarget[])"/>.</summary>
    public static ILoggerFactory Logging { get; set; } = NullLoggerFactory.Instance;

    public static Task<RpcNetwork> StartAsync(params IRpcTarget[] targets) => StartAsync(null, targets);

    public static async Task<RpcNetwork> StartAsync(RpcServerOptions? options, params IRpcTarget[] targets)
    {
        var network = new RpcNetwork(options ?? new RpcServerOptions());
        await network.ServerNode.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, 0), CancellationToken.None);
        foreach (var target in targets)
        {
            network.Server.AddTarget(target);
        }

        return network;
    }

    /// <summary>A further node, connected to the server by LNet.</summary>
    public async Task<LNetNode> AddNodeAsync()
    {
        var node = NewNode(Nid.Parse($"192.168.1.{100 + Interlocked.Increment(ref _clientNodes)}@tcp"));
        _clients.Add(node);
        await DialAsync(node);
        return node;
    }

    /// <summary>Opens LNet connections of a node to the server, if there are none.</summary>
    public async ValueTask DialAsync(LNetNode node, CancellationToken ct = default) =>
        await node.ConnectAsync(ServerPeer, ServerNode.ListeningAt!, ct).AsTask().Within();

    /// <summary>A node that sends exact bytes.</summary>
    public async Task<ScriptedClient> AddScriptedClientAsync(string? uuid = null)
    {
        var client = new ScriptedClient(await AddNodeAsync(), ServerPeer, uuid);
        _clients.Insert(0, client);
        return client;
    }

    /// <summary>
    /// The machine of a node is killed and started again: another run of LNet with its address. The old connections stay open, as
    /// they do when nobody is left to close them.
    /// </summary>
    public async Task<LNetNode> RestartAsync(LNetNode killed)
    {
        var node = NewNode(killed.LocalNid);
        _clients.Add(node);
        await DialAsync(node);
        return node;
    }

    /// <summary>A node with the client side of the RPC layer.</summary>
    public async Task<RpcClient> AddClientAsync(RpcClientOptions? options = null)
    {
        var node = await AddNodeAsync();
        options ??= new RpcClientOptions { Dial = (_, ct) => DialAsync(node, ct) };
        var client = new RpcClient(node, options, Time, Log<RpcClient>());
        _clients.Insert(0, client);
        return client;
    }

    /// <summary>
    /// Moves the clock, in steps, with time for what each step sets off: a timer that comes due sees the clock where it set itself.
    /// </summary>
    public async Task AdvanceAsync(TimeSpan total, TimeSpan? step = null)
    {
        var each = step ?? TimeSpan.FromSeconds(1);
        for (var moved = TimeSpan.Zero; moved < total; moved += each)
        {
            Time.Advance(each < total - moved ? each : total - moved);
            await Task.Yield();
        }
    }

    /// <summary>Moves the clock until something has happened.</summary>
    public async Task AdvanceUntilAsync(Func<bool> condition, TimeSpan? limit = null)
    {
        var moved = TimeSpan.Zero;
        var step = TimeSpan.FromMilliseconds(250);
        while (!condition())
        {
            if (moved > (limit ?? TimeSpan.FromMinutes(20)))
            {
                throw new TimeoutException($"not within {moved} of the test's clock");
            }

            Time.Advance(step);
            moved += step;
            // Real time for real threads: the clock must not run away from them.
            await Task.Delay(1);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }

        await Server.DisposeAsync();
        await ServerNode.DisposeAsync();
    }

    private LNetNode NewNode(Nid nid) => new(new LNetOptions { LocalNid = nid }, _transport, Time, Log<LNetNode>());

    private static ILogger<T> Log<T>() => Logging.CreateLogger<T>();
}
