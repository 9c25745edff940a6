namespace Nacre.LNet.Connections;

/// <summary>
/// The messages a thread sends while it works through what one receive brought in: they leave together at the end, with one
/// system call a connection. Lives on the thread; nothing is deferred on threads without one.
/// </summary>
internal sealed class SendBatch
{
    /// <summary>
    /// Messages delivered before what they caused to be sent leaves, so that the first does not wait for all.
    /// </summary>
    private const int MaxDelivered = 64;

    [ThreadStatic]
    private static SendBatch? _ofThread;

    private readonly List<Connection> _connections = [];
    private readonly List<(LNetNode Node, IPutReceiver Receiver)> _receivers = [];
    private int _depth;
    private int _delivered;

    /// <summary>The batch the calling thread is in, if any.</summary>
    public static SendBatch? Current => _ofThread is { _depth: > 0 } batch ? batch : null;

    /// <summary>
    /// Begins a batch on this thread, or joins the one it is in. Every call is paired with <see cref="Leave"/>.
    /// </summary>
    public static SendBatch Enter()
    {
        var batch = _ofThread ??= new SendBatch();
        batch._depth++;
        return batch;
    }

    public void Leave()
    {
        if (_depth == 1) Settle();
        _depth--;
    }

    /// <summary>The connection has something to send.</summary>
    public void Add(Connection connection)
    {
        if (!_connections.Contains(connection)) _connections.Add(connection);
    }

    /// <summary>The receiver was given a message.</summary>
    public void Delivered(LNetNode node, IPutReceiver receiver)
    {
        if (!_receivers.Contains((node, receiver))) _receivers.Add((node, receiver));
        if (++_delivered >= MaxDelivered && _depth == 1) Settle();
    }

    /// <summary>
    /// Receivers come first, because they may send at the end of a batch. Flushing may complete transfers whose owners send
    /// again.
    /// </summary>
    private void Settle()
    {
        _delivered = 0;
        foreach (var (node, receiver) in _receivers) node.EndBatch(receiver);
        _receivers.Clear();
        while (_connections.Count > 0)
        {
            var connection = _connections[^1];
            _connections.RemoveAt(_connections.Count - 1);
            connection.Flush();
        }
    }
}
