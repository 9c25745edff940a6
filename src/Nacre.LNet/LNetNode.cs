using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;
using Nacre.LNet.Connections;
using Nacre.LNet.Matching;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;

namespace Nacre.LNet;

/// <summary>
/// One LNet node: acceptor, HELLO, typed connections, zero-copy acknowledgements, ping, portals, posted buffers and bulk
/// (protocol reference 01). Serves and dials; a server never dials its clients. Split by task: accepting (Accept), dialling
/// (Dial), sending (Send), serving (Serve), timeouts (Timers).
/// </summary>
public sealed partial class LNetNode : ILNet, IAsyncDisposable
{
    private readonly ITransport _transport;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<PeerId, Peer> _peers = new();
    private readonly ConcurrentDictionary<Task, byte> _running = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Handshakes _handshakes;
    private readonly ITimer _timer;
    private long _dropped;
    private long _handshakesBegun;
    private int _disposed;

    public LNetNode(LNetOptions options, ITransport transport, TimeProvider time, ILogger<LNetNode> log)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.LocalNid.IsTcp) throw new ArgumentException($"{options.LocalNid} is not a TCP NID", nameof(options));
        Options = options;
        Logger = log;
        PeerLog = new PeerLog(log, time);
        _transport = transport;
        _time = time;
        Incarnation = options.Incarnation != 0 ? options.Incarnation : NewIncarnation(time);
        PingInfo = PingInfoWire.Encode(options.LocalNid, options.LocalPid, sequence: 1);
        Pending = new PendingOperations(options.MaxPendingOperations);
        _handshakes = new Handshakes(options.MaxHandshakes);
        var interval = options.TimerResolution;
        _timer = time.CreateTimer(static self => ((LNetNode)self!).Tick(), this, interval, interval);
    }

    public event Action<PeerId>? PeerLost;

    public LNetOptions Options { get; }

    public Nid LocalNid => Options.LocalNid;

    /// <summary>Identifies this run of the node to its peers (01 section 4.7).</summary>
    public ulong Incarnation { get; }

    /// <summary>
    /// Where the node listens, with the real port when 0 was asked for; null before <see cref="StartListeningAsync"/>.
    /// </summary>
    public IPEndPoint? ListeningAt { get; private set; }

    /// <summary>Peers with at least one connection.</summary>
    public IReadOnlyCollection<PeerId> Peers => (IReadOnlyCollection<PeerId>)_peers.Keys;

    /// <summary>Open connections of all peers.</summary>
    public int ConnectionCount => _peers.Values.Sum(static peer => peer.Connections.Length);

    /// <summary>Messages that found no receiver or no buffer, or were not for us.</summary>
    public long DroppedMessages => Interlocked.Read(ref _dropped);

    internal ILogger Logger { get; }

    /// <summary>For lines that a peer can cause at will.</summary>
    internal PeerLog PeerLog { get; }

    internal BufferPool Buffers { get; } = new();

    internal PendingOperations Pending { get; }

    internal PostedBuffers Posted { get; } = new();

    /// <summary>What a ping is answered with.</summary>
    internal byte[] PingInfo { get; }

    /// <summary>Connections whose HELLO is not done.</summary>
    internal int HandshakeCount => _handshakes.Count;

    /// <summary>True when the peer has at least one connection.</summary>
    public bool IsConnected(PeerId peer) => _peers.ContainsKey(peer);

    /// <summary>Closes all connections of the peer; false when there was none. It may come back.</summary>
    public bool Disconnect(PeerId peer, string reason)
    {
        if (!_peers.TryGetValue(peer, out var found)) return false;
        found.CloseAll(reason);
        return true;
    }

    /// <summary>
    /// Stops listening, closes all connections, fails what waits, and returns when nothing of it runs any more.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        if (_listener is not null) await _listener.DisposeAsync().ConfigureAwait(false);
        await _timer.DisposeAsync().ConfigureAwait(false);
        // A handshake that ends now may still add a connection; it is seen in the next round, because its task is waited
        // for.
        do
        {
            _handshakes.Tick(long.MaxValue);
            foreach (var peer in _peers.Values) peer.CloseAll("the node stops");
            await Task.WhenAll(_running.Keys).ConfigureAwait(false);
        }
        while (!_running.IsEmpty || !_peers.IsEmpty);
        _stopping.Dispose();
    }

    internal void CountDropped() => Interlocked.Increment(ref _dropped);

    /// <summary>The peer's last connection is gone.</summary>
    internal void PeerGone(Peer peer)
    {
        _peers.TryRemove(KeyValuePair.Create(peer.Id, peer));
        if (PeerLost is not null)
            ThreadPool.UnsafeQueueUserWorkItem(static of => of.Node.TellPeerLost(of.Id), (Node: this, peer.Id), preferLocal: false);
    }

    private void TellPeerLost(PeerId peer)
    {
        try
        {
            PeerLost?.Invoke(peer);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Log.PeerLostHandlerFailed(Logger, e);
        }
    }

    /// <summary>
    /// Nanoseconds of the wall clock, as kernels use; the low bits are random, in case two nodes start within a millisecond.
    /// </summary>
    private static ulong NewIncarnation(TimeProvider time)
    {
        const int nanosecondsPerTick = 100;
        const ulong noise = (1 << 20) - 1;
        var nanoseconds = (ulong)(time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * nanosecondsPerTick;
        return (nanoseconds & ~noise) | ((ulong)Random.Shared.NextInt64() & noise) | 1;
    }

    /// <summary>Keeps a task that belongs to the node until it ends. Such tasks do not throw.</summary>
    private void Track(Task task)
    {
        _running.TryAdd(task, 0);
        task.ContinueWith(
            static (ended, self) => ((LNetNode)self!)._running.TryRemove(ended, out _),
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    /// <summary>
    /// Makes a connection of what a handshake ended with. Null when it cannot be: too many peers, or the node stops.
    /// </summary>
    private Connection? Attach(IByteConnection bytes, in ConnectionTerms terms)
    {
        while (!_stopping.IsCancellationRequested)
        {
            var peer = FindOrAdd(terms);
            if (peer is null) return null;
            if (peer.TryAdd(bytes, terms) is not { } connection)
            {
                _peers.TryRemove(KeyValuePair.Create(peer.Id, peer));
                continue;
            }

            Log.Connected(Logger, terms.Type, terms.Peer, bytes.RemoteEndPoint, terms.Version);
            Track(connection.ReceiveLoopAsync());
            return connection;
        }

        return null;
    }

    private Peer? FindOrAdd(in ConnectionTerms terms)
    {
        while (HasRoomFor(terms))
        {
            var peer = _peers.GetOrAdd(
                terms.Peer, static (id, of) => new Peer(of.Node, id, of.Incarnation), (Node: this, terms.Incarnation));
            if (peer.Incarnation == terms.Incarnation) return peer;
        }

        return null;
    }

    /// <summary>
    /// False when there are too many peers. Closes an older incarnation of the peer (01 section 4.7).
    /// </summary>
    private bool HasRoomFor(in ConnectionTerms terms)
    {
        if (!_peers.TryGetValue(terms.Peer, out var peer)) return _peers.Count < Options.MaxPeers;
        if (peer.Incarnation == terms.Incarnation) return true;
        PeerLog.PeerRestarted(peer.Id, peer.Incarnation, terms.Incarnation);
        peer.CloseAll("the peer restarted");
        _peers.TryRemove(KeyValuePair.Create(peer.Id, peer));
        return true;
    }
}
