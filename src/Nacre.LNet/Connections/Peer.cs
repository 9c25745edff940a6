using Nacre.LNet.Transports;
using Nacre.LNet.Wire;

namespace Nacre.LNet.Connections;

/// <summary>
/// The connections of one (NID, PID) and one incarnation. They share their fate: an error on one closes the others (01
/// section 15.1). When the last is gone the peer is closed for good; a caller that comes back makes a new one.
/// </summary>
/// <remarks>
/// A client that redials while the server has not noticed the loss of its old sockets opens a second CONTROL connection,
/// which it never does otherwise. That begins a new generation: output takes only connections of the newest, and an error
/// closes no generation newer than its own, so that the late death of an old socket does not take the new ones along. Handshakes
/// may end in another order than they began in, because each has its own task: connections dialled after that CONTROL one belong
/// to its generation even when they are added before it, and those dialled before it to the old one even when they are added after.
/// </remarks>
internal sealed class Peer(LNetNode node, PeerId id, ulong incarnation)
{
    /// <summary>
    /// Messages of at least this many bytes, headers included, prefer BULK_OUT (<c>min_bulk</c>, 01 section 5.2).
    /// </summary>
    public const int MinBulk = 1024;

    private readonly Lock _gate = new();
    private readonly List<Connection> _connections = [];
    private volatile OutputChoice _choice = OutputChoice.Empty;
    private int _generation;

    /// <summary><see cref="Connection.Order"/> of the CONTROL connection that began the newest generation; 0 in the first.</summary>
    private long _generationBegan;
    private bool _closed;
    private long _uses;

    public PeerId Id => id;

    public ulong Incarnation => incarnation;

    /// <summary>A snapshot of the open connections.</summary>
    public Connection[] Connections
    {
        get
        {
            lock (_gate) return [.. _connections];
        }
    }

    /// <summary>True when a connection of the type is open.</summary>
    public bool Has(ConnectionType type) => _choice.Of(type).Length > 0;

    /// <summary>
    /// Adds a connection; null when the peer is closed. Beyond the bound the oldest of the same type makes room.
    /// </summary>
    public Connection? TryAdd(IByteConnection bytes, in ConnectionTerms terms)
    {
        Connection? crowdedOut = null;
        Connection added;
        lock (_gate)
        {
            if (_closed) return null;
            if (_connections.Count >= node.Options.MaxConnectionsPerPeer) crowdedOut = TakeOldest(terms.Type);
            var late = terms.Order < _generationBegan;
            if (!late && terms.Type == ConnectionType.Control && Has(ConnectionType.Control)) BeginGeneration(terms.Order);
            added = new Connection(node, this, bytes, terms, late ? _generation - 1 : _generation);
            _connections.Add(added);
            _choice = new OutputChoice(_connections, _generation);
        }

        crowdedOut?.Close();
        return added;
    }

    /// <summary>
    /// A connection failed: closes it and its set. One that had made room for another before takes nothing along.
    /// </summary>
    public void CloseSetOf(Connection failed, string reason)
    {
        lock (_gate)
        {
            if (!_connections.Contains(failed)) return;
        }

        CloseGeneration(failed.Generation, reason);
    }

    public void CloseAll(string reason) => CloseGeneration(int.MaxValue, reason);

    /// <summary>Closes the connections up to a generation, and fails the operations that depended on them.</summary>
    private void CloseGeneration(int generation, string reason)
    {
        List<Connection> closing;
        bool last;
        lock (_gate)
        {
            closing = _connections.FindAll(c => c.Generation <= generation);
            if (closing.Count == 0 && _closed) return;
            _connections.RemoveAll(c => c.Generation <= generation);
            _choice = new OutputChoice(_connections, _generation);
            last = _closed = _connections.Count == 0;
        }

        foreach (var connection in closing) connection.Close();
        node.PeerLog.ConnectionsClosed(closing.Count, id, reason);
        node.Pending.FailAll(this, generation, reason);
        if (last) node.PeerGone(this);
    }

    /// <summary>Sends a message with a copied payload. False when there is no connection that takes it.</summary>
    public bool TrySend(in LnetMessage message, ReadOnlySpan<byte> payload) =>
        Choose(LnetMessage.Size + payload.Length)?.TrySend(message, payload) ?? false;

    /// <summary>The connection for a message of so many bytes, headers included; null when there is none.</summary>
    public Connection? Choose(int bytes)
    {
        var choice = _choice;
        var connection = bytes < MinBulk ? choice.ForSmall : choice.ForLarge();
        if (connection is not null && bytes >= MinBulk) connection.LastUse = Interlocked.Increment(ref _uses);
        return connection;
    }

    /// <summary>
    /// Acknowledges a zero-copy cookie: on the reverse of the direction bulk data comes in, which is otherwise idle (01
    /// section 7.2).
    /// </summary>
    public void SendZcAck(Connection arrivedOn, ulong cookie)
    {
        var bulkIn = _choice.Of(ConnectionType.BulkIn);
        var way = arrivedOn.Type == ConnectionType.BulkIn || bulkIn.Length == 0 ? arrivedOn : bulkIn[0];
        way.TrySendNoop(cookie);
    }

    public void SendAck(in WireHandle handle, ulong matchBits, int stored)
    {
        var ack = node.NewMessage(id, LnetMessageType.Ack, 0);
        ack.Lnet.Ack = new LnetAck { DstHandle = handle, MatchBits = matchBits, StoredLength = (uint)stored };
        TrySend(ack, default);
    }

    public LnetMessage NewReply(in LnetGet get, int length)
    {
        var reply = node.NewMessage(id, LnetMessageType.Reply, length);
        reply.Lnet.Reply = new LnetReply { DstHandle = get.ReturnHandle };
        return reply;
    }

    private void BeginGeneration(long order)
    {
        _generation++;
        _generationBegan = order;
        foreach (var connection in _connections)
            if (connection.Order > order) connection.Generation = _generation;
    }

    private Connection? TakeOldest(ConnectionType type)
    {
        var oldest = _connections.Find(c => c.Type == type) ?? _connections[0];
        _connections.Remove(oldest);
        return oldest;
    }
}

/// <summary>
/// Which connections output may take (01 section 5.2). Immutable; a new one is made whenever a connection comes or goes.
/// </summary>
internal sealed class OutputChoice
{
    public static readonly OutputChoice Empty = new([], 0);

    private readonly Connection[][] _ofType;

    /// <param name="connections">Oldest first.</param>
    public OutputChoice(List<Connection> connections, int generation)
    {
        // Newest first: of two CONTROL connections the older may be half dead.
        var current = connections.Where(c => c.Generation == generation).Reverse().ToArray();
        _ofType = new Connection[ConnectionTypes.Count][];
        for (var type = 0; type < _ofType.Length; type++)
            _ofType[type] = [.. current.Where(c => c.Type == (ConnectionType)type)];
        ForSmall = First(ConnectionType.Control) ?? First(ConnectionType.BulkOut) ?? First(ConnectionType.Any) ?? OldBulkIn;
    }

    /// <summary>CONTROL, or what stands in for it.</summary>
    public Connection? ForSmall { get; }

    /// <summary>On version 2 the peer's BULK_OUT may carry messages too, if all else fails (01 section 6.5).</summary>
    private Connection? OldBulkIn => First(ConnectionType.BulkIn) is { Version: < KsockHello.Version3 } old ? old : null;

    public Connection[] Of(ConnectionType type) => _ofType[(int)type];

    /// <summary>
    /// The BULK_OUT connection with the least waiting, of equals the one that rested longest; or what stands in for it.
    /// </summary>
    public Connection? ForLarge()
    {
        var bulk = Of(ConnectionType.BulkOut);
        if (bulk.Length <= 1) return bulk.Length == 1 ? bulk[0] : ForSmall;
        var best = bulk[0];
        var bestQueued = best.QueuedBytes;
        foreach (var candidate in bulk.AsSpan(1))
        {
            var queued = candidate.QueuedBytes;
            if (queued > bestQueued || (queued == bestQueued && candidate.LastUse >= best.LastUse)) continue;
            (best, bestQueued) = (candidate, queued);
        }

        return best;
    }

    private Connection? First(ConnectionType type) => Of(type) is [var first, ..] ? first : null;
}
