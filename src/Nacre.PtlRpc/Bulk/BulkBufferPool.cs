using System.Buffers;

namespace Nacre.PtlRpc;

/// <summary>
/// A bounded pool of native, page-aligned 1 MiB buffers for bulk data. It bounds what all clients together make the server hold: who
/// finds it empty waits, and whoever waits is a request that is counted against its client. Memory is taken from the system as it is
/// first needed and kept.
/// </summary>
/// <remarks>
/// Shared fairly. A client that holds buffers gets more only while it would not hold more than are free afterwards: one greedy
/// client can have half of the pool, two have a third each, and so on, so that there is always something left for one that comes
/// with nothing. A client that holds none gets what it asks for as soon as it is free. Clients that wait take turns, one request
/// each; within a client it is first come, first served.
/// </remarks>
public sealed class BulkBufferPool : IDisposable
{
    /// <summary>Bytes of each buffer: what one bulk descriptor carries at most.</summary>
    public const int BufferSize = BulkMemory.Size;

    private readonly Lock _gate = new();
    private readonly Stack<BulkBuffer> _free = [];

    /// <summary>The clients that wait, the next to be served first.</summary>
    private readonly LinkedList<BulkShare> _turns = [];
    private int _waiting;
    private int _allocated;
    private bool _disposed;

    /// <param name="capacityBytes">Rounded down to whole buffers, at least one.</param>
    public BulkBufferPool(long capacityBytes) =>
        Capacity = (int)Math.Clamp(capacityBytes / BufferSize, 1, int.MaxValue);

    /// <summary>Buffers the pool may have.</summary>
    public int Capacity { get; }

    /// <summary>Buffers rented now.</summary>
    public int InUse
    {
        get
        {
            lock (_gate)
            {
                return _allocated - _free.Count;
            }
        }
    }

    /// <summary>Renters waiting now.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting;
            }
        }
    }

    /// <summary>One buffer, its contents undefined. Dispose it to give it back.</summary>
    /// <exception cref="OperationCanceledException">Given up by <paramref name="ct"/> while waiting.</exception>
    /// <param name="client">Who it is counted against.</param>
    public ValueTask<BulkBuffer> RentAsync(BulkShare client, CancellationToken ct)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (MayPass(client, 1))
            {
                return new ValueTask<BulkBuffer>(Take(client));
            }
        }

        return RentSlowAsync(client, ct);
    }

    /// <summary>
    /// <paramref name="count"/> buffers at once: all or none, so that two renters of several can never wait for each other.
    /// </summary>
    /// <param name="client">Who they are counted against.</param>
    /// <param name="into">Receives the buffers at its start.</param>
    /// <exception cref="ArgumentOutOfRangeException">More than the pool has or the array holds.</exception>
    public ValueTask RentAsync(BulkShare client, BulkBuffer[] into, int count, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Math.Min(Capacity, into.Length));
        BulkWaiter waiter;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (MayPass(client, count))
            {
                Fill(client, into, count);
                return ValueTask.CompletedTask;
            }

            waiter = new BulkWaiter(client, into, count);
            Enqueue(waiter);
        }

        return WaitAsync(waiter, ct);
    }

    private async ValueTask WaitAsync(BulkWaiter waiter, CancellationToken ct)
    {
        using var registration = ct.UnsafeRegister(
            static (state, token) =>
            {
                var (pool, waiter) = ((BulkBufferPool, BulkWaiter))state!;
                pool.Abandon(waiter, token);
            },
            (this, waiter));
        await waiter.Completion.Task.ConfigureAwait(false);
    }

    public void Dispose()
    {
        List<BulkWaiter> abandoned = [];
        lock (_gate)
        {
            _disposed = true;
            while (_turns.First is { } turn)
            {
                abandoned.Add(turn.Value.Waiters.First!.Value);
                Dequeue(abandoned[^1]);
            }

            while (_free.TryPop(out var buffer))
            {
                buffer.Free();
                _allocated--;
            }
        }

        foreach (var waiter in abandoned)
        {
            waiter.Completion.TrySetException(new ObjectDisposedException(nameof(BulkBufferPool)));
        }
    }

    internal void Return(BulkBuffer buffer, BulkShare client)
    {
        List<BulkWaiter>? served = null;
        lock (_gate)
        {
            client.Held--;
            if (_disposed)
            {
                buffer.Free();
                _allocated--;
                return;
            }

            _free.Push(buffer);
            ServeWaiters(ref served);
        }

        Tell(served);
    }

    private int Available => _free.Count + Capacity - _allocated;

    /// <summary>
    /// Whether a request that has just come may have its buffers at once. Those of its own client before it have precedence, and
    /// so have clients that hold nothing: what is free may be what one of them waits for. Others that wait have their share.
    /// </summary>
    private bool MayPass(BulkShare client, int count) =>
        client.Waiters.Count == 0 && count <= Available && IsFair(client, count) && !IsAwaited;

    /// <summary>
    /// A client that holds nothing waits for what is free to become enough. Those before it in the line hold something each, so
    /// there are no more of them than buffers.
    /// </summary>
    private bool IsAwaited
    {
        get
        {
            var turn = _turns.First;
            while (turn is { Value.Held: > 0 })
            {
                turn = turn.Next;
            }

            return turn is not null;
        }
    }

    private bool IsFair(BulkShare client, int count) => client.Held == 0 || client.Held + count <= Available - count;

    /// <summary>
    /// Serves clients in turn. One that has its share already is passed over; one that holds nothing is not, so that a large request
    /// cannot starve behind small ones. At most as many clients are passed over as there are buffers, for each holds one.
    /// </summary>
    private void ServeWaiters(ref List<BulkWaiter>? served)
    {
        for (var turn = _turns.First; turn is not null;)
        {
            var waiter = turn.Value.Waiters.First!.Value;
            if (waiter.Count <= Available && IsFair(turn.Value, waiter.Count))
            {
                Dequeue(waiter);
                Fill(waiter.Share, waiter.Into, waiter.Count);
                (served ??= []).Add(waiter);
                turn = _turns.First;
            }
            else if (turn.Value.Held == 0)
            {
                return;
            }
            else
            {
                turn = turn.Next;
            }
        }
    }

    private void Enqueue(BulkWaiter waiter)
    {
        waiter.Node = waiter.Share.Waiters.AddLast(waiter);
        _waiting++;
        if (waiter.Share.Waiters.Count == 1)
        {
            _turns.AddLast(waiter.Share.Turn);
        }
    }

    /// <summary>Its client goes to the end of the line, if it has more.</summary>
    private void Dequeue(BulkWaiter waiter)
    {
        var share = waiter.Share;
        share.Waiters.Remove(waiter.Node!);
        _waiting--;
        _turns.Remove(share.Turn);
        if (share.Waiters.Count > 0)
        {
            _turns.AddLast(share.Turn);
        }
    }

    private async ValueTask<BulkBuffer> RentSlowAsync(BulkShare client, CancellationToken ct)
    {
        var one = new BulkBuffer[1];
        await RentAsync(client, one, 1, ct).ConfigureAwait(false);
        return one[0];
    }

    private void Abandon(BulkWaiter waiter, CancellationToken token)
    {
        List<BulkWaiter>? served = null;
        lock (_gate)
        {
            if (waiter.Node?.List is null)
            {
                // Served already; the renter gets its buffers.
                return;
            }

            Dequeue(waiter);
            // What it held back may fit now.
            ServeWaiters(ref served);
        }

        waiter.Completion.TrySetCanceled(token);
        Tell(served);
    }

    private static void Tell(List<BulkWaiter>? served)
    {
        if (served is not null)
        {
            foreach (var waiter in served)
            {
                waiter.Completion.TrySetResult();
            }
        }
    }

    private void Fill(BulkShare client, BulkBuffer[] into, int count)
    {
        for (var i = 0; i < count; i++)
        {
            into[i] = Take(client);
        }
    }

    private BulkBuffer Take(BulkShare client)
    {
        if (!_free.TryPop(out var buffer))
        {
            buffer = BulkBuffer.Allocate(this);
            _allocated++;
        }

        client.Held++;
        buffer.MarkRented(client);
        return buffer;
    }
}

/// <summary>One native, page-aligned buffer of <see cref="BulkBufferPool.BufferSize"/> bytes.</summary>
public sealed unsafe class BulkBuffer : MemoryManager<byte>
{
    private readonly BulkBufferPool _pool;
    private byte* _address;
    private BulkShare? _renter;

    private BulkBuffer(BulkBufferPool pool, byte* address)
    {
        _pool = pool;
        _address = address;
    }

    public nint Address => (nint)_address;

    public override Span<byte> GetSpan() => new(_address, BulkBufferPool.BufferSize);

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)BulkBufferPool.BufferSize, nameof(elementIndex));
        return new MemoryHandle(_address + elementIndex);
    }

    public override void Unpin()
    {
    }

    /// <summary>Gives the buffer back. A second call does nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _renter, null) is { } client)
        {
            _pool.Return(this, client);
        }
    }

    internal static BulkBuffer Allocate(BulkBufferPool pool) => new(pool, BulkMemory.Allocate());

    internal void MarkRented(BulkShare client) => Volatile.Write(ref _renter, client);

    internal void Free()
    {
        BulkMemory.Free(_address);
        _address = null;
    }

    protected override void Dispose(bool disposing) => Dispose();
}
