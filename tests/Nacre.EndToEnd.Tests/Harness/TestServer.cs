using System.Net;
using System.Net.Sockets;
using Nacre.EndToEnd.Client;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Nacre.Server.Node;

namespace Nacre.EndToEnd.Harness;

/// <summary>What a <see cref="TestServer"/> is to be.</summary>
public sealed record TestServerOptions
{
    /// <summary>The captures' file system has this name, so their requests fit.</summary>
    public string FileSystem { get; init; } = "nacre01";

    public int Osts { get; init; } = 2;

    /// <summary>Name of a second file system on the same node.</summary>
    public string? BesideIt { get; init; }

    public long CapacityGib { get; init; } = 64 << 10;

    /// <summary>Where the data folder is made; null for a temporary one.</summary>
    public string? DataFolder { get; init; }

    public long ReserveBytes { get; init; } = 1L << 20;

    public long BulkMemoryBytes { get; init; } = 256L << 20;

    /// <summary>Real TCP on the loopback interface; without it a network in memory.</summary>
    public bool Tcp { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>
/// A whole node in this process, with a data folder of its own, and the clients that mount it. <see cref="DisposeAsync"/> fails when the node
/// has logged an error.
/// </summary>
public sealed class TestServer : IAsyncDisposable
{
    private readonly TestFolder _folder = new();
    private readonly List<ScriptedClient> _clients = [];
    private NacreNode? _node;
    private int _lastClient;

    private TestServer(TestServerOptions options)
    {
        Options = options;
        Transport = options.Tcp ? new TcpTransport() : new InMemoryTransport(options.Time);
        Nid = Nid.Parse(options.Tcp ? "127.0.0.1@tcp" : "10.0.0.1@tcp");
        At = new IPEndPoint(Nid.Address, options.Tcp ? FreePort() : LNetOptions.DefaultPort);
    }

    public TestServerOptions Options { get; }

    public ITransport Transport { get; }

    public Nid Nid { get; }

    public IPEndPoint At { get; }

    public LogCollector Log { get; } = new();

    public NacreNode Node => _node ?? throw new InvalidOperationException("the node does not run");

    public string DataFolder => Options.DataFolder ?? _folder.Path;

    public static async Task<TestServer> StartAsync(TestServerOptions? options = null)
    {
        var server = new TestServer(options ?? new TestServerOptions());
        await server.StartNodeAsync();
        return server;
    }

    /// <summary>A TCP port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    /// <summary>A client that mounts the file system; it goes with the server.</summary>
    public async Task<ScriptedClient> MountAsync(ITransport? transport = null, string? fileSystem = null)
    {
        var options = NewClientOptions(transport);
        var client = await ScriptedClient.MountAsync(options with { FileSystem = fileSystem ?? options.FileSystem }).WithinBoundsAsync();
        lock (_clients)
        {
            _clients.Add(client);
        }

        return client;
    }

    public ScriptedClientOptions NewClientOptions(ITransport? transport = null)
    {
        var number = Interlocked.Increment(ref _lastClient);
        return new ScriptedClientOptions
        {
            Transport = transport ?? Transport,
            Server = At,
            ServerNid = Nid,
            Nid = Nid.FromTcp(new IPAddress([10, 1, (byte)(number >> 8), (byte)number])),
            FileSystem = Options.FileSystem,
            Time = Options.Time,
        };
    }

    /// <summary>Stops the node in good order and starts another on the same data.</summary>
    public async Task RestartAsync()
    {
        await Node.DisposeAsync();
        await StartNodeAsync();
    }

    /// <summary>Stops the node for good: nobody answers any more.</summary>
    public async Task StopAsync()
    {
        await Node.DisposeAsync();
        _node = null;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }

        if (_node is { } node)
        {
            await node.DisposeAsync();
        }

        _folder.Dispose();
        Log.ThrowOnErrors();
    }

    private IEnumerable<string> Names() => Options.BesideIt is { } other ? [Options.FileSystem, other] : [Options.FileSystem];

    private async Task StartNodeAsync()
    {
        var options = new NodeOptions
        {
            DataFolder = DataFolder,
            ReserveBytes = Options.ReserveBytes,
            Nid = Nid,
            LNetPort = At.Port,
            FileSystems = [.. Names().Select(name => new FileSystemSpec(name, Options.Osts, Options.CapacityGib))],
            BulkMemoryBytes = Options.BulkMemoryBytes,
        };
        _node = await NacreNode.StartAsync(options, Transport, Options.Time, Log.NewFactory(), CancellationToken.None).WithinBoundsAsync();
    }
}
