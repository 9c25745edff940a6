namespace Nacre.Client.Cache;

/// <summary>What an owner of cached blocks does for the pool.</summary>
internal interface ICacheOwner
{
    /// <summary>Gives a block up if nothing in it is dirty, in transfer or in use. Called without any gate held.</summary>
    bool TryEvict(Block block);
}

/// <summary>
/// The memory of a mount's data cache: a bounded number of bytes in chunks of two sizes. Blocks are kept in a ring and given up by second chance:
/// one that was used since the hand last passed is passed over once.
/// <para>
/// Gates: the pool's is taken inside of nobody's and takes nobody's, so an owner is asked for a block without it.
/// </para>
/// </summary>
internal sealed class CachePool : IDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly LinkedList<Block> _ring = new();
    private readonly Stack<CacheChunk> _freeLarge = [];
    private readonly Stack<CacheChunk> _freeSmall = [];
    private readonly long _limit;
    private readonly Action _pressure;
    private TaskCompletionSource? _freed;
    private long _used;
    private bool _disposed;

    /// <param name="limit">Bytes.</param>
    /// <param name="pressure">Called when nothing clean can be given up: starts writing back.</param>
    public CachePool(long limit, Action pressure)
    {
        _limit = Math.Max(limit, 4L * CacheChunk.Large);
        _pressure = pressure;
    }

    /// <summary>Bytes in blocks and in hands now.</summary>
    public long Used => Interlocked.Read(ref _used);

    /// <summary>A chunk if there is room, or room can be made at once. The caller is its first holder.</summary>
    public CacheChunk? TryRent(int size)
    {
        while (!TryReserve(size))
        {
            if (!EvictOne())
            {
                return null;
            }
        }

        return Take(size);
    }

    /// <summary>As <see cref="TryRent"/>, waiting for memory that is being written back.</summary>
    /// <param name="holding">The caller holds blocks that others may wait for, so it does not wait: the limit is exceeded instead, by no more than
    /// the operations under way need.</param>
    public async ValueTask<CacheChunk> RentAsync(int size, bool holding, CancellationToken ct)
    {
        while (true)
        {
            if (TryRent(size) is { } chunk)
            {
                return chunk;
            }

            _pressure();
            if (holding)
            {
                Interlocked.Add(ref _used, size);
                return Take(size);
            }

            await WaitForFreedAsync(ct).ConfigureAwait(false);
        }
    }

    public void Return(CacheChunk chunk)
    {
        TaskCompletionSource? freed;
        lock (_gate)
        {
            Interlocked.Add(ref _used, -chunk.Size);
            freed = _freed;
            _freed = null;
            if (_disposed || _used + FreeBytes >= _limit)
            {
                chunk.Free();
            }
            else
            {
                (chunk.Size == CacheChunk.Large ? _freeLarge : _freeSmall).Push(chunk);
            }
        }

        freed?.TrySetResult();
    }

    /// <summary>Somebody may be waiting for a block that has just become clean.</summary>
    public void OnClean()
    {
        if (Volatile.Read(ref _freed) is null)
        {
            return;
        }

        TaskCompletionSource? freed;
        lock (_gate)
        {
            freed = _freed;
            _freed = null;
        }

        freed?.TrySetResult();
    }

    public void Enter(Block block)
    {
        lock (_gate)
        {
            block.Node ??= new LinkedListNode<Block>(block);
            _ring.AddLast(block.Node);
        }
    }

    public void Leave(Block block)
    {
        lock (_gate)
        {
            if (block.Node?.List is not null)
            {
                _ring.Remove(block.Node);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            while (_freeLarge.TryPop(out var chunk) || _freeSmall.TryPop(out chunk))
            {
                chunk.Free();
            }
        }
    }

    private long FreeBytes => ((long)_freeLarge.Count * CacheChunk.Large) + ((long)_freeSmall.Count * CacheChunk.Small);

    private bool TryReserve(int size)
    {
        lock (_gate)
        {
            if (_used + size > _limit)
            {
                return false;
            }

            Interlocked.Add(ref _used, size);
            return true;
        }
    }

    private CacheChunk Take(int size)
    {
        CacheChunk? chunk;
        lock (_gate)
        {
            (size == CacheChunk.Large ? _freeLarge : _freeSmall).TryPop(out chunk);
            // Memory kept for the other size must not add to the limit.
            while (chunk is null && _used + FreeBytes > _limit && (_freeLarge.TryPop(out var spare) || _freeSmall.TryPop(out spare)))
            {
                spare.Free();
            }
        }

        chunk ??= new CacheChunk(this, size);
        chunk.Hold();
        return chunk;
    }

    private bool EvictOne()
    {
        int left;
        lock (_gate)
        {
            // Twice round: the first time takes the second chances away.
            left = 2 * _ring.Count;
        }

        while (left-- > 0)
        {
            Block block;
            lock (_gate)
            {
                if (_ring.First is not { } first)
                {
                    return false;
                }

                _ring.RemoveFirst();
                _ring.AddLast(first);
                block = first.Value;
            }

            if (!block.TakeSecondChance() && block.Owner.TryEvict(block))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Waits for memory; not for ever, since what became free between the last look and this is not told again.</summary>
    private async ValueTask WaitForFreedAsync(CancellationToken ct)
    {
        Task freed;
        lock (_gate)
        {
            _freed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            freed = _freed.Task;
        }

        try
        {
            await freed.WaitAsync(LookAgain, ct).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Looks again.
        }
    }
}
