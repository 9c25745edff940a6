using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Nacre.Client.Cache;
using Nacre.Ldlm.Client;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Osc;

/// <summary>One OST as this client uses it: connection, locks, grant, write-back. Parts: bulk requests (Bulk), write-back (WriteBack).</summary>
internal sealed partial class ObjectTarget : IAsyncDisposable
{
    private const int MaxKeptCalls = 64;
    private readonly ConcurrentBag<RpcCall> _calls = [];

    [SuppressMessage("Usage", "CA2213", Justification = "Reads that fail at the end still give their slots back.")]
    private readonly SemaphoreSlim _readSlots;
    private readonly DataOptions _options;
    private readonly ILogger _log;

    internal ObjectTarget(int index, Import import, DataOptions options, CachePool cache, ILogger log)
    {
        Index = index;
        Import = import;
        Locks = new ClientNamespace(import, options.Locks, log);
        Cache = cache;
        _options = options;
        _log = log;
        _readSlots = new SemaphoreSlim(options.RequestsInFlight);
        Grant = new GrantAccount(import, Math.Max(options.DirtyBytesPerTarget, (options.RequestsInFlight + 1L) * Block.Size));
    }

    public int Index { get; }

    public Import Import { get; }

    /// <summary>Answers the OST's callbacks.</summary>
    public ClientNamespace Locks { get; }

    public CachePool Cache { get; }

    public GrantAccount Grant { get; }

    public TimeProvider Time => _options.Time;

    /// <summary>The server has forgotten this client: locks, grant and what was not written are lost.</summary>
    public void OnEvicted() => Locks.OnEvicted();

    /// <summary>No lock and no dirty data: the connection may be given up until it is needed.</summary>
    public bool MayIdle() => Locks.Count == 0 && DirtyBytes == 0;

    public ValueTask DisposeAsync() => Locks.DisposeAsync();

    /// <summary>Sends a request about an object that moves no data; the reply's status is not negative.</summary>
    /// <exception cref="ErrnoException">What the server answered, or why it could not.</exception>
    public async ValueTask<Obdo> CallAsync(uint opcode, Obdo body, CancellationToken ct)
    {
        var call = opcode == Opcode.OstSeek ? new RpcCall(opcode, Obdo.Size) : new RpcCall(opcode, Obdo.Size, 0);
        call.JobId = _options.JobId;
        call.Get<Obdo>(1) = body;
        using var reply = (await Import.SendAsync(call, ct).ConfigureAwait(false)).ThrowIfFailed();
        return reply.Get<Obdo>(1);
    }

    private RpcCall RentCall(uint opcode, int inlineBytes)
    {
        ReadOnlySpan<int> lengths = [Obdo.Size, ObdIoobj.Size, NiobufRemote.Size, 0, inlineBytes];
        if (_calls.TryTake(out var call))
        {
            call.Restart(opcode, lengths);
        }
        else
        {
            call = new RpcCall(opcode, lengths);
        }

        call.JobId = _options.JobId;
        return call;
    }

    private void ReturnCall(RpcCall call)
    {
        if (_calls.Count < MaxKeptCalls)
        {
            _calls.Add(call);
        }
    }
}
