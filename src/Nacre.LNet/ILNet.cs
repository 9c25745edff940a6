namespace Nacre.LNet;

/// <summary>
/// LNet as the RPC layer sees it: small messages to portals, bulk in both directions, posted buffers. Nothing here confirms
/// delivery except the completion of a bulk transfer; there is no order between messages to one peer, because they may take
/// different connections (01 section 15.3).
/// </summary>
public interface ILNet
{
    /// <summary>
    /// Bulk from a peer of up to this many bytes completes its task on the receive loop that brought it; the work that follows larger transfers is
    /// not the loop's, and their tasks complete on the thread pool.
    /// </summary>
    const int InPlaceBytes = 16 << 10;

    /// <summary>The one NID of this node.</summary>
    Nid LocalNid { get; }

    /// <summary>
    /// Hands every PUT to <paramref name="portal"/>, whatever its match bits, to <paramref name="receiver"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Portal outside 1..63.</exception>
    /// <exception cref="InvalidOperationException">The portal is served already.</exception>
    void Serve(int portal, IPutReceiver receiver);

    /// <summary>Later PUTs to the portal are dropped; one that is being delivered may still be under way.</summary>
    void StopServing(int portal);

    /// <summary>
    /// Sends a small message. May be called from any thread, also from inside <see cref="IPutReceiver.OnPut"/>; never
    /// blocks. The payload is copied.
    /// </summary>
    /// <param name="payload">At most 1 MiB (<c>LNET_MTU</c>).</param>
    /// <returns>False when there is no connection to the peer, or it is closing, or its output queue is full (it is then
    /// closed).</returns>
    bool TryPut(PeerId to, Nid from, int portal, ulong matchBits, uint offset, ReadOnlySpan<byte> payload);

    /// <summary>
    /// Bulk from here to the peer. Completes with the number of bytes the peer stored when its LNet ACK came. The payload
    /// must stay untouched until the task completes, and is not read any more afterwards, whatever the outcome.
    /// </summary>
    /// <exception cref="TimeoutException">No ACK within <paramref name="timeout"/>.</exception>
    /// <exception cref="PeerUnreachableException">No connection, or the connections broke before the ACK.</exception>
    /// <exception cref="OperationCanceledException">Given up by <paramref name="ct"/>.</exception>
    ValueTask<int> PutBulkAsync(
        PeerId to,
        Nid from,
        int portal,
        ulong matchBits,
        ReadOnlyMemory<byte> payload,
        TimeSpan timeout,
        CancellationToken ct = default);

    /// <summary>
    /// Bulk from the peer to here: GET of exactly <paramref name="sink"/>'s length (01 section 12.2). The REPLY is received
    /// straight into the sink, which is not written any more once the task completes, whatever the outcome. Returns the
    /// bytes received.
    /// </summary>
    /// <exception cref="TimeoutException">No complete REPLY within <paramref name="timeout"/>.</exception>
    /// <exception cref="PeerUnreachableException">No connection, or the connections broke before the REPLY was
    /// complete.</exception>
    /// <exception cref="OperationCanceledException">Given up by <paramref name="ct"/>.</exception>
    ValueTask<int> GetBulkAsync(
        PeerId to,
        Nid from,
        int portal,
        ulong matchBits,
        Memory<byte> sink,
        TimeSpan timeout,
        CancellationToken ct = default);

    /// <summary>
    /// Posts a buffer that a peer may PUT into or GET from. It is removed by its first use (unless <see
    /// cref="PostOptions.ManyUses"/>) or by disposing the result.
    /// </summary>
    /// <param name="from">The only peer that may use it; with <see cref="Nid.Any"/> every peer may.</param>
    PostedBuffer Post(int portal, PeerId from, ulong matchBits, Memory<byte> buffer, PostOptions options, IPostedEvents events);

    /// <summary>
    /// The last connection of a peer is gone. Information only: the client behind it lives on until the RPC layer evicts it
    /// (01 section 15.1). Raised on the thread pool.
    /// </summary>
    event Action<PeerId>? PeerLost;
}

/// <summary>A PUT that arrived on a served portal. Everything in it is valid only during the call.</summary>
public readonly ref struct IncomingPut
{
    /// <summary>Who sent it; answers go there.</summary>
    public required PeerId Source { get; init; }

    /// <summary>Which run of the sender's LNet it came from (01 section 4.7): a machine that starts anew has another one.</summary>
    public ulong Incarnation { get; init; }

    /// <summary>Local NID it was addressed to; answers must name it as their source.</summary>
    public required Nid Self { get; init; }

    public required int Portal { get; init; }

    public required ulong MatchBits { get; init; }

    /// <summary>Opaque; Lustre always sends 0.</summary>
    public ulong HdrData { get; init; }

    /// <summary>Offset the sender asked for; without meaning on request portals.</summary>
    public uint Offset { get; init; }

    public ReadOnlySpan<byte> Payload { get; init; }
}

/// <summary>Receives the PUTs of a served portal, on the receive loops of the connections (several at a time).</summary>
public interface IPutReceiver
{
    /// <summary>
    /// Must not block. Messages sent during the call leave together when the batch of received messages ends.
    /// </summary>
    void OnPut(in IncomingPut put);

    /// <summary>
    /// All messages that had arrived together were delivered; called on the same thread, before the messages sent meanwhile
    /// leave. A place to settle what is cheaper for many than for one.
    /// </summary>
    void OnBatchEnd()
    {
    }
}
