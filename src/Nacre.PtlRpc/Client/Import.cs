using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>
/// The client's connection to one target (02 section 15): connects, sends, resends after a reconnect, pings, notices evictions,
/// disconnects. It does not replay: after a restart of the server it counts as evicted.
/// <para>Requests issued while it is not <see cref="ImportState.Full"/> wait for it.</para>
/// </summary>
public sealed partial class Import : IAsyncDisposable
{
    /// <summary>
    /// Guards everything here and in the calls. Messages leave, and results of callers are set, outside of it: both may run what
    /// waits for the network, of this import or another.
    /// </summary>
    private readonly Lock _gate = new();
    private readonly PendingCalls _pending = new();

    /// <summary>Calls that wait for a connection. One that was cancelled stays until its turn, recognised by its version.</summary>
    private readonly Queue<(ImportCall Call, int Version)> _unsent = new();

    /// <summary>Calls prepared under the gate, to be given to LNet by <see cref="SendPrepared"/> outside of it.</summary>
    private readonly Queue<ImportCall> _outbox = new();
    private readonly TagSlots _tags = new();
    private readonly CancellationTokenSource _closingSource = new();
    private readonly CancellationToken _closing;
    private readonly HashSet<ulong> _callbacks = [];

    /// <summary>Seconds: the service's estimate by request portal, as the last replies told it (02 section 6.7).</summary>
    private readonly int[] _estimates = new int[Portal.Count];
    private readonly int _defaultPortal;
    private PeerId[] _peers;
    private int _peerIndex;
    private ObdConnectData _connectData;
    private ImportState _state = ImportState.New;
    private string _clientUuid;
    private ulong _serverHandle;
    private uint _connectionCount;
    private long _lastSent;

    /// <summary>Milliseconds of the last call that was not a ping.</summary>
    private long _lastUse;
    private int _latencySeconds = 1;
    private uint _lockLimit;
    private ulong _serverLockVolume;
    private ulong _lastCommitted;
    private bool _pinging;
    private int _disposed;

    internal Import(RpcClient client, ImportOptions options, ulong clientHandle)
    {
        Client = client;
        Options = options;
        ClientHandle = clientHandle;
        _peers = [options.Peer, .. options.FailoverPeers];
        _clientUuid = options.ClientUuid;
        _defaultPortal = ImportPortals.Default(options.Kind);
        _wanted = options.Wanted;
        _closing = _closingSource.Token;
        Array.Fill(_estimates, InitialEstimate);
    }

    public ImportOptions Options { get; }

    /// <summary>The node the target is looked for at: <see cref="ImportOptions.Peer"/>, or the next one after a connect that failed.</summary>
    public PeerId Peer
    {
        get
        {
            var peers = Volatile.Read(ref _peers);
            // The two are not read together: the index may be one of a longer list that was set in between.
            return peers[Volatile.Read(ref _peerIndex) % peers.Length];
        }
    }

    /// <summary>What the server puts into pb_handle of its requests to this import.</summary>
    public ulong ClientHandle { get; }

    public ImportState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    /// <summary>What the server granted at the last connect.</summary>
    public ObdConnectData ConnectData
    {
        get
        {
            lock (_gate)
            {
                return _connectData;
            }
        }
    }

    /// <summary>Export handle the server gave; 0 when there is none.</summary>
    public ulong ServerHandle
    {
        get
        {
            lock (_gate)
            {
                return _serverHandle;
            }
        }
    }

    /// <summary>Highest last_committed seen.</summary>
    public ulong LastCommitted
    {
        get
        {
            lock (_gate)
            {
                return _lastCommitted;
            }
        }
    }

    /// <summary>Connects begun so far, failed ones included.</summary>
    public uint ConnectionCount
    {
        get
        {
            lock (_gate)
            {
                return _connectionCount;
            }
        }
    }

    internal RpcClient Client { get; }

    internal uint LockLimit => Volatile.Read(ref _lockLimit);

    internal ulong ServerLockVolume => Volatile.Read(ref _serverLockVolume);

    internal bool HasGranted(ConnectFlags2 flags) => ConnectData.Has(flags);

    /// <summary>Where the target is to be looked for from the next connect on, best node first.</summary>
    public void SetPeers(PeerId peer, params ReadOnlySpan<PeerId> failover)
    {
        lock (_gate)
        {
            _peerIndex = 0;
            Volatile.Write(ref _peers, [peer, .. failover]);
        }
    }

    /// <summary>Closes without a word to the server; <see cref="DisconnectAsync"/> is the polite way. Requests under way fail.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _closingSource.CancelAsync().ConfigureAwait(false);
        _closingSource.Dispose();
        Client.Remove(this);
        Close(Errno.ESHUTDOWN);
    }

    public override string ToString() => $"{Options.TargetUuid} at {Peer.Nid}";

    internal bool TryBeginCallback(ulong xid)
    {
        lock (_gate)
        {
            return _callbacks.Add(xid);
        }
    }

    internal void EndCallback(ulong xid)
    {
        lock (_gate)
        {
            _callbacks.Remove(xid);
        }
    }

    /// <summary>Called every second.</summary>
    internal void Tick(long now)
    {
        if (IsIdle(now) && (Options.MayIdle?.Invoke() ?? true))
        {
            _ = IdleAsync();
        }
        else if (TryBeginPing(now))
        {
            _ = PingInBackgroundAsync();
        }
    }

    private bool IsIdle(long now)
    {
        lock (_gate)
        {
            return _state == ImportState.Full && _pending.Count == 0 && _unsent.Count == 0
                && Options.IdleTimeout is { } limit && now - _lastUse >= limit.TotalMilliseconds;
        }
    }

    /// <summary>An import that is idle and must not leave has to ping as well: the server evicts whoever is silent.</summary>
    private bool TryBeginPing(long now)
    {
        lock (_gate)
        {
            var ping = _state == ImportState.Full && !_pinging && now - _lastSent >= Client.Options.PingAfter.TotalMilliseconds;
            _pinging |= ping;
            return ping;
        }
    }

    private async Task PingInBackgroundAsync()
    {
        try
        {
            await PingAsync(_closing).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is ErrnoException or OperationCanceledException or TimeoutException)
        {
            // What matters of it, the import has acted on already.
            LogPingFailed(Client.Log, Options.TargetUuid, failure.Message);
        }
        finally
        {
            lock (_gate)
            {
                _pinging = false;
            }
        }
    }

    /// <summary>Ends the import: nothing can be sent any more, and whoever waits gets the error.</summary>
    private void Close(int errno)
    {
        List<ImportCall> failed;
        bool wasConnected;
        lock (_gate)
        {
            _state = ImportState.Closed;
            wasConnected = _serverHandle != 0;
            failed = TakeAllCalls();
        }

        // Who could use the target, and now it is gone, has not been denied anything.
        Fail(failed, errno == Errno.EACCES && wasConnected ? Errno.EIO : errno);
        _connected.TrySetException(new RpcException(errno, message: $"{this} is closed"));
        _ = _connected.Task.Exception;
    }

    private List<ImportCall> TakeAllCalls()
    {
        var calls = _pending.ToList();
        foreach (var call in calls)
        {
            Retire(call);
        }

        while (TryTakeUnsent(out var call))
        {
            Retire(call);
            calls.Add(call);
        }

        return calls;
    }

    private bool TryTakeUnsent([NotNullWhen(true)] out ImportCall? call)
    {
        while (_unsent.TryDequeue(out var waiting))
        {
            if (waiting.Call.Version == waiting.Version && !waiting.Call.IsDone)
            {
                call = waiting.Call;
                return true;
            }
        }

        call = null;
        return false;
    }

    private void Fail(List<ImportCall> calls, int errno)
    {
        foreach (var call in calls)
        {
            Deliver(call, new RpcException(errno, rpcLevel: true, $"{this}: {Errno.Name(errno)}"));
        }
    }

    [LoggerMessage(2110, LogLevel.Debug, "{Target}: ping failed: {Why}")]
    private static partial void LogPingFailed(ILogger log, string target, string why);

    [LoggerMessage(2111, LogLevel.Information, "{Target}: {State}")]
    private static partial void LogState(ILogger log, string target, ImportState state);

    [LoggerMessage(2112, LogLevel.Warning, "{Target}: connection lost: {Why}")]
    private static partial void LogLost(ILogger log, string target, string why);

    [LoggerMessage(2113, LogLevel.Warning, "{Target}: connect failed: {Why}")]
    private static partial void LogConnectFailed(ILogger log, string target, string why);

    [LoggerMessage(2116, LogLevel.Error, "{Target}: the server refuses this client for good ({Why}): the target was removed, or is not for it")]
    private static partial void LogRefused(ILogger log, string target, string why);

    [LoggerMessage(2114, LogLevel.Warning, "{Target}: this client was evicted")]
    private static partial void LogEvicted(ILogger log, string target);

    [LoggerMessage(2115, LogLevel.Error, "{Target}: the connect loop failed unexpectedly")]
    private static partial void LogLoopFailed(ILogger log, Exception failure, string target);
}
