using Nacre.LNet;

namespace Nacre.Testing.Rpc;

/// <summary>
/// LNet without a network: a test hands PUTs straight to whoever serves a portal, on its own thread, and sees what is sent. For tests that
/// need speed and exact order. Bulk finds nobody; buffers cannot be posted.
/// </summary>
public sealed class LoopLNet(Nid local) : ILNet
{
    private readonly IPutReceiver?[] _receivers = new IPutReceiver?[64];
    private long _sent;

    public Nid LocalNid => local;

    /// <summary>Number of PUTs that left.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Sees each PUT that leaves: peer, portal, match bits, offset, payload.</summary>
    public Action<PeerId, int, ulong, uint, ReadOnlyMemory<byte>>? OnSent { get; set; }

    public event Action<PeerId>? PeerLost
    {
        add => _ = value;
        remove => _ = value;
    }

    /// <summary>Delivers a PUT. False when nobody serves the portal.</summary>
    public bool Deliver(PeerId from, int portal, ulong matchBits, ReadOnlySpan<byte> payload)
    {
        if (_receivers[portal] is not { } receiver)
        {
            return false;
        }

        receiver.OnPut(new IncomingPut { Source = from, Self = local, Portal = portal, MatchBits = matchBits, Payload = payload });
        return true;
    }

    public void Serve(int portal, IPutReceiver receiver) => _receivers[portal] = receiver;

    public void StopServing(int portal) => _receivers[portal] = null;

    public bool TryPut(PeerId to, Nid from, int portal, ulong matchBits, uint offset, ReadOnlySpan<byte> payload)
    {
        Interlocked.Increment(ref _sent);
        OnSent?.Invoke(to, portal, matchBits, offset, payload.ToArray());
        return true;
    }

    public ValueTask<int> PutBulkAsync(
        PeerId to, Nid from, int portal, ulong matchBits, ReadOnlyMemory<byte> payload, TimeSpan timeout, CancellationToken ct = default) =>
        ValueTask.FromException<int>(new PeerUnreachableException("there is no network"));

    public ValueTask<int> GetBulkAsync(
        PeerId to, Nid from, int portal, ulong matchBits, Memory<byte> sink, TimeSpan timeout, CancellationToken ct = default) =>
        ValueTask.FromException<int>(new PeerUnreachableException("there is no network"));

    public PostedBuffer Post(int portal, PeerId from, ulong matchBits, Memory<byte> buffer, PostOptions options, IPostedEvents events) =>
        throw new NotSupportedException();
}
