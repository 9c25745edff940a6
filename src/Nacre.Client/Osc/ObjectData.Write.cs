using System.Diagnostics;
using Nacre.Client.Cache;
using Nacre.Ldlm.Client;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Osc;

/// <summary>From writers into the cache, and from there to the server.</summary>
internal sealed partial class ObjectData
{
    /// <summary>The last write-back failed with this: writes go through until one succeeds (06 section 9.6). Positive, or 0.</summary>
    private int _writeThrough;

    /// <summary>Writes a range inside one block. The caller holds a PW lock that covers it.</summary>
    /// <param name="whole">The block is going to be written further: take all its memory at once.</param>
    /// <returns>0 or a positive errno.</returns>
    public async ValueTask<int> WriteAsync(long offset, ReadOnlyMemory<byte> data, ClientLock held, bool whole, CancellationToken ct)
    {
        if (await FillEdgesAsync(offset, data.Length, held, ct).ConfigureAwait(false) is var failure and not 0)
        {
            return failure;
        }

        var (index, first, pages) = Locate(offset, data.Length);
        var grant = GrantFor(pages);
        var covered = await Target.ReserveAsync(pages << Block.PageShift, grant, ct).ConfigureAwait(false);
        var kept = false;
        try
        {
            while (true)
            {
                var block = await PinAsync(index, first, pages, whole, holding: false, ct).ConfigureAwait(false);
                try
                {
                    if (held.IsGone)
                    {
                        return Errno.EIO;
                    }

                    var run = default(DirtyRun);
                    var wait = covered
                        ? TryCopy(block, offset, data.Span, first, pages, grant, out kept)
                        : TryCopyForSending(block, offset, data.Span, first, pages, out run, out kept);
                    if (wait is not null)
                    {
                        await wait.WaitAsync(ct).ConfigureAwait(false);
                        continue;
                    }

                    if (!kept)
                    {
                        // An edge page has gone meanwhile.
                        failure = await FillEdgesAsync(offset, data.Length, held, ct).ConfigureAwait(false);
                        if (failure != 0)
                        {
                            return failure;
                        }

                        continue;
                    }

                    return covered ? 0 : await SendThroughAsync(run, offset).ConfigureAwait(false);
                }
                finally
                {
                    Unpin(block);
                }
            }
        }
        finally
        {
            if (covered && !kept)
            {
                Target.Unreserve(pages << Block.PageShift, grant);
            }
        }
    }

    /// <summary>Whether the last write-back failed, so that the next write has to find out at once whether it is still so.</summary>
    public bool WritesThrough => Volatile.Read(ref _writeThrough) != 0;

    /// <summary>Positive errno of the last write-back, 0 when it succeeded.</summary>
    public int LastFailure => Volatile.Read(ref _writeThrough);

    /// <summary>
    /// Has everything of a range (end inclusive) that is dirty now written, and waits for the answers. What failed is told to the file.
    /// </summary>
    public async ValueTask FlushAsync(ulong start, ulong end, CancellationToken ct)
    {
        var asked = Stopwatch.GetTimestamp();
        while (QueueForFlush(start, end, asked) is { } wait)
        {
            Target.Pump();
            await wait.WaitAsync(ct).ConfigureAwait(false);
        }
    }

    /// <summary>Queues the blocks that are dirty since before; false when nothing at all is dirty or on its way.</summary>
    public bool QueueDirty(TimeSpan age)
    {
        var any = false;
        lock (_gate)
        {
            foreach (var block in _blocks.Values)
            {
                any |= !block.Sending.IsEmpty || !block.Dirty.IsEmpty;
                if (!block.Dirty.IsEmpty && !block.IsQueued && Stopwatch.GetElapsedTime(block.DirtySince) >= age)
                {
                    Queue(block, urgent: false);
                }
            }
        }

        return any;
    }

    /// <summary>Takes contiguous dirty pages of a queued block to be sent.</summary>
    public bool TryTakeRun(Block block, out DirtyRun run)
    {
        run = default;
        lock (_gate)
        {
            block.IsQueued = false;
            var first = block.Dirty.Next(0);
            if (first == PageSet.Count)
            {
                return false;
            }

            var pages = block.Dirty.NextAbsent(first) - first;
            block.Dirty.Remove(first, pages);
            block.SendingSince = block.Sending.IsEmpty ? block.DirtySince : Math.Min(block.SendingSince, block.DirtySince);
            block.Sending.Add(first, pages);
            var start = block.Start + ((long)first << Block.PageShift);
            var bytes = (int)Math.Min((long)pages << Block.PageShift, _kms - start);
            Debug.Assert(bytes > 0, "what is dirty lies inside the object");
            var grant = block.Dirty.IsEmpty ? block.Grant : Math.Min(block.Grant, GrantFor(pages));
            block.Grant -= grant;
            block.Chunk!.Hold();
            run = new DirtyRun(
                block, block.Chunk, first, pages, block.Bytes(first << Block.PageShift, bytes), grant, pages << Block.PageShift);
            if (!block.Dirty.IsEmpty)
            {
                Queue(block, urgent: true);
            }

            return true;
        }
    }

    /// <summary>A run was answered.</summary>
    public void OnSent(in DirtyRun run, int errno)
    {
        bool isLost;
        lock (_gate)
        {
            var block = run.Block;
            block.Sending.Remove(run.FirstPage, run.Pages);
            // A block that was taken out by an eviction has been counted as lost there.
            isLost = errno != 0 && IsKnown(block);
            if (errno != 0)
            {
                block.Valid.Remove(run.FirstPage, run.Pages);
            }

            Volatile.Write(ref _writeThrough, errno);
            block.SignalChanged();
            RemoveIfEmpty(block);
        }

        run.Chunk.Drop();
        if (isLost)
        {
            _file.OnLost(errno);
        }
    }

    private void Queue(Block block, bool urgent)
    {
        block.IsQueued = true;
        Target.Enqueue(block, urgent);
    }

    /// <summary>What to wait for until nothing older is dirty or on its way; null when there is nothing.</summary>
    private Task? QueueForFlush(ulong start, ulong end, long asked)
    {
        Task? wait = null;
        lock (_gate)
        {
            foreach (var block in BlocksIn(start, end))
            {
                var isDirty = !block.Dirty.IsEmpty && block.DirtySince <= asked;
                if (isDirty && !block.IsQueued)
                {
                    Queue(block, urgent: true);
                }

                if (isDirty || (!block.Sending.IsEmpty && block.SendingSince <= asked))
                {
                    wait ??= block.Changed;
                }
            }
        }

        return wait;
    }

    /// <summary>Grant that so many new dirty pages may cost at most: each may begin a unit, and all of them an extent.</summary>
    private long GrantFor(int pages)
    {
        var chunk = Target.Grant.Chunk;
        var chunks = chunk == Block.PageSize ? pages : Math.Min(pages, ((pages << Block.PageShift) / chunk) + 2);
        return ((long)chunks * chunk) + Target.Grant.Tax;
    }

    /// <summary>Pages only partly written have to be there before, unless they lie behind the end (06 section 9.3).</summary>
    private async ValueTask<int> FillEdgesAsync(long offset, int length, ClientLock held, CancellationToken ct)
    {
        var end = offset + length;
        if ((offset & (Block.PageSize - 1)) != 0 && NeedsFill(offset)
            && await FillAsync(offset & -Block.PageSize, 1, 0, held, holding: false, ct).ConfigureAwait(false) is var errno and not 0)
        {
            return errno;
        }

        return (end & (Block.PageSize - 1)) != 0 && NeedsFill(end)
            ? await FillAsync(end & -Block.PageSize, 1, 0, held, holding: false, ct).ConfigureAwait(false)
            : 0;
    }

    private bool NeedsFill(long position)
    {
        var (index, page, _) = Locate(position, 1);
        lock (_gate)
        {
            return (position & -Block.PageSize) < _kms && !(_blocks.TryGetValue(index, out var block) && block.Valid[page]);
        }
    }

    /// <summary>Copies into the cache; what to wait for when pages are on their way. Not taken when an edge page is absent.</summary>
    private Task? TryCopy(Block block, long offset, ReadOnlySpan<byte> data, int first, int pages, long reserved, out bool taken)
    {
        taken = false;
        int freshPages;
        long spent;
        bool full;
        lock (_gate)
        {
            if (block.Sending.HasAny(first, pages) || block.Filling.HasAny(first, pages))
            {
                return block.Changed;
            }

            if (!IsKnown(block) || !TryStore(block, offset, data, first, pages))
            {
                return null;
            }

            var wasClean = block.Dirty.IsEmpty;
            (freshPages, spent) = CostOf(block, first, pages, reserved);
            block.Dirty.Add(first, pages);
            block.Grant += spent;
            if (wasClean)
            {
                block.DirtySince = Stopwatch.GetTimestamp();
                Target.EnterDirty(this);
            }

            Written(offset + data.Length);
            full = !block.IsQueued && offset + data.Length == block.Start + Block.Size;
            if (full)
            {
                Queue(block, urgent: false);
            }

            taken = true;
        }

        Target.Unreserve((pages - freshPages) << Block.PageShift, reserved - spent);
        if (full)
        {
            Target.Pump();
        }

        return null;
    }

    /// <summary>As <see cref="TryCopy"/> for data no grant covers: the pages count as on their way at once.</summary>
    private Task? TryCopyForSending(
        Block block, long offset, ReadOnlySpan<byte> data, int first, int pages, out DirtyRun run, out bool taken)
    {
        (run, taken) = (default, false);
        lock (_gate)
        {
            if (block.Sending.HasAny(first, pages) || block.Filling.HasAny(first, pages) || block.Dirty.HasAny(first, pages))
            {
                if (!block.Dirty.IsEmpty && !block.IsQueued)
                {
                    Queue(block, urgent: true);
                }

                return block.Changed;
            }

            if (!IsKnown(block) || !TryStore(block, offset, data, first, pages))
            {
                return null;
            }

            _mtime = _ctime = Target.Time.GetUtcNow().ToUnixTimeSeconds();
            block.SendingSince = Stopwatch.GetTimestamp();
            block.Sending.Add(first, pages);
            block.Chunk!.Hold();
            run = new DirtyRun(
                block, block.Chunk, first, pages, block.Bytes((int)(offset - block.Start), data.Length), Grant: 0, Bytes: 0);
            taken = true;
            return null;
        }
    }

    /// <summary>Writes without grant, and so at once; the writer itself is told what becomes of it.</summary>
    private async ValueTask<int> SendThroughAsync(DirtyRun run, long offset)
    {
        var errno = await Target.WriteAsync(this, offset, run.Memory, grant: 0, direct: false, CancellationToken.None).ConfigureAwait(false);
        lock (_gate)
        {
            run.Block.Sending.Remove(run.FirstPage, run.Pages);
            if (errno != 0)
            {
                run.Block.Valid.Remove(run.FirstPage, run.Pages);
            }
            else
            {
                Written(offset + run.Memory.Length);
            }

            run.Block.SignalChanged();
        }

        run.Chunk.Drop();
        return errno;
    }

    /// <summary>The bytes into the pages; false when a page only partly written is absent and does not lie behind the end.</summary>
    private bool TryStore(Block block, long offset, ReadOnlySpan<byte> data, int first, int pages)
    {
        var from = (int)(offset - block.Start);
        if (!PrepareEdge(block, first, (from & (Block.PageSize - 1)) != 0)
            || !PrepareEdge(block, first + pages - 1, ((from + data.Length) & (Block.PageSize - 1)) != 0))
        {
            return false;
        }

        data.CopyTo(block.Span(from, data.Length));
        block.Valid.Add(first, pages);
        block.Touch();
        return true;
    }

    private bool PrepareEdge(Block block, int page, bool isPartial)
    {
        if (!isPartial || block.Valid[page])
        {
            return true;
        }

        if (block.Start + ((long)page << Block.PageShift) < _kms)
        {
            return false;
        }

        block.Memory(page, 1).Span.Clear();
        return true;
    }

    /// <summary>Pages that become dirty, and the grant that costs: units not begun yet, and an extent if the block is clean.</summary>
    private (int Pages, long Grant) CostOf(Block block, int first, int pages, long reserved)
    {
        var fresh = pages - (block.Dirty & PageSet.Range(first, pages)).PopCount;
        if (fresh == 0)
        {
            return (0, 0);
        }

        var perUnit = Target.Grant.Chunk >> Block.PageShift;
        var units = fresh;
        if (perUnit > 1)
        {
            units = 0;
            for (var unit = first / perUnit; unit <= (first + pages - 1) / perUnit; unit++)
            {
                units += block.Dirty.HasAny(unit * perUnit, perUnit) ? 0 : 1;
            }
        }

        return (fresh, Math.Min(reserved, ((long)units * Target.Grant.Chunk) + (block.Dirty.IsEmpty ? Target.Grant.Tax : 0)));
    }
}
