using System.Buffers;
using System.Runtime.InteropServices;

namespace Nacre.PtlRpc;

/// <summary>
/// A bounded pool of native, page-aligned 1 MiB buffers for bulk data. It bounds what all clients together make the server hold: who
/// finds it empty waits, first come first served, and whoever waits is a request that is counted against its client. Memory is
/// taken from the system as it is first needed and kept.
/// </summary>
public sealed class BulkBufferPool : IDisposable
{
    /// <summary>Bytes of each buffer: what one bulk descriptor carries at most.</summary>
    public const int BufferSize = 1 << 20;

    private const nuint Alignment = 4096;

    private readonly Lock _gate = new();
    private readonly Stack<BulkBuffer> _free = [];
    private readonly LinkedList<Waiter> _waiters = [];
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
                return _waiters.Count;
            }
        }
    }

    /// <summary>One buffer, its contents undefined. Dispose it to give it back.</summary>
    /// <exception cref="OperationCanceledException">Given up by <paramref name="ct"/> while waiting.</exception>
    public ValueTask<BulkBuffer> RentAsync(CancellationToken ct)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_waiters.Count == 0 && Available >= 1)
            {
                return new ValueTask<BulkBuffer>(Take());
            }
        }

        return RentSlowAsync(ct);
    }

    /// <summary>
    /// <paramref name="count"/> buffers at once: all or none, so that two renters of several can never wait for each other.
    /// </summary>
    /// <param name="into">Receives the buffers at its start.</param>
    /// <exception cref="ArgumentOutOfRangeException">More than the pool has or the array holds.</exception>
    public async ValueTask RentAsync(BulkBuffer[] into, int count, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Math.Min(Capacity, into.Length));
        Waiter waiter;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_waiters.Count == 0 && Available >= count)
            {
                Fill(into, count);
                return;
            }

            waiter = new Waiter(into, count);
            waiter.Node = _waiters.AddLast(waiter);
        }

        using var registration = ct.UnsafeRegister(
            static (state, token) =>
            {
                var (pool, waiter) = ((BulkBufferPool, Waiter))state!;
                pool.Abandon(waiter, token);
            },
            (this, waiter));
        await waiter.Completion.Task.ConfigureAwait(false);
    }

    public void Dispose()
    {
        List<Waiter> abandoned;
        lock (_gate)
        {
            _disposed = true;
            abandoned = [.. _waiters];
            _waiters.Clear();
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

    internal void Return(BulkBuffer buffer)
    {
        List<Waiter>? served = null;
        lock (_gate)
        {
            if (_disposed)
            {
                buffer.Free();
                _allocated--;
                return;
            }

            _free.Push(buffer);
            // Strictly in order: a large renter at the head holds back smaller ones behind it, and so cannot starve.
            while (_waiters.First is { } head && head.Value.Count <= Available)
            {
                _waiters.Remove(head);
                Fill(head.Value.Into, head.Value.Count);
                (served ??= []).Add(head.Value);
            }
        }

        if (served is not null)
        {
            foreach (var waiter in served)
            {
                waiter.Completion.TrySetResult();
            }
        }
    }

    private int Available => _free.Count + Capacity - _allocated;

    private async ValueTask<BulkBuffer> RentSlowAsync(CancellationToken ct)
    {
        var one = new BulkBuffer[1];
        await RentAsync(one, 1, ct).ConfigureAwait(false);
        return one[0];
    }

    private void Abandon(Waiter waiter, CancellationToken token)
    {
        lock (_gate)
        {
            if (waiter.Node?.List is null)
            {
                // Served already; the renter gets its buffers.
                return;
            }

            _waiters.Remove(waiter.Node);
        }

        waiter.Completion.TrySetCanceled(token);
    }

    private void Fill(BulkBuffer[] into, int count)
    {
        for (var i = 0; i < count; i++)
        {
            into[i] = Take();
        }
    }

    private BulkBuffer Take()
    {
        if (!_free.TryPop(out var buffer))
        {
            buffer = BulkBuffer.Allocate(this, Alignment);
            _allocated++;
        }

        buffer.MarkRented();
        return buffer;
    }

    private sealed class Waiter(BulkBuffer[] into, int count)
    {
        public readonly BulkBuffer[] Into = into;
        public readonly int Count = count;
        public readonly TaskCompletionSource Completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public LinkedListNode<Waiter>? Node;
    }
}

/// <summary>One native, page-aligned buffer of <see cref="BulkBufferPool.BufferSize"/> bytes.</summary>
public sealed unsafe class BulkBuffer : MemoryManager<byte>
{
    private readonly BulkBufferPool _pool;
    private void* _address;
    private int _rented;

    private BulkBuffer(BulkBufferPool pool, void* address)
    {
        _pool = pool;
        _address = address;
    }

    public nint Address => (nint)_address;

    public override Span<byte> GetSpan() => new(_address, BulkBufferPool.BufferSize);

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)BulkBufferPool.BufferSize, nameof(elementIndex));
        return new MemoryHandle((byte*)_address + elementIndex);
    }

    public override void Unpin()
    {
    }

    /// <summary>Gives the buffer back. A second call does nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _rented, 0) == 1)
        {
            _pool.Return(this);
        }
    }

    internal static BulkBuffer Allocate(BulkBufferPool pool, nuint alignment) =>
        new(pool, NativeMemory.AlignedAlloc(BulkBufferPool.BufferSize, alignment));

    internal void MarkRented() => Volatile.Write(ref _rented, 1);

    internal void Free()
    {
        NativeMemory.AlignedFree(_address);
        _address = null;
    }

    protected override void Dispose(bool disposing) => Dispose();
}
