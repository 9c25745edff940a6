using Nacre.Client.Cache;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Osc;

/// <summary>From the server into the cache, and from there to readers.</summary>
internal sealed partial class ObjectData
{
    /// <summary>
    /// Adds the cached bytes of a range inside one block to a result, if all are there. The caller holds a lock that covers them.
    /// </summary>
    public bool TryReadCached(long offset, int length, IReadSink sink)
    {
        var (index, first, pages) = Locate(offset, length);
        lock (_gate)
        {
            if (!_blocks.TryGetValue(index, out var block) || !block.Valid.HasAll(first, pages))
            {
                return false;
            }

            block.Touch();
            sink.Add(block.Chunk!, block.Bytes((int)(offset - block.Start), length));
            return true;
        }
    }

    /// <summary>Makes the pages of a range inside one block valid, reading what is absent.</summary>
    /// <param name="held">The lock the caller holds, which covers the range and what is read beyond it.</param>
    /// <param name="fillTo">Behind the last byte to read when anything has to be, at least the end of the range: the lock covers it.</param>
    /// <param name="holding">The caller holds memory already.</param>
    /// <returns>0 or a positive errno.</returns>
    public async ValueTask<int> FillAsync(long offset, int length, long fillTo, ClientLock held, bool holding, CancellationToken ct)
    {
        var (index, first, pages) = Locate(offset, length);
        var (_, _, wished) = Locate(offset, (int)(Math.Min(Math.Max(fillTo, offset + length), (index + 1) << Block.Shift) - offset));
        while (true)
        {
            var block = await PinAsync(index, first, Math.Max(pages, wished), wished > pages, holding, ct).ConfigureAwait(false);
            try
            {
                if (held.IsGone)
                {
                    return Errno.EIO;
                }

                if (!TryBeginFill(block, first, pages, wished, out var run, out var wait))
                {
                    if (wait is null)
                    {
                        return 0;
                    }

                    await wait.WaitAsync(ct).ConfigureAwait(false);
                    continue;
                }

                if (await FillRunAsync(block, run, held, ct).ConfigureAwait(false) is var errno and not 0)
                {
                    return errno;
                }
            }
            finally
            {
                Unpin(block);
            }
        }
    }

    /// <summary>Reads a block's part ahead, if that can begin without waiting. The task ends with the read, whatever becomes of it.</summary>
    public void Prefetch(long offset, int length)
    {
        var (index, first, pages) = Locate(offset, length);
        if (Target.Locks.TryMatch(
            Resource, LockType.Extent, LockMode.PR, LdlmPolicy.Extent((ulong)offset, (ulong)(offset + length - 1))) is not { } held)
        {
            return;
        }

        var block = TryPin(index, first, pages, wholeIfNew: true);
        if (block is { Block: null, Wait: null } && Target.Cache.TryRent(block.Wanted) is { } chunk)
        {
            GiveMemory(index, first, pages, chunk);
            block = TryPin(index, first, pages, wholeIfNew: true);
        }

        if (block.Block is null)
        {
            held.Dispose();
            return;
        }

        if (!TryBeginFill(block.Block, first, pages, pages, out var run, out _))
        {
            Unpin(block.Block);
            held.Dispose();
            return;
        }

        _ = PrefetchRunAsync(block.Block, run, held);
    }

    /// <summary>Whether all of a range inside one block is there or on its way.</summary>
    public bool IsComing(long offset, int length)
    {
        var (index, first, pages) = Locate(offset, length);
        lock (_gate)
        {
            return _blocks.TryGetValue(index, out var block) && (block.Valid | block.Filling).HasAll(first, pages);
        }
    }

    private async Task PrefetchRunAsync(Block block, FillRun run, LockReference held)
    {
        using (held)
        {
            try
            {
                // A failure is found again by whoever wants the bytes.
                await FillRunAsync(block, run, held.Lock, CancellationToken.None).ConfigureAwait(false);
            }
            finally
            {
                Unpin(block);
            }
        }
    }

    private async ValueTask<int> FillRunAsync(Block block, FillRun run, ClientLock held, CancellationToken ct)
    {
        var errno = Errno.EIO;
        try
        {
            errno = await Target.ReadAsync(
                this, block.Start + ((long)run.First << Block.PageShift), run.Memory, held.ServerHandle, ct).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                block.Filling.Remove(run.First, run.Count);
                if (errno == 0)
                {
                    block.Valid.Add(run.First, run.Count);
                }

                block.SignalChanged();
            }

            run.Chunk.Drop();
        }

        return errno;
    }

    /// <summary>
    /// Marks the first absent pages as filling. False when nothing is absent, or what is absent is on its way: then there is something to
    /// wait for. Pages behind the known size are zeros, since the lock keeps others from writing there.
    /// </summary>
    private bool TryBeginFill(
        Block block, int first, int pages, int wished, out FillRun run, out Task? wait)
    {
        (run, wait) = (default, null);
        lock (_gate)
        {
            if (!IsKnown(block))
            {
                // Taken out by an eviction while it was pinned.
                wait = Task.CompletedTask;
                return false;
            }

            ZeroBehindSize(block, first, pages);
            for (var page = block.Valid.NextAbsent(first); page < first + pages; page = block.Valid.NextAbsent(page + 1))
            {
                if (block.Filling[page])
                {
                    wait ??= block.Changed;
                    continue;
                }

                var present = block.Valid | block.Filling;
                var behind = Math.Min(present.Next(page), first + Math.Max(pages, wished));
                // What lies behind the known size is not worth a request, beyond what was asked for.
                var known = (int)Math.Clamp((_kms - block.Start + Block.PageSize - 1) >> Block.PageShift, page + 1, Block.Pages);
                var count = Math.Min(behind, Math.Max(known, first + pages)) - page;
                block.Filling.Add(page, count);
                block.Chunk!.Hold();
                run = new FillRun(page, count, block.Chunk, block.Memory(page, count));
                return true;
            }

            return false;
        }
    }

    private void ZeroBehindSize(Block block, int first, int pages)
    {
        for (var page = block.Valid.NextAbsent(first); page < first + pages; page = block.Valid.NextAbsent(page + 1))
        {
            if (block.Start + ((long)page << Block.PageShift) >= _kms && !block.Filling[page])
            {
                block.Memory(page, 1).Span.Clear();
                block.Valid.Add(page, 1);
            }
        }
    }

    private bool IsKnown(Block block) => _blocks.TryGetValue(block.Index, out var known) && known == block;

    private static (long Index, int FirstPage, int Pages) Locate(long offset, int length)
    {
        var index = offset >> Block.Shift;
        var from = (int)(offset & (Block.Size - 1));
        var first = from >> Block.PageShift;
        return (index, first, ((from + length - 1) >> Block.PageShift) - first + 1);
    }
}

/// <summary>Absent pages being read; the chunk is held until they are.</summary>
internal readonly record struct FillRun(int First, int Count, CacheChunk Chunk, Memory<byte> Memory);

/// <summary>Collects what is read, in place.</summary>
internal interface IReadSink
{
    /// <summary>Called under an object's gate; holds the chunk.</summary>
    void Add(CacheChunk chunk, ReadOnlyMemory<byte> bytes);
}
