using Nacre.LNet.Connections;
using Nacre.LNet.Matching;
using Nacre.LNet.Wire;

namespace Nacre.LNet;

/// <content>What arrives: served portals and posted buffers.</content>
public sealed partial class LNetNode
{
    private readonly IPutReceiver?[] _receivers = new IPutReceiver?[LnetHeader.PortalCount];

    public void Serve(int portal, IPutReceiver receiver)
    {
        CheckPortal(portal);
        ArgumentNullException.ThrowIfNull(receiver);
        if (Interlocked.CompareExchange(ref _receivers[portal], receiver, null) is not null)
            throw new InvalidOperationException($"portal {portal} is served already");
    }

    public void StopServing(int portal)
    {
        CheckPortal(portal);
        Volatile.Write(ref _receivers[portal], null);
    }

    public PostedBuffer Post(int portal, PeerId from, ulong matchBits, Memory<byte> buffer, PostOptions options, IPostedEvents events)
    {
        CheckPortal(portal);
        ArgumentNullException.ThrowIfNull(events);
        var posted = new PostedBuffer(Posted, new PostedKey(portal, matchBits), from, buffer, options, events);
        Posted.Add(posted);
        return posted;
    }

    internal IPutReceiver? ReceiverOf(int portal) => Volatile.Read(ref _receivers[portal]);

    /// <summary>A receiver that throws loses this message, not the connection: its sender did nothing wrong.</summary>
    internal void Deliver(IPutReceiver receiver, in IncomingPut put)
    {
        SendBatch.Current?.Delivered(this, receiver);
        try
        {
            receiver.OnPut(put);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Log.ReceiverFailed(Logger, put.Portal, put.Source, e);
        }
    }

    internal void EndBatch(IPutReceiver receiver)
    {
        try
        {
            receiver.OnBatchEnd();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Log.BatchEndFailed(Logger, e);
        }
    }

    private static void CheckPortal(int portal)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(portal, PingInfoWire.Portal);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(portal, LnetHeader.PortalCount);
    }
}
