using Nacre.Client.Cache;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Osc;

/// <summary>Extent locks of an object: 03 sections 13.6 and 19.3, 06 sections 9.1 and 9.4.</summary>
internal sealed partial class ObjectData
{
    /// <summary>A lock on the pages of a range (end inclusive): one that is held, or a new one.</summary>
    /// <exception cref="PtlRpc.ErrnoException">Refused, or lost by eviction.</exception>
    public ValueTask<LockReference> LockAsync(LockMode mode, ulong start, ulong end, LdlmFlags flags, CancellationToken ct)
    {
        const ulong InPage = Block.PageSize - 1;
        var policy = LdlmPolicy.Extent(start & ~InPage, end | InPage);
        return Target.Locks.TryMatch(Resource, LockType.Extent, mode, policy) is { } held
            ? ValueTask.FromResult(held)
            : Target.Locks.EnqueueAsync(new LockRequest(Resource, LockType.Extent, mode, policy, this) { Flags = flags }, ct);
    }

    /// <summary>Gives up what is cached, and the locks it is cached under.</summary>
    public ValueTask CloseAsync() => Target.Locks.CancelResourceAsync(Resource);

    /// <summary>The lock under which a mapping has changed the page of a byte, for its write-back: also one that is being given up. Null when none is held.</summary>
    public LockReference? TryLockDirty(long at) => Target.Locks.TryMatchDirty(Resource, (ulong)at);

    /// <summary>Drops what a lock covered (end inclusive), dirty or not: punched away, or thrown away by order.</summary>
    public void Drop(ulong start, ulong end)
    {
        lock (_gate)
        {
            foreach (var block in BlocksIn(start, end))
            {
                var (first, pages) = PagesOf(block, start, end);
                DropPages(block, first, pages);
                RemoveIfEmpty(block);
            }
        }
    }

    /// <summary>
    /// Drops what was punched at the server (end inclusive). A page punched in part that has become dirty meanwhile is newer in its other part: it stays, with zeros.
    /// </summary>
    public void Punch(ulong start, ulong end)
    {
        lock (_gate)
        {
            foreach (var block in BlocksIn(start, end))
            {
                var (first, pages) = PagesOf(block, start, end);
                for (var page = first; page < first + pages; page++)
                {
                    PunchPage(block, page, start, end);
                }

                RemoveIfEmpty(block);
            }
        }
    }

    /// <summary>Waits until nothing of a range (end inclusive) is on its way, so that no answer comes after what is done next.</summary>
    public async ValueTask SettleAsync(ulong start, ulong end, CancellationToken ct)
    {
        while (Unsettled(start, end) is { } wait)
        {
            await wait.WaitAsync(ct).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void OnGranted(ClientLock granted) => TakeGrant(granted);

    /// <inheritdoc/>
    public ValueTask OnCancelAsync(ClientLock heldLock, LockLoss reason)
    {
        if (reason == LockLoss.Evicted)
        {
            LoseAll();
            // The kernel's copies are of the past too; nobody can wait for that here.
            return _file.DropKernelCacheAsync(this, 0, LdlmPolicy.EndOfFile);
        }

        return GiveUpAsync(heldLock);
    }

    /// <inheritdoc/>
    public bool TryGlimpse(ClientLock heldLock, out OstLvb lvb)
    {
        lock (_gate)
        {
            lvb = new OstLvb
            {
                ObjectSize = (ulong)_kms,
                Blocks = Math.Max(_blocks512, _kms > 0 ? 1UL : 0),
                ATime = _atime,
                MTime = _mtime,
                CTime = _ctime,
            };
            return true;
        }
    }

    private async ValueTask GiveUpAsync(ClientLock held)
    {
        var (start, end) = (held.Policy.Start, held.Policy.End);
        // The kernel gives back what it has dirty, under this lock still.
        await _file.DropKernelCacheAsync(this, start, end).ConfigureAwait(false);
        await Target.Locks.CloseAsync(held).ConfigureAwait(false);
        if (held.Discard)
        {
            await SettleAsync(start, end, CancellationToken.None).ConfigureAwait(false);
        }
        else
        {
            await FlushAsync(start, end, CancellationToken.None).ConfigureAwait(false);
        }

        Drop(start, end);
        LowerKnownSize(held);
    }

    /// <summary>
    /// The known size rests on the locks that are left (06 section 7.3). Found out under the gate, as a lock granted meanwhile brings a size of its own
    /// and lets writers raise it: what is dirty always lies below the known size.
    /// </summary>
    private void LowerKnownSize(ClientLock givenUp)
    {
        lock (_gate)
        {
            givenUp.IsGivenUp = true;
            var end = Target.Locks.FarthestEnd(Resource);
            if (end is null)
            {
                _kms = 0;
            }
            else if (end < (ulong)_kms)
            {
                _kms = (long)end + 1;
            }
        }
    }

    /// <summary>Everything is of the past: the server has forgotten this client's locks.</summary>
    private void LoseAll()
    {
        var lost = false;
        lock (_gate)
        {
            foreach (var block in _blocks.Values.ToArray())
            {
                lost |= !block.Dirty.IsEmpty || !block.Sending.IsEmpty;
                DropDirty(block, 0, Block.Pages);
                _blocks.Remove(block.Index);
                Target.Cache.Leave(block);
                block.Valid = default;
                block.Release();
                block.SignalChanged();
            }

            _kms = 0;
        }

        if (lost)
        {
            _file.OnLost(Errno.EIO);
        }
    }

    /// <summary>Called under the gate. Pages on their way stay: their memory is in use until they are answered.</summary>
    private void DropPages(Block block, int first, int pages)
    {
        DropDirty(block, first, pages);
        block.Valid.Remove(first, pages);
    }

    private void PunchPage(Block block, int page, ulong start, ulong end)
    {
        var (low, high) = ((ulong)block.Start + ((ulong)page << Block.PageShift), (ulong)block.Start + ((ulong)(page + 1) << Block.PageShift) - 1);
        if (!block.Dirty[page] || (start <= low && end >= high))
        {
            DropPages(block, page, 1);
            return;
        }

        var (from, to) = (Math.Max(start, low), Math.Min(end, high));
        block.Span((int)(from - (ulong)block.Start), (int)(to - from) + 1).Clear();
    }

    private void DropDirty(Block block, int first, int pages)
    {
        var dirty = (block.Dirty & PageSet.Range(first, pages)).PopCount;
        if (dirty == 0)
        {
            return;
        }

        block.Dirty.Remove(first, pages);
        var grant = block.Dirty.IsEmpty ? block.Grant : Math.Min(block.Grant, (long)dirty * Target.Grant.Chunk);
        block.Grant -= grant;
        Target.Discard(dirty << Block.PageShift, grant);
        block.SignalChanged();
    }

    private Task? Unsettled(ulong start, ulong end)
    {
        lock (_gate)
        {
            foreach (var block in BlocksIn(start, end))
            {
                var (first, pages) = PagesOf(block, start, end);
                if (block.Sending.HasAny(first, pages) || block.Filling.HasAny(first, pages))
                {
                    return block.Changed;
                }
            }

            return null;
        }
    }
}
