using Nacre.LNet.Transports;

namespace Nacre.LNet.Connections;

/// <summary>
/// Connections whose HELLO is not done, oldest first, each with a deadline. Bounded: when it is full the oldest is closed,
/// so callers that say nothing cannot keep others out.
/// </summary>
internal sealed class Handshakes(int most)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Handshake> _open = new();

    public int Count
    {
        get
        {
            lock (_gate) return _open.Count;
        }
    }

    public Handshake Add(IByteConnection bytes, long deadline)
    {
        var handshake = new Handshake(this, bytes) { Deadline = deadline };
        Handshake? oldest = null;
        lock (_gate)
        {
            if (_open.Count >= most) oldest = _open.First!.Value;
            handshake.Node = _open.AddLast(handshake);
        }

        oldest?.Abandon();
        return handshake;
    }

    public void Remove(Handshake handshake)
    {
        lock (_gate)
        {
            if (handshake.Node.List is not null) _open.Remove(handshake.Node);
        }
    }

    /// <summary>Closes those whose deadline has passed; all of them at the end of time.</summary>
    public void Tick(long now)
    {
        List<Handshake>? overdue = null;
        lock (_gate)
        {
            foreach (var handshake in _open)
                if (handshake.Deadline <= now) (overdue ??= []).Add(handshake);
        }

        overdue?.ForEach(static handshake => handshake.Abandon());
    }
}

/// <summary>
/// One connection on its way to a HELLO. Disposing it ends the watch, and the connection too unless it was kept.
/// </summary>
internal sealed class Handshake(Handshakes all, IByteConnection bytes) : IDisposable
{
    private long _deadline;
    private bool _kept;

    public IByteConnection Bytes => bytes;

    public LinkedListNode<Handshake> Node { get; set; } = null!;

    /// <summary>Place among all connections of the node.</summary>
    public long Order { get; set; }

    public long Deadline
    {
        get => Volatile.Read(ref _deadline);
        set => Volatile.Write(ref _deadline, value);
    }

    /// <summary>The connection outlives the handshake. No deadline holds any more.</summary>
    public IByteConnection Keep()
    {
        all.Remove(this);
        _kept = true;
        return bytes;
    }

    /// <summary>Closes the connection; what the handshake waits for fails.</summary>
    public void Abandon()
    {
        all.Remove(this);
        bytes.Dispose();
    }

    public void Dispose()
    {
        all.Remove(this);
        if (!_kept) bytes.Dispose();
    }

    /// <summary>Reads exactly the buffer. False when the stream ends first.</summary>
    public async ValueTask<bool> ReadAsync(Memory<byte> into)
    {
        while (!into.IsEmpty)
        {
            var count = await bytes.ReceiveAsync(into).ConfigureAwait(false);
            if (count == 0) return false;
            into = into[count..];
        }

        return true;
    }
}
