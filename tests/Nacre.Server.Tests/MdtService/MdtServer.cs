using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.Ldlm;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Ost;
using Nacre.Server.Storage;

namespace Nacre.Server.Tests.MdtService;

/// <summary>One MDT over in-memory LNet with a store in a temporary folder, and clients that connect to it.</summary>
internal sealed class MdtServer : IAsyncDisposable
{
    public const string Uuid = "test01-MDT0000_UUID";

    private readonly string _folder = Directory.CreateTempSubdirectory("nacre-mdt-").FullName;
    private readonly InMemoryTransport _network = new(TimeProvider.System);
    private readonly List<ScriptedClient> _clients = [];
    private readonly LNetNode _node;
    private int _nextClient = 1;

    private MdtServer(MdtTargetOptions options, int osts, LdlmOptions ldlm, TimeSpan? commitInterval)
    {
        Store = MetadataStore.Open(
            Path.Combine(_folder, "mdt.db"),
            new MetadataStoreOptions { FileSystemName = "test01", CommitInterval = commitInterval ?? TimeSpan.FromMilliseconds(5) },
            TimeProvider.System,
            NullLogger.Instance);
        FileSystem = new MdtFileSystem(Store, new MdtFileSystemOptions(), TimeProvider.System);
        _node = NewNode("10.0.0.1@tcp");
        Rpc = new RpcServer(_node, new RpcServerOptions { BulkPoolBytes = 8 << 20 }, TimeProvider.System, NullLogger<RpcServer>.Instance);
        Target = new MdtTarget(options, FileSystem, Rpc, ldlm, TimeProvider.System, NullLogger.Instance);
        for (int i = 0; i < osts; i++)
        {
            Osts.Add(new MemoryOst(i));
            Target.AddObjectTarget(Osts[i]);
        }
        Rpc.AddTarget(Target);
        Target.Start();
    }

    public static PeerId Peer { get; } = new(Nid.Parse("10.0.0.1@tcp"));

    public MetadataStore Store { get; }
    public MdtFileSystem FileSystem { get; }
    public RpcServer Rpc { get; }
    public MdtTarget Target { get; }
    public List<MemoryOst> Osts { get; } = [];

    public static async Task<MdtServer> StartAsync(
        int osts = 2, Func<MdtTargetOptions, MdtTargetOptions>? configure = null, LdlmOptions? ldlm = null,
        TimeSpan? commitInterval = null)
    {
        var options = new MdtTargetOptions { FileSystemName = "test01" };
        var server = new MdtServer(configure?.Invoke(options) ?? options, osts, ldlm ?? new LdlmOptions(), commitInterval);
        await server._node.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, 988), CancellationToken.None);
        return server;
    }

    /// <summary>A connected client; its FIDs come from a sequence of its own.</summary>
    public async Task<ScriptedClient> ConnectAsync(Func<ObdConnectData, ObdConnectData>? wish = null)
    {
        int number = Interlocked.Increment(ref _nextClient);
        var node = NewNode($"10.0.0.{number}@tcp");
        await node.ConnectAsync(Peer, new IPEndPoint(IPAddress.Loopback, 988), CancellationToken.None);
        var client = new ScriptedClient(node, $"00000000-0000-0000-0000-{number:d12}");
        _clients.Add(client);
        await client.ConnectAsync(wish);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            await client.DisposeAsync();
        await Target.StopAsync();
        await Rpc.DisposeAsync();
        Target.Dispose();
        await _node.DisposeAsync();
        Store.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private LNetNode NewNode(string nid) =>
        new(new LNetOptions { LocalNid = Nid.Parse(nid) }, _network, TimeProvider.System, NullLogger<LNetNode>.Instance);
}

/// <summary>An object target that only remembers what was destroyed.</summary>
internal sealed class MemoryOst(int index) : IObjectTarget
{
    public int Index { get; } = index;
    public string Uuid => $"test01-OST{Index:x4}_UUID";
    public bool Active { get; set; } = true;
    public long Available { get; set; } = 1L << 40;
    /// <summary>What the next call ends with.</summary>
    public Exception? FailsOnce { get; set; }

    /// <summary>What the next setting of a size ends with, after the object is made.</summary>
    public Exception? SizedThenFails { get; set; }

    public ConcurrentQueue<LuFid> Destroyed { get; } = [];

    public ObjectTargetSpace Space() => new(1L << 40, Available, Available, 0, 1 << 20);

    public ConcurrentDictionary<LuFid, ulong> Sizes { get; } = [];

    public ValueTask SetSizeAsync(LuFid objectFid, ulong size, CancellationToken ct)
    {
        Sizes[objectFid] = size;
        if (SizedThenFails is { } failure)
        {
            SizedThenFails = null;
            throw failure;
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask DestroyAsync(LuFid objectFid, CancellationToken ct)
    {
        if (FailsOnce is { } failure)
        {
            FailsOnce = null;
            throw failure;
        }
        Destroyed.Enqueue(objectFid);
        return ValueTask.CompletedTask;
    }
}
