using Microsoft.Extensions.Logging.Abstractions;
using Nacre.Client.Lov;
using Nacre.Client.Osc;
using Nacre.Client.Vfs;
using Nacre.EndToEnd.Client;
using Nacre.EndToEnd.Harness;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Tests.Osc;

/// <summary>A node in this process, a client that does what metadata there is, and data clients under test.</summary>
internal sealed class DataWorld : IAsyncDisposable
{
    private readonly List<DataMount> _mounts = [];
    private readonly List<TestFile> _files = [];

    private DataWorld(TestServer server, ScriptedClient names)
    {
        Server = server;
        Names = names;
    }

    public TestServer Server { get; }

    /// <summary>Makes files and layouts, and looks at data without a cache.</summary>
    public ScriptedClient Names { get; }

    public static async Task<DataWorld> StartAsync(int osts = 4, long capacityGib = 64 << 10)
    {
        var server = await TestServer.StartAsync(new TestServerOptions { Osts = osts, CapacityGib = capacityGib });
        return new DataWorld(server, await server.MountAsync());
    }

    /// <param name="osts">OSTs the mount knows, the first ones; null for all.</param>
    public async Task<DataMount> MountAsync(DataOptions? options = null, int? osts = null)
    {
        var mount = await DataMount.StartAsync(Server, options ?? new DataOptions(), osts ?? Server.Options.Osts);
        _mounts.Add(mount);
        return mount;
    }

    /// <summary>Another mount has its file from here on: what a layout lock would tell one of the other, is told.</summary>
    public TestFile Share(TestFile file)
    {
        _files.Add(file);
        return file;
    }

    public async Task LoseLayoutsAsync(TestFile changer)
    {
        foreach (var file in _files.Where(file => file != changer && file.Fid == changer.Fid))
        {
            await file.Data.LoseLayoutAsync().AsTask().WithinBoundsAsync();
        }
    }

    public Task<OpenFile> CreateAsync(string name, LovLayout? layout = null) => Names.CreateAsync(Names.Root, name, layout);

    public static LovLayout Striped(ushort count, uint stripeSize) => LovLayout.Plain(Part(count, stripeSize));

    public static LovLayout Progressive(ulong border, ushort count)
    {
        var layout = new LovLayout { IsComposite = true };
        var (first, second) = (Part(1, 65536), Part(count, 1 << 20));
        (first.End, second.Start) = (border, border);
        layout.Components.AddRange([first, second]);
        return layout;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var mount in _mounts)
        {
            await mount.DisposeAsync();
        }

        await Server.DisposeAsync();
    }

    private static LovComponent Part(ushort count, uint stripeSize) =>
        new() { StripeCount = count, StripeSize = stripeSize, GenOrOffset = PtlRpc.Wire.Lov.Any };
}

/// <summary>The object side of one mount.</summary>
internal sealed class DataMount : IAsyncDisposable
{
    private readonly TestServer _server;
    private readonly string _uuid = Guid.NewGuid().ToString();
    private readonly LNetNode _lnet;
    private readonly RpcClient _rpc;

    private DataMount(TestServer server, DataOptions options)
    {
        _server = server;
        var at = server.NewClientOptions();
        _lnet = new LNetNode(
            new LNetOptions { LocalNid = at.Nid }, at.Transport, TimeProvider.System, NullLogger<LNetNode>.Instance);
        var rpcOptions = new RpcClientOptions
        {
            Dial = (peer, ct) => _lnet.ConnectAsync(peer, at.Server, ct),
            ReconnectDelay = TimeSpan.FromMilliseconds(20),
        };
        _rpc = new RpcClient(_lnet, rpcOptions, TimeProvider.System, NullLogger<RpcClient>.Instance);
        Data = new DataClient(options, NullLoggerFactory.Instance);
    }

    public DataClient Data { get; }

    /// <summary>What the mount's files tell the kernel to drop; null: there is no kernel.</summary>
    public IKernelCache? Kernel { get; set; }

    public static async Task<DataMount> StartAsync(TestServer server, DataOptions options, int osts)
    {
        var mount = new DataMount(server, options);
        for (var index = 0; index < osts; index++)
        {
            await mount.AddAsync(index);
        }

        return mount;
    }

    /// <summary>From now on the mount knows this OST.</summary>
    public async Task AddAsync(int index)
    {
        var callbacks = new Callbacks();
        var import = _rpc.CreateImport(new ImportOptions
        {
            TargetUuid = $"{_server.Options.FileSystem}-OST{index:x4}_UUID",
            Kind = TargetKind.Ost,
            Peer = new PeerId(_server.Nid, PeerId.LustrePid),
            ClientUuid = _uuid,
            Wanted = Data.Wanted,
            Callbacks = callbacks,
            OnEvicted = _ => callbacks.Target!.OnEvicted(),
        });
        callbacks.Target = Data.AddTarget(index, import);
        await import.ConnectAsync().WithinBoundsAsync();
    }

    public TestFile Use(DataWorld world, OpenFile file) => world.Share(new TestFile(this, world, file));

    public async ValueTask DisposeAsync()
    {
        await _rpc.DisposeAsync();
        await Data.DisposeAsync();
        await _lnet.DisposeAsync();
    }

    private sealed class Callbacks : ICallbackHandler
    {
        public ObjectTarget? Target { get; set; }

        public ValueTask HandleAsync(CallbackRequest request) => Target!.Locks.HandleAsync(request);
    }
}

/// <summary>A file of a mount; its layout comes from the other client, each time it is asked for.</summary>
internal sealed class TestFile : IFileOwner
{
    private readonly DataMount _mount;
    private readonly DataWorld _world;
    private readonly OpenFile _file;

    public TestFile(DataMount mount, DataWorld world, OpenFile file)
    {
        _mount = mount;
        _world = world;
        _file = file;
        Data = new FileData(mount.Data, this);
        Open = Data.Open(mayBeMappedWritable: false, out _);
    }

    public FileData Data { get; }

    public OpenData Open { get; }

    public LuFid Fid => _file.Fid;

    /// <summary>Times the layout was asked for.</summary>
    public int LayoutsAsked { get; private set; }

    public Node Node { get; } = new TestNode();

    public IKernelCache? KernelCache => _mount.Kernel;

    public (uint Uid, uint Gid, uint ProjectId) Owner => (0, 0, 0);

    public async ValueTask<Outcome<FileLayout?>> RefreshLayoutAsync(bool forWrite, long offset, long length, CancellationToken ct)
    {
        LayoutsAsked++;
        if (forWrite)
        {
            await _world.Names.EnsureObjectsAsync(
                _file, (ulong)offset, length == long.MaxValue ? ulong.MaxValue : (ulong)(offset + length)).WithinBoundsAsync();
            await _world.LoseLayoutsAsync(this);
        }

        var layout = await _world.Names.GetLayoutAsync(_file.Fid).WithinBoundsAsync();
        var built = layout is null ? null : FileLayout.TryBuild(layout);
        Data.SetLayout(built);
        return built;
    }

    public async Task<byte[]> ReadAsync(long offset, int length)
    {
        using var result = (await Data.ReadAsync(Open, offset, length, direct: false, default).AsTask().WithinBoundsAsync()).Value;
        return Bytes(result);
    }

    public static byte[] Bytes(ReadResult result)
    {
        var bytes = new byte[result.Length];
        var at = 0;
        foreach (var segment in result.Segments)
        {
            segment.CopyTo(bytes.AsMemory(at));
            at += segment.Length;
        }

        Assert.Equal(result.Length, at);
        return bytes;
    }

    public async Task<long> WriteAsync(long offset, ReadOnlyMemory<byte> data, WriteOptions options = WriteOptions.None)
    {
        var (length, end) = (await Data.WriteAsync(Open, offset, data, options, default).AsTask().WithinBoundsAsync()).Value;
        Assert.Equal(data.Length, length);
        return end;
    }

    public async Task<long> SizeAsync() => (await Data.GetAttributesAsync(default).AsTask().WithinBoundsAsync()).Value.Size;

    private sealed class TestNode : Node
    {
        public override ulong Inode => 1;

        public override uint FileType => 0x8000;
    }
}
