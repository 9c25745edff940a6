using Nacre.LNet.Wire;

namespace Nacre.LNet.Connections;

/// <content>
/// Timeouts (01 section 8.2). The moving side counts bytes; the watch, called every now and then, sees whether the counts
/// moved. So traffic costs no clock reads and a silent healthy connection lives for ever.
/// </content>
internal sealed partial class Connection
{
    private long _seenReceived;
    private long _seenSent;
    private long _receivedSince;
    private long _sentSince;
    private long _silentSince;

    /// <summary>Closes the set of connections if this one is stuck. Called by one thread at a time.</summary>
    public void Watch(long now)
    {
        var received = Volatile.Read(ref _bytesReceived);
        long queued, sent;
        lock (_outputGate) (queued, sent) = (_output.Bytes, _bytesSent);
        if (received != _seenReceived || sent != _seenSent) _silentSince = now;
        if (received != _seenReceived || !_insideMessage) (_seenReceived, _receivedSince) = (received, now);
        if (sent != _seenSent || queued == 0) (_seenSent, _sentSince) = (sent, now);

        if (_node.HasPassed(_node.Options.LndTimeout, _receivedSince, now)) Fail("a message that was begun did not go on");
        else if (_node.HasPassed(_node.Options.LndTimeout, _sentSince, now)) Fail("it takes nothing of what is sent to it");
        else if (IsKeepaliveDue(now)) TrySendNoop(KsockHeader.KeepaliveCookie);
    }

    /// <summary>Keepalives go where nothing else does (01 section 8.3); version 2 does not know them.</summary>
    private bool IsKeepaliveDue(long now) =>
        _node.Options.Keepalive is { } interval
        && Type == ConnectionType.BulkIn
        && Version >= KsockHello.Version3
        && _node.HasPassed(interval, _silentSince, now);
}
