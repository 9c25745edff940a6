using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Nacre.LNet;
using Nacre.PtlRpc.Timing;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>
/// The server side of the RPC layer: takes requests of all targets of the node from LNet, checks them in the order of 02 section 6.10,
/// runs their handlers and answers. Connects, disconnects, pings, resends, early replies and evictions are handled here.
/// <para>A handler starts on the receive loop of the connection and runs there until it first has to wait.</para>
/// </summary>
public sealed partial class RpcServer : IPutReceiver, IAsyncDisposable
{
    private readonly ConcurrentDictionary<ulong, Export> _exportsByHandle = new();
    private readonly Lock _targetsGate = new();
    private readonly RpcService?[] _services = new RpcService?[Portal.Count];
    private readonly ILogger _log;
    private readonly RpcRequestPool _requests;
    private readonly RpcMetrics _metrics;
    private readonly ITimer _evictor;
    private readonly LogRateLimit _peerLines;
    private Dictionary<string, RpcTargetState> _targetsByUuid = new(StringComparer.Ordinal);
    private long _waitingBytes;

    public RpcServer(ILNet lnet, RpcServerOptions options, TimeProvider time, ILogger<RpcServer> log)
    {
        LNet = lnet;
        Options = options;
        Clock = new RpcClock(time);
        _log = log;
        Wheel = new DeadlineWheel(Clock);
        Bulk = new BulkBufferPool(options.BulkPoolBytes);
        Xids = new XidGenerator(time);
        _peerLines = new LogRateLimit(time);
        _requests = new RpcRequestPool(this);
        _metrics = new RpcMetrics(this);
        _lastEvictorRun = Clock.Milliseconds;
        _evictor = time.CreateTimer(static server => ((RpcServer)server!).EvictSilent(), this, EvictorPeriod, EvictorPeriod);
    }

    public RpcServerOptions Options { get; }

    /// <summary>The buffers all bulk data of the node passes through.</summary>
    public BulkBufferPool Bulk { get; }

    internal ILNet LNet { get; }

    internal RpcClock Clock { get; }

    internal DeadlineWheel Wheel { get; }

    internal XidGenerator Xids { get; }

    internal IEnumerable<RpcTargetState> Targets => _targetsByUuid.Values;

    /// <summary>Accepts connects to the target, and serves the request portals of its kind.</summary>
    /// <exception cref="InvalidOperationException">A target of this UUID is there already.</exception>
    public void AddTarget(IRpcTarget target)
    {
        lock (_targetsGate)
        {
            // Readers take no lock: they see the old table or the new one.
            var targets = new Dictionary<string, RpcTargetState>(_targetsByUuid, StringComparer.Ordinal);
            if (!targets.TryAdd(target.Uuid, new RpcTargetState(target)))
            {
                throw new InvalidOperationException($"target {target.Uuid} is served already");
            }

            Volatile.Write(ref _targetsByUuid, targets);
            foreach (var (portal, kinds) in RpcService.All)
            {
                if ((kinds & target.Kind) != 0 && _services[portal] is null)
                {
                    _services[portal] = new RpcService(portal, kinds, Options.MinimumEstimate, Options.MaximumEstimate);
                    LNet.Serve(portal, this);
                }
            }
        }

        LogTargetAdded(_log, target.Uuid);
    }

    /// <summary>
    /// Forgets the target and closes its exports: clients get -ENODEV and -ENOTCONN, and try elsewhere or wait, or -EACCES
    /// (<see cref="RpcServerOptions.IsRemoved"/>), and give up. Portals stay served.
    /// </summary>
    /// <returns>Completes when no request of the target is executed any more: then its stores may be closed.</returns>
    public Task RemoveTarget(IRpcTarget target)
    {
        RpcTargetState? state;
        lock (_targetsGate)
        {
            var targets = new Dictionary<string, RpcTargetState>(_targetsByUuid, StringComparer.Ordinal);
            if (!targets.Remove(target.Uuid, out state))
            {
                return Task.CompletedTask;
            }

            lock (state.Gate)
            {
                state.Stopping = true;
            }

            Volatile.Write(ref _targetsByUuid, targets);
        }

        foreach (var export in ExportsOf(state))
        {
            Close(export, ExportCloseReason.TargetStopped);
        }

        LogTargetRemoved(_log, target.Uuid);
        return state.WhenDrained();
    }

    /// <summary>Throws a client out: its state goes, and it notices at its next request (02 section 9.9).</summary>
    public void Evict(Export export, string reason)
    {
        if (Close(export, ExportCloseReason.Evicted))
        {
            export.State.Counters.CountEviction();
            LogEvicted(_log, export.Target.Uuid, export.ClientUuid, export.Peer, reason);
        }
    }

    /// <summary>The clients connected to a target now.</summary>
    public IReadOnlyCollection<Export> Exports(IRpcTarget target) =>
        _targetsByUuid.TryGetValue(target.Uuid, out var state) ? ExportsOf(state) : [];

    /// <summary>Running totals of a target.</summary>
    /// <exception cref="KeyNotFoundException">The target is not served.</exception>
    public RpcCounters Counters(IRpcTarget target) => _targetsByUuid[target.Uuid].Counters;

    /// <summary>Stops taking requests. Targets are not told; remove them first where they have to know.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services)
        {
            if (service is not null)
            {
                LNet.StopServing(service.Portal);
            }
        }

        await _evictor.DisposeAsync().ConfigureAwait(false);
        foreach (var state in Targets)
        {
            state.Stopping = true;
            foreach (var export in ExportsOf(state))
            {
                // Ends what waits for bulk, locks or the client.
                TryCloseTokens(export);
            }
        }

        await Wheel.DisposeAsync().ConfigureAwait(false);
        _metrics.Dispose();
        Bulk.Dispose();
    }

    internal RpcTargetState StateOf(Export export) => export.State;

    internal void CountWaiting(RpcPeer client, int bytes)
    {
        Interlocked.Add(ref _waitingBytes, bytes);
        client.CountWaiting(bytes);
    }

    internal long WaitingBytes => Interlocked.Read(ref _waitingBytes);

    /// <summary>
    /// Handles are random, so that one of before a restart never hits another client's export; there is no secret in them
    /// (02 section 9.1). Those of a target that took over a name carry its generation.
    /// </summary>
    private Export CreateExport(RpcTargetState state, string clientUuid)
    {
        Span<byte> random = stackalloc byte[sizeof(ulong)];
        while (true)
        {
            RandomNumberGenerator.Fill(random);
            var handle = HandleGeneration.Mark(BitConverter.ToUInt64(random), state.Target.Generation);
            if (handle is not 0 and not ulong.MaxValue)
            {
                var export = new Export(this, state, clientUuid, handle);
                if (_exportsByHandle.TryAdd(handle, export))
                {
                    return export;
                }
            }
        }
    }

    /// <summary>True when this call closed it.</summary>
    private bool Close(Export export, ExportCloseReason reason)
    {
        _exportsByHandle.TryRemove(export.Handle, out _);
        lock (export.State.Gate)
        {
            if (export.State.Exports.TryGetValue(export.ClientUuid, out var current) && current == export)
            {
                export.State.Exports.Remove(export.ClientUuid);
            }
        }

        if (!TryCloseTokens(export))
        {
            return false;
        }

        Detach(export.Client, export);
        try
        {
            export.Target.OnClosed(export, reason);
        }
        catch (Exception failure)
        {
            LogCloseFailed(_log, failure, export.Target.Uuid, export.ClientUuid);
        }

        return true;
    }

    private bool TryCloseTokens(Export export)
    {
        try
        {
            return export.TryClose();
        }
        catch (AggregateException failure)
        {
            // Somebody who waited for the end of the export failed when told of it; the export is closed all the same.
            LogCloseFailed(_log, failure, export.Target.Uuid, export.ClientUuid);
            return true;
        }
    }

    private static List<Export> ExportsOf(RpcTargetState state)
    {
        lock (state.Gate)
        {
            return [.. state.Exports.Values];
        }
    }
}
