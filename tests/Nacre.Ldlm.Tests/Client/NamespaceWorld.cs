using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Testing;
using Nacre.Testing.Rpc;
using HeldLock = Nacre.Ldlm.Client.ClientLock;

namespace Nacre.Ldlm.Tests.Client;

/// <summary>A client's lock namespace against a server that says exactly what a test wants, when it wants.</summary>
internal sealed class NamespaceWorld : IAsyncDisposable
{
    private readonly Channel<PendingEnqueue> _enqueues = Channel.CreateUnbounded<PendingEnqueue>();
    private readonly List<ulong> _cancelled = [];
    private RpcNetwork _network = null!;
    private Export? _export;
    private ulong _lastHandle = 0x5000;

    private NamespaceWorld() => Target = new FakeTarget(TargetKind.Ost, "test_UUID");

    public static LdlmResId Object => new(0x100, 7);

    public static LdlmPolicy Whole => LdlmPolicy.Extent(0, LdlmPolicy.EndOfFile);

    public FakeTarget Target { get; }

    public ClientNamespace Locks { get; private set; } = null!;

    public Import Import => Locks.Import;

    public static async Task<NamespaceWorld> StartAsync(ClientNamespaceOptions? options = null)
    {
        var world = new NamespaceWorld();
        world.Target.OnNegotiate = (export, _) => world._export = export;
        world.Target.On(Opcode.LdlmEnqueue, world.EnqueueAsync).On(Opcode.LdlmCancel, world.Cancel);
        world._network = await RpcNetwork.StartAsync(world.Target);
        var rpc = await world._network.AddClientAsync();
        var callbacks = new Callbacks();
        var import = rpc.CreateImport(new ImportOptions
        {
            TargetUuid = world.Target.Uuid,
            Kind = TargetKind.Ost,
            Peer = world._network.ServerPeer,
            ClientUuid = Guid.NewGuid().ToString(),
            Wanted = ImportOptions.OstWanted,
            Callbacks = callbacks,
        });
        world.Locks = new ClientNamespace(import, options ?? new ClientNamespaceOptions(), NullLogger.Instance);
        callbacks.Locks = world.Locks;
        await import.ConnectAsync().Within();
        return world;
    }

    /// <summary>Server handles cancelled so far, in order.</summary>
    public ulong[] Cancelled
    {
        get
        {
            lock (_cancelled)
            {
                return [.. _cancelled];
            }
        }
    }

    public int CancelRequests { get; private set; }

    public Task<LockReference> EnqueueAsync(
        ILockOwner? owner = null, LockMode mode = LockMode.PW, LdlmPolicy? policy = null, LdlmResId? resource = null, CancellationToken ct = default) =>
        Locks.EnqueueAsync(new LockRequest(resource ?? Object, LockType.Extent, mode, policy ?? Whole, owner), ct).AsTask();

    /// <summary>The next enqueue that arrives at the server; it stays unanswered until the test says so.</summary>
    public Task<PendingEnqueue> NextEnqueueAsync() => _enqueues.Reader.ReadAsync().AsTask().Within();

    /// <summary>A granted lock with one reference.</summary>
    public async Task<(LockReference Reference, PendingEnqueue Enqueue)> GrantAsync(
        ILockOwner? owner = null, LockMode mode = LockMode.PW, LdlmPolicy? policy = null, LdlmResId? resource = null)
    {
        var asked = EnqueueAsync(owner, mode, policy, resource: resource);
        var enqueue = await NextEnqueueAsync();
        enqueue.Grant();
        return (await asked.Within(), enqueue);
    }

    /// <summary>Sends a callback; its status.</summary>
    public async Task<int> CallbackAsync(
        uint opcode, PendingEnqueue about, LdlmFlags flags = LdlmFlags.None, LdlmLockDesc? granted = null, OstLvb? lvb = null)
    {
        var (status, _) = await CallAsync(opcode, about, flags, granted, lvb);
        return status;
    }

    public async Task<(int Status, byte[] Lvb)> CallAsync(
        uint opcode, PendingEnqueue about, LdlmFlags flags, LdlmLockDesc? granted, OstLvb? lvb)
    {
        var request = new LdlmRequest
        {
            LockFlags = flags,
            LockDesc = granted ?? about.Request.LockDesc,
            Handle0 = about.Request.Handle0,
            Handle1 = about.ServerHandle,
        };
        var bytes = new byte[LdlmRequest.Size];
        MemoryMarshal.Write(bytes, request);
        var value = new byte[lvb is null ? 0 : OstLvb.Size];
        if (lvb is { } block)
        {
            MemoryMarshal.Write(value, block);
        }

        var calling = _export!.CallAsync(opcode, bytes, value, opcode == Opcode.LdlmCpCallback, TimeSpan.FromSeconds(30), CancellationToken.None);
        var reply = await calling.AsTask().Within();
        return (reply.Status, reply.BufferCount > 1 ? reply.Buffer(1).ToArray() : []);
    }

    public Task<int> CompleteAsync(PendingEnqueue about, LdlmFlags flags = LdlmFlags.None, ulong size = 0)
    {
        var description = about.Request.LockDesc;
        description.GrantedMode = description.ReqMode;
        return CallbackAsync(Opcode.LdlmCpCallback, about, flags, description, new OstLvb { ObjectSize = size });
    }

    public async ValueTask DisposeAsync()
    {
        // Unanswered requests would keep the server from stopping.
        while (_enqueues.Reader.TryRead(out var left))
        {
            left.Refuse(Errno.EINTR);
        }

        await Locks.DisposeAsync();
        await _network.DisposeAsync();
    }

    private async ValueTask EnqueueAsync(RpcRequest request)
    {
        var pending = new PendingEnqueue(request.Get<LdlmRequest>(1), Interlocked.Increment(ref _lastHandle));
        _enqueues.Writer.TryWrite(pending);
        await pending.AnswerAsync(request);
    }

    private void Cancel(RpcRequest request)
    {
        var count = Math.Max(1, (int)request.Get<LdlmRequest>(1).LockCount);
        lock (_cancelled)
        {
            CancelRequests++;
            _cancelled.AddRange(LdlmRequest.Handles(request.Buffer(1))[..count]);
        }

        request.StartReply();
    }

    private sealed class Callbacks : ICallbackHandler
    {
        public ClientNamespace? Locks { get; set; }

        public ValueTask HandleAsync(CallbackRequest request) => Locks!.HandleAsync(request);
    }
}

/// <summary>An enqueue at the server.</summary>
internal sealed class PendingEnqueue(LdlmRequest request, ulong serverHandle)
{
    private readonly TaskCompletionSource<Action<RpcRequest>> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public LdlmRequest Request { get; } = request;

    public ulong ServerHandle { get; } = serverHandle;

    public void Grant(LdlmFlags flags = LdlmFlags.None, LdlmPolicy? policy = null, ulong size = 0) =>
        Answer(flags | (policy is null ? 0 : LdlmFlags.LockChanged), Request.LockDesc.ReqMode, policy, size);

    public void Block() => Answer(LdlmFlags.BlockGranted | LdlmFlags.NoTimeout, LockMode.None, null, 0);

    public void Abort(ulong size) => _answer.TrySetResult(r =>
    {
        r.StartReply(LdlmReply.Size, OstLvb.Size);
        MemoryMarshal.Write(r.ReplyBuffer(2), new OstLvb { ObjectSize = size });
        r.Status = LdlmStatus.LockAborted;
    });

    public void Refuse(int errno) => _answer.TrySetResult(r => r.Fail(errno, rpcLevel: true));

    public async Task AnswerAsync(RpcRequest r) => (await _answer.Task)(r);

    private void Answer(LdlmFlags flags, LockMode granted, LdlmPolicy? policy, ulong size) => _answer.TrySetResult(r =>
    {
        r.StartReply(LdlmReply.Size, OstLvb.Size);
        ref var reply = ref r.Reply<LdlmReply>(1);
        reply.LockFlags = flags;
        reply.LockDesc = Request.LockDesc;
        reply.LockDesc.GrantedMode = granted;
        reply.LockDesc.Policy = policy ?? Request.LockDesc.Policy;
        reply.LockHandle = ServerHandle;
        MemoryMarshal.Write(r.ReplyBuffer(2), new OstLvb { ObjectSize = size });
    });
}

/// <summary>An owner that notes what it is told.</summary>
internal sealed class NotingOwner : ILockOwner
{
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>While not completed, giving the lock up takes that long.</summary>
    public Task Flush { get; set; } = Task.CompletedTask;

    public List<LockLoss> Losses { get; } = [];

    public bool Discard { get; private set; }

    public Task Asked => _asked.Task;

    public OstLvb? Known { get; set; }

    public async ValueTask OnCancelAsync(HeldLock heldLock, LockLoss reason)
    {
        lock (Losses)
        {
            Losses.Add(reason);
            Discard |= heldLock.Discard;
        }

        _asked.TrySetResult();
        await Flush;
    }

    public bool TryGlimpse(HeldLock heldLock, out OstLvb lvb)
    {
        lvb = Known ?? default;
        return Known is not null;
    }
}
