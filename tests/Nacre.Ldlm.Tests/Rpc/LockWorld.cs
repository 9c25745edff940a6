using System.Net;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.Ldlm.Wire;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Tests.Rpc;

/// <summary>A target that has locks and nothing else.</summary>
internal sealed class LockTarget : IRpcTarget, ILdlmHost
{
    private readonly RpcOperationTable _operations;

    public LockTarget(TargetKind kind, LdlmOptions options)
    {
        Kind = kind;
        Locks = new LdlmNamespace("test", this, options, TimeProvider.System, NullLogger.Instance);
        _operations = new RpcOperationTable(
            new RpcOperation(Opcode.LdlmEnqueue, Locks.EnqueueAsync),
            new RpcOperation(Opcode.LdlmCancel, Locks.CancelAsync),
            new RpcOperation(Opcode.LdlmConvert, Locks.ConvertAsync));
    }

    public LdlmNamespace Locks { get; }

    public RpcServer Server { get; set; } = null!;

    public Func<RpcRequest, ulong, ValueTask>? Intent { get; set; }

    public OstLvb Lvb { get; set; }

    public int LvbError { get; set; }

    public string Uuid => "test_UUID";

    public TargetKind Kind { get; }

    public ulong LastCommitted => 0;

    public RpcHandler? Find(uint opcode) => _operations.Find(opcode);

    public bool Modifies(uint opcode) => _operations.Modifies(opcode);

    public void Negotiate(Export export, in ObdConnectData wanted, ref ObdConnectData reply)
    {
    }

    public void OnConnected(Export export)
    {
    }

    public void OnReconnected(Export export)
    {
    }

    public void OnClosed(Export export, ExportCloseReason reason) => Locks.DropExport(export);

    public int FillLvb(in LdlmResId res, LockType type, Span<byte> lvb)
    {
        if (type != LockType.Extent)
            return 0;
        MemoryMarshal.Write(lvb, Lvb);
        return LvbError != 0 ? LvbError : OstLvb.Size;
    }

    public ValueTask IntentAsync(RpcRequest request, ulong intentOpcode) => Intent!(request, intentOpcode);

    public void Evict(Export export, string reason) => Server.Evict(export, reason);
}

/// <summary>A server with one target and clients, all in this process over the in-memory network.</summary>
internal sealed class LockWorld : IAsyncDisposable
{
    private static readonly IPEndPoint At = new(IPAddress.Parse("10.0.0.1"), 988);
    private static readonly Nid ServerNid = Nid.Parse("10.0.0.1@tcp");
    private readonly InMemoryTransport _transport = new(TimeProvider.System);
    private readonly LNetNode _lnet;
    private readonly List<LockClient> _clients = [];

    private LockWorld(TargetKind kind, LdlmOptions options)
    {
        _lnet = new LNetNode(
            new LNetOptions { LocalNid = ServerNid }, _transport, TimeProvider.System, NullLogger<LNetNode>.Instance);
        Server = new RpcServer(_lnet, new RpcServerOptions(), TimeProvider.System, NullLogger<RpcServer>.Instance);
        Target = new LockTarget(kind, options) { Server = Server };
        Server.AddTarget(Target);
    }

    public RpcServer Server { get; }

    public LockTarget Target { get; }

    public LdlmNamespace Locks => Target.Locks;

    public static LdlmResId File => LdlmResId.OfFid(new LuFid(0x200000401, 5));

    public static LdlmResId Flocks => LdlmResId.OfFlock(new LuFid(0x200000401, 5));

    public static async Task<LockWorld> StartAsync(TargetKind kind, LdlmOptions? options = null)
    {
        var world = new LockWorld(kind, options ?? new LdlmOptions());
        await world._lnet.StartListeningAsync(At, CancellationToken.None);
        return world;
    }

    public async Task<LockClient> ConnectAsync(uint version = ObdConnectData.Version2158, ConnectFlags without = ConnectFlags.None)
    {
        var lnet = new LNetNode(
            new LNetOptions { LocalNid = Nid.Parse($"10.0.0.{_clients.Count + 2}@tcp") },
            _transport,
            TimeProvider.System,
            NullLogger<LNetNode>.Instance);
        var server = new PeerId(ServerNid, PeerId.LustrePid);
        await lnet.ConnectAsync(server, At, CancellationToken.None);
        var client = new LockClient(lnet, server, Target, version, without);
        _clients.Add(client);
        await client.Import.ConnectAsync();
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            await client.DisposeAsync();
        await Server.DisposeAsync();
        await _lnet.DisposeAsync();
        Locks.Dispose();
    }
}

/// <summary>What came with a reply to an enqueue.</summary>
internal sealed record EnqueueReply(int Status, bool IsError, LdlmReply Reply, byte[] Lvb, int BufferCount)
{
    public LdlmFlags Flags => Reply.LockFlags;

    public bool Granted => Status == 0 && (Flags & LdlmFlags.BlockGranted) == 0;
}

/// <summary>One callback as the client got it.</summary>
internal sealed record ClientCallback(uint Opcode, LdlmRequest Request, byte[] Lvb);

/// <summary>A client that sends what it is told and keeps what it gets.</summary>
internal sealed class LockClient : ICallbackHandler, IAsyncDisposable
{
    private static long _handles = 0x7000_0000;
    private readonly RpcClient _rpc;
    private readonly Channel<ClientCallback> _callbacks = Channel.CreateUnbounded<ClientCallback>();

    public LockClient(LNetNode lnet, PeerId server, LockTarget target, uint version, ConnectFlags without)
    {
        LNet = lnet;
        Server = server;
        _rpc = new RpcClient(lnet, TimeProvider.System, NullLogger<RpcClient>.Instance);
        var wanted = target.Kind == TargetKind.Ost ? ImportOptions.OstWanted : ImportOptions.MdtWanted;
        wanted.Version = version;
        wanted.Flags &= ~without;
        Import = _rpc.CreateImport(new ImportOptions
        {
            TargetUuid = target.Uuid,
            Kind = target.Kind,
            Peer = server,
            ClientUuid = Guid.NewGuid().ToString(),
            Wanted = wanted,
            Callbacks = this,
        });
    }

    public LNetNode LNet { get; }

    public PeerId Server { get; }

    public Import Import { get; }

    /// <summary>How callbacks are answered; null: status 0 and no data.</summary>
    public Action<CallbackRequest>? Answer { get; set; }

    public static ulong NewHandle() => (ulong)Interlocked.Increment(ref _handles);

    public static LdlmRequest Request(
        LockType type, LockMode mode, LdlmPolicy policy, LdlmFlags flags = 0, ulong handle = 0, LdlmResId? name = null) => new()
        {
            LockFlags = flags,
            LockCount = 1,
            LockDesc = new LdlmLockDesc
            {
                Resource = new LdlmResourceDesc
                {
                    Type = type,
                    Name = name ?? (type == LockType.Flock ? LockWorld.Flocks : LockWorld.File),
                },
                ReqMode = mode,
                Policy = policy,
            },
            Handle0 = handle != 0 ? handle : NewHandle(),
        };

    public Task<EnqueueReply> EnqueueAsync(
        LockType type, LockMode mode, LdlmPolicy policy, LdlmFlags flags = 0, ulong handle = 0) =>
        EnqueueAsync(Request(type, mode, policy, flags, handle));

    public async Task<EnqueueReply> EnqueueAsync(LdlmRequest request, IntentOpcode? intent = null, params ulong[] early)
    {
        var length = LdlmRequest.HandlesOffset + (8 * Math.Max(2, early.Length + 1));
        var call = intent is null
            ? new RpcCall(Opcode.LdlmEnqueue, length)
            : new RpcCall(Opcode.LdlmEnqueue, length, LdlmIntent.Size);
        if (early.Length > 0)
            request.LockCount = (uint)early.Length + 1;
        MemoryMarshal.Write(call.Buffer(1), request);
        MemoryMarshal.AsBytes<ulong>(early).CopyTo(call.Buffer(1)[(LdlmRequest.HandlesOffset + 8)..]);
        if (intent is { } opcode)
            call.Get<LdlmIntent>(2).Opcode = opcode;
        using var reply = await Import.SendAsync(call);
        return Read(reply);
    }

    public async Task<int> CancelAsync(params ulong[] handles)
    {
        var call = new RpcCall(Opcode.LdlmCancel, LdlmRequest.HandlesOffset + (8 * Math.Max(2, handles.Length)));
        call.Get<LdlmRequest>(1).LockCount = (uint)handles.Length;
        MemoryMarshal.AsBytes<ulong>(handles).CopyTo(call.Buffer(1)[LdlmRequest.HandlesOffset..]);
        using var reply = await Import.SendAsync(call);
        return reply.Status;
    }

    public async Task<(int Status, bool IsError)> SendAsync(uint opcode, byte[] buffer)
    {
        var call = new RpcCall(opcode, buffer.Length);
        buffer.CopyTo(call.Buffer(1));
        using var reply = await Import.SendAsync(call);
        return (reply.Status, reply.IsError);
    }

    /// <summary>The next callback, at most 30 s from now.</summary>
    public async Task<ClientCallback> NextAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        return await _callbacks.Reader.ReadAsync(patience.Token);
    }

    public bool HasCallback => _callbacks.Reader.TryPeek(out _);

    public ValueTask HandleAsync(CallbackRequest request)
    {
        var copy = new ClientCallback(request.Opcode, request.Get<LdlmRequest>(1), request.Buffer(2).ToArray());
        Answer?.Invoke(request);
        _callbacks.Writer.TryWrite(copy);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _rpc.DisposeAsync();
        await LNet.DisposeAsync();
    }

    public static EnqueueReply Read(RpcReply reply) => new(
        reply.Status,
        reply.IsError,
        reply.BufferLength(1) >= LdlmReply.Size ? reply.Get<LdlmReply>(1) : default,
        reply.Buffer(2).ToArray(),
        reply.BufferCount);
}
