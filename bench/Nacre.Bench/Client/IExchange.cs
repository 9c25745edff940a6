namespace Nacre.Bench.Client;

/// <summary>Where the messages that belong to a request go. Called on the node's own thread, one at a time.</summary>
internal interface IExchange
{
    /// <summary>The final reply: a whole <c>lustre_msg_v2</c>, valid during the call. Early replies never get here.</summary>
    void OnReply(int slot, ReadOnlySpan<byte> message);

    /// <summary>Memory for bulk descriptor <paramref name="descriptor"/> of a read: where a PUT of the server is stored.</summary>
    ArraySegment<byte> Sink(int slot, int descriptor);

    /// <summary>A PUT of the server is complete; its bytes begin at the sink's start.</summary>
    void OnStored(int slot, int descriptor, int length);

    /// <summary>
    /// Data for a GET of the server, of exactly <paramref name="length"/> bytes. The <see cref="Frame.Size"/> bytes in front of
    /// it in the same array are free: the header is written there, so that both leave in one send.
    /// </summary>
    ArraySegment<byte> Source(int slot, int descriptor, int length);
}
