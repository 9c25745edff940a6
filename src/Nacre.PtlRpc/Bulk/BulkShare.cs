namespace Nacre.PtlRpc;

/// <summary>
/// What one client holds of a <see cref="BulkBufferPool"/>, and what it waits for. All of it is guarded by the pool's gate; a share
/// belongs to one pool.
/// </summary>
public sealed class BulkShare
{
    /// <summary>Buffers the client holds.</summary>
    internal int Held { get; set; }

    /// <summary>Its renters that wait, first come first served.</summary>
    internal LinkedList<BulkWaiter> Waiters { get; } = [];

    /// <summary>Its place among the clients that wait; in the list while <see cref="Waiters"/> has any.</summary>
    internal LinkedListNode<BulkShare> Turn { get; }

    public BulkShare() => Turn = new LinkedListNode<BulkShare>(this);
}

/// <summary>A renter that waits.</summary>
internal sealed class BulkWaiter(BulkShare share, BulkBuffer[] into, int count)
{
    public readonly BulkShare Share = share;
    public readonly BulkBuffer[] Into = into;
    public readonly int Count = count;
    public readonly TaskCompletionSource Completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    public LinkedListNode<BulkWaiter>? Node;
}
