using System.Net;
using Microsoft.Extensions.Logging;
using Nacre.LNet.Connections;

namespace Nacre.LNet;

/// <summary>
/// The log lines of LNet that a peer can cause at will: each kind has its own limit, so that one cannot hide another.
/// </summary>
internal sealed class PeerLog(ILogger log, TimeProvider time)
{
    private readonly LogRateLimit _closed = new(time);
    private readonly LogRateLimit _turnedAway = new(time);
    private readonly LogRateLimit _violations = new(time);
    private readonly LogRateLimit _acceptFailures = new(time);
    private readonly LogRateLimit _restarts = new(time);

    public void ConnectionsClosed(int count, PeerId peer, string reason)
    {
        if (_closed.TryEnter(out var suppressed)) Log.ConnectionsClosed(log, count, peer, reason, suppressed);
    }

    public void TurnedAway(IPEndPoint endPoint, string reason)
    {
        if (_turnedAway.TryEnter(out var suppressed)) Log.TurnedAway(log, endPoint, reason, suppressed);
    }

    public void ProtocolViolation(Connection connection, string what)
    {
        if (_violations.TryEnter(out var suppressed)) Log.ProtocolViolation(log, connection, what, suppressed);
    }

    public void AcceptFailed(string reason)
    {
        if (_acceptFailures.TryEnter(out var suppressed)) Log.AcceptFailed(log, reason, suppressed);
    }

    public void PeerRestarted(PeerId peer, ulong old, ulong @new)
    {
        if (_restarts.TryEnter(out var suppressed)) Log.PeerRestarted(log, peer, old, @new, suppressed);
    }
}
