using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.Ldlm.Wire;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Ost;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Tests.Ost;

/// <summary>One OST over a disk in memory, on a network in memory, and clients that speak to it by RPC.</summary>
internal sealed class OstFixture : IAsyncDisposable
{
    private static readonly PeerId ServerPeer = new(Nid.Parse("10.0.0.1@tcp"), PeerId.LustrePid);
    private static readonly IPEndPoint ServerAddress = new(IPAddress.Parse("10.0.0.1"), 988);
    public static readonly LuFid Fid = new(ObjectSequences.First(0), 7);

    private readonly InMemoryTransport _network = new(TimeProvider.System);
    private readonly List<IAsyncDisposable> _clients = [];
    private readonly LNetNode _lnet;
    private int _nids = 1;

    private OstFixture(IObjectFiles disk, long capacity, OstOptions options)
    {
        _lnet = NewNode(ServerPeer.Nid);
        Server = new RpcServer(_lnet, new RpcServerOptions { BulkPoolBytes = 16 << 20 }, TimeProvider.System, NullLogger<RpcServer>.Instance);
        Store = Stores.Over(disk, capacity);
        Target = new OstTarget(options, Store, Server, TimeProvider.System, NullLogger<OstTarget>.Instance);
        Server.AddTarget(Target);
    }

    public RpcServer Server { get; }
    public ObjectStore Store { get; }
    public OstTarget Target { get; }

    public static async Task<OstFixture> StartAsync(
        IObjectFiles? disk = null, long capacity = 1L << 33, Func<OstOptions, OstOptions>? configure = null)
    {
        var options = new OstOptions { FileSystem = "demo", Index = 0 };
        var fixture = new OstFixture(disk ?? new MemoryObjectFiles(1L << 34), capacity, configure?.Invoke(options) ?? options);
        await fixture._lnet.StartListeningAsync(ServerAddress, default);
        return fixture;
    }

    public async Task<OstClient> ConnectAsync(Func<ObdConnectData, ObdConnectData>? ask = null)
    {
        var node = NewNode(Nid.Parse($"10.0.0.{++_nids}@tcp"));
        var rpc = new RpcClient(node, new RpcClientOptions { Dial = (_, ct) => node.ConnectAsync(ServerPeer, ServerAddress, ct) },
            TimeProvider.System, NullLogger<RpcClient>.Instance);
        var wanted = ImportOptions.OstWanted;
        var client = new OstClient();
        client.Import = rpc.CreateImport(new ImportOptions
        {
            TargetUuid = Target.Uuid,
            Kind = TargetKind.Ost,
            Peer = ServerPeer,
            ClientUuid = Guid.NewGuid().ToString(),
            Wanted = ask?.Invoke(wanted) ?? wanted,
            Callbacks = client,
        });
        _clients.Add(client.Import);
        _clients.Add(rpc);
        _clients.Add(node);
        await client.Import.ConnectAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) await client.DisposeAsync();
        await Server.DisposeAsync();
        await Target.DisposeAsync();
        await _lnet.DisposeAsync();
    }

    private LNetNode NewNode(Nid nid) => new(new LNetOptions { LocalNid = nid }, _network, TimeProvider.System, NullLogger<LNetNode>.Instance);
}

/// <summary>A client's OSC, by hand: builds each request, and gives up locks when called back.</summary>
internal sealed class OstClient : ICallbackHandler
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public Import Import { get; set; } = null!;

    /// <summary>Flags of the blocking callbacks that came.</summary>
    public List<LdlmFlags> CalledBack { get; } = [];

    /// <summary>What to do before the lock is given up.</summary>
    public Func<Task> BeforeCancel { get; set; } = () => Task.CompletedTask;

    public async Task<RpcReply> SendAsync(RpcCall call)
    {
        call.ReplyBytes = 512 << 10;
        return await Import.SendAsync(call).AsTask().WaitAsync(Patience);
    }

    /// <summary>A request of one obdo; throws what the server answers.</summary>
    public async Task<Obdo> BodyAsync(uint opcode, Obdo oa)
    {
        using var reply = await RawBodyAsync(opcode, oa);
        if (reply.Status < 0) throw new FsException(-reply.Status);
        return reply.Get<OstBody>(1).Oa;
    }

    public Task<RpcReply> RawBodyAsync(uint opcode, Obdo oa)
    {
        var call = new RpcCall(opcode, OstBody.Size, 0);
        call.Get<OstBody>(1).Oa = oa;
        return SendAsync(call);
    }

    public static Obdo Object(ObdoValid valid = 0, LuFid? fid = null) => new()
    {
        Valid = ObdoValid.Id | ObdoValid.Group | valid,
        Oi = OstId.FromFid(fid ?? OstFixture.Fid),
    };

    /// <summary>A bulk request as a kernel client builds it.</summary>
    public static RpcCall Brw(uint opcode, Obdo oa, NiobufRemote[] niobufs, int shortBytes = 0, int maxMds = 4)
    {
        var call = new RpcCall(opcode, OstBody.Size, ObdIoobj.Size, NiobufRemote.Size * niobufs.Length, 0, shortBytes);
        call.Get<OstBody>(1).Oa = oa;
        call.Get<ObdIoobj>(2) = new ObdIoobj { Oid = oa.Oi, MaxBrw = (uint)(maxMds - 1) << 16, BufferCount = (uint)niobufs.Length };
        niobufs.CopyTo(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, NiobufRemote>(call.Buffer(3)));
        return call;
    }

    public static NiobufRemote Niobuf(long offset, int length, NiobufFlags flags = NiobufFlags.Async) =>
        new() { Offset = (ulong)offset, Length = (uint)length, Flags = flags };

    /// <summary>Sends a bulk read or write over the MDs the niobufs give; <paramref name="data"/> is filled or taken.</summary>
    public Task<RpcReply> BulkAsync(uint opcode, Obdo oa, NiobufRemote[] niobufs, byte[] data, int maxMds = 4)
    {
        var lengths = new int[64];
        int count = BulkSplit.Compute(niobufs, 4096, lengths);
        var mds = new Memory<byte>[count];
        for (int i = 0, at = 0; i < count; at += lengths[i++]) mds[i] = data.AsMemory(at, lengths[i]);
        var call = Brw(opcode, oa, niobufs, maxMds: maxMds);
        call.SetBulk(opcode == Opcode.OstRead ? BulkDirection.Read : BulkDirection.Write, Portal.OstBulk, mds, maxMds);
        return SendAsync(call);
    }

    public async Task WriteAsync(long offset, byte[] data, NiobufFlags flags = NiobufFlags.Async, Obdo? oa = null)
    {
        using var reply = await BulkAsync(Opcode.OstWrite, oa ?? Object(), [Niobuf(offset, data.Length, flags)], data);
        if (reply.Status < 0) throw new FsException(-reply.Status);
        Assert.Equal([0, 0, 0, 0], reply.Buffer(2).ToArray());
    }

    /// <summary>What the server sends; a client zero-fills the rest.</summary>
    public async Task<byte[]> ReadAsync(long offset, int length, NiobufFlags flags = NiobufFlags.Read)
    {
        var data = new byte[length];
        Array.Fill(data, (byte)0xEE);
        using var reply = await BulkAsync(Opcode.OstRead, Object(), [Niobuf(offset, length, flags)], data);
        if (reply.Status < 0) throw new FsException(-reply.Status);
        Assert.Equal(reply.Status, reply.BulkBytes);
        Assert.True(data.AsSpan(reply.Status).IndexOfAnyExcept((byte)0xEE) < 0);
        return data[..reply.Status];
    }

    /// <summary>An extent lock; returns the server's handle, the flags and the LVB of the reply.</summary>
    public async Task<(int Status, LdlmReply Reply, OstLvb Lvb)> EnqueueAsync(
        LockMode mode, ulong start = 0, ulong end = ulong.MaxValue, LdlmFlags flags = 0)
    {
        var call = new RpcCall(Opcode.LdlmEnqueue, LdlmRequest.Size);
        ref var request = ref call.Get<LdlmRequest>(1);
        request.LockFlags = flags;
        request.LockCount = 1;
        request.LockDesc.Resource = new LdlmResourceDesc { Type = LockType.Extent, Name = LdlmResId.OfFid(OstFixture.Fid) };
        request.LockDesc.ReqMode = mode;
        request.LockDesc.Policy = LdlmPolicy.Extent(start, end);
        request.Handle0 = (ulong)Random.Shared.NextInt64();
        using var reply = await SendAsync(call);
        if (reply.Status < 0) throw new FsException(-reply.Status);
        return (reply.Status, reply.Get<LdlmReply>(1), OstLvb.Read(reply.Buffer(2)));
    }

    public async Task CancelAsync(ulong handle)
    {
        var call = new RpcCall(Opcode.LdlmCancel, LdlmRequest.Size);
        call.Get<LdlmRequest>(1).LockCount = 1;
        call.Get<LdlmRequest>(1).Handle0 = handle;
        using var reply = await SendAsync(call);
    }

    public ulong Held { get; set; }

    ValueTask ICallbackHandler.HandleAsync(CallbackRequest request)
    {
        if (request.Opcode == Opcode.LdlmBlCallback)
        {
            lock (CalledBack) CalledBack.Add(request.Get<LdlmRequest>(1).LockFlags);
            // In its own time, as a client does: the callback is answered at once.
            _ = GiveUpAsync();
        }
        return ValueTask.CompletedTask;
    }

    private async Task GiveUpAsync()
    {
        await BeforeCancel();
        await CancelAsync(Held);
    }
}
