using System.Net;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;

namespace Nacre.LNet.Connections;

/// <summary>What both HELLOs settled about a connection.</summary>
/// <param name="Type">Seen from this side.</param>
/// <param name="Version">HELLO version: 2 or 3.</param>
/// <param name="Order">Place among all connections of this node, by when they were accepted or dialled.</param>
internal readonly record struct ConnectionTerms(PeerId Peer, ulong Incarnation, ConnectionType Type, uint Version, long Order);

/// <summary>
/// One TCP connection after its HELLO. Split by task: receiving and parsing (Receive, Messages), sending (Send), watching
/// (Watch). A connection is open until <see cref="Close"/>; its receive loop is the last to let go of it.
/// </summary>
internal sealed partial class Connection
{
    private readonly LNetNode _node;
    private readonly IByteConnection _bytes;
    private int _closed;

    public Connection(LNetNode node, Peer peer, IByteConnection bytes, in ConnectionTerms terms, int generation)
    {
        _node = node;
        _bytes = bytes;
        Peer = peer;
        Type = terms.Type;
        Version = terms.Version;
        Order = terms.Order;
        Generation = generation;
        _output = new OutputQueue(node.Buffers);
        _receivedSince = _sentSince = _silentSince = node.DeadlineAfter(TimeSpan.Zero);
    }

    public Peer Peer { get; }

    /// <summary>What it is for, seen from this side.</summary>
    public ConnectionType Type { get; }

    public uint Version { get; }

    /// <summary>Place among all connections of this node, by when they were accepted or dialled.</summary>
    public long Order { get; }

    /// <summary>Which set of the peer's connections it belongs to; see <see cref="Peer"/>, whose it is to set.</summary>
    public int Generation { get; set; }

    public IPEndPoint RemoteEndPoint => _bytes.RemoteEndPoint;

    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    /// <summary>
    /// Ends the connection at once: nothing more is sent, the receive loop ends soon. The peer's bookkeeping is the caller's
    /// affair.
    /// </summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0) return;
        _bytes.Dispose();
        CloseOutput();
    }

    /// <summary>Something is wrong with this connection: its whole set goes (01 section 15.1).</summary>
    public void Fail(string reason) => Peer.CloseSetOf(this, reason);

    public override string ToString() => $"{Type} connection of {Peer.Id} from {RemoteEndPoint}";
}
