using Nacre.Client.Cache;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Osc;

/// <summary>
/// One object of a file: its locks, the blocks cached of it, its size and times as far as known. Parts: reading (Read), writing (Write), locks
/// (Locks), attributes (Attributes).
/// <para>
/// Invariant: a valid page is covered by a granted lock of this client, which goes only after the page has. So whoever reads or changes
/// pages holds a reference to a lock that covers them, and what the lock's end drops nobody is using.
/// </para>
/// </summary>
internal sealed partial class ObjectData : ICacheOwner, ILockOwner
{
    /// <summary>Guards blocks and attributes. The target's and the pool's gates may be taken inside of it.</summary>
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Block> _blocks = [];
    private readonly IObjectOwner _file;

    public ObjectData(ObjectTarget target, LuFid fid, IObjectOwner file)
    {
        Target = target;
        Fid = fid;
        Resource = LdlmResId.OfFid(fid);
        _file = file;
    }

    public ObjectTarget Target { get; }

    public LuFid Fid { get; }

    public LdlmResId Resource { get; }

    /// <summary>Its place in the layout, for what requests say of it; set by the file.</summary>
    public object? Place { get; set; }

    /// <summary>Whether anything is dirty or on its way.</summary>
    public bool HasDirty
    {
        get
        {
            lock (_gate)
            {
                foreach (var block in _blocks.Values)
                {
                    if (!block.Dirty.IsEmpty || !block.Sending.IsEmpty)
                    {
                        return true;
                    }
                }

                return false;
            }
        }
    }

    public void FillIdentity(ref Obdo obdo)
    {
        obdo.Oi = OstId.FromFid(Fid);
        _file.FillIdentity(this, ref obdo);
    }

    public void FillOwner(ref Obdo obdo)
    {
        _file.FillOwner(ref obdo);
        lock (_gate)
        {
            (obdo.MTime, obdo.CTime) = (_mtime, _ctime);
        }
    }

    bool ICacheOwner.TryEvict(Block block)
    {
        lock (_gate)
        {
            if (block.IsBusy || block.Pins > 0 || !IsKnown(block))
            {
                return false;
            }

            Remove(block);
            return true;
        }
    }

    /// <summary>Takes a block out and gives its memory back. Called under the gate.</summary>
    private void Remove(Block block)
    {
        _blocks.Remove(block.Index);
        Target.Cache.Leave(block);
        block.Valid = default;
        block.Release();
    }

    /// <summary>
    /// The block with memory for the pages, pinned. Takes memory without the gate, so that others may be evicted for it.
    /// </summary>
    /// <param name="wholeIfNew">The pages are part of something larger: take a whole block's memory at once.</param>
    private async ValueTask<Block> PinAsync(long index, int firstPage, int pages, bool wholeIfNew, bool holding, CancellationToken ct)
    {
        while (true)
        {
            var (block, wanted, wait) = TryPin(index, firstPage, pages, wholeIfNew);
            if (block is not null)
            {
                return block;
            }

            if (wait is not null)
            {
                await wait.WaitAsync(ct).ConfigureAwait(false);
                continue;
            }

            var chunk = await Target.Cache.RentAsync(wanted, holding, ct).ConfigureAwait(false);
            GiveMemory(index, firstPage, pages, chunk);
        }
    }

    /// <summary>The block, or the size of the chunk it needs, or what to wait for. Pins it.</summary>
    private (Block? Block, int Wanted, Task? Wait) TryPin(long index, int firstPage, int pages, bool wholeIfNew)
    {
        lock (_gate)
        {
            if (!_blocks.TryGetValue(index, out var block))
            {
                return (null, wholeIfNew || !FitsSmall(firstPage, pages) ? CacheChunk.Large : CacheChunk.Small, null);
            }

            if (!block.Has(firstPage, pages))
            {
                // A transfer under way goes to the memory the block has now.
                return block.Filling.IsEmpty ? (null, CacheChunk.Large, null) : (null, 0, block.Changed);
            }

            block.Pins++;
            block.Touch();
            return (block, 0, null);
        }
    }

    private void GiveMemory(long index, int firstPage, int pages, CacheChunk chunk)
    {
        var used = false;
        lock (_gate)
        {
            if (!_blocks.TryGetValue(index, out var block))
            {
                block = new Block(this, index);
                _blocks.Add(index, block);
                Target.Cache.Enter(block);
            }

            if (!block.Has(firstPage, pages) && block.Filling.IsEmpty && (block.Chunk is null || chunk.Size == CacheChunk.Large))
            {
                block.Adopt(chunk, chunk.Size == CacheChunk.Large ? 0 : firstPage & -SmallPages);
                used = true;
            }
        }

        if (!used)
        {
            chunk.Drop();
        }
    }

    private const int SmallPages = CacheChunk.Small >> Block.PageShift;

    private static bool FitsSmall(int firstPage, int pages) => (firstPage & -SmallPages) == ((firstPage + pages - 1) & -SmallPages);

    /// <summary>Ends a pin; a block left without valid pages goes.</summary>
    internal void Unpin(Block block)
    {
        lock (_gate)
        {
            block.Pins--;
            RemoveIfEmpty(block);
        }
    }

    private void RemoveIfEmpty(Block block)
    {
        if (block is { Pins: 0, IsBusy: false } && block.Valid.IsEmpty && IsKnown(block))
        {
            Remove(block);
        }
    }

    /// <summary>The blocks that share a byte with a range (end inclusive). Called under the gate.</summary>
    private List<Block> BlocksIn(ulong start, ulong end)
    {
        List<Block> found = [];
        var (first, last) = ((long)(start >> Block.Shift), (long)(Math.Min(end, long.MaxValue) >> Block.Shift));
        if (last - first < _blocks.Count)
        {
            for (var index = first; index <= last; index++)
            {
                if (_blocks.TryGetValue(index, out var block))
                {
                    found.Add(block);
                }
            }
        }
        else
        {
            foreach (var block in _blocks.Values)
            {
                if (block.Index >= first && block.Index <= last)
                {
                    found.Add(block);
                }
            }
        }

        return found;
    }

    /// <summary>The pages of a block inside a range (end inclusive), those only touched included.</summary>
    private static (int First, int Count) PagesOf(Block block, ulong start, ulong end)
    {
        var from = (ulong)block.Start;
        var first = start <= from ? 0 : (int)((start - from) >> Block.PageShift);
        var last = end >= from + Block.Size - 1 ? Block.Pages - 1 : (int)((end - from) >> Block.PageShift);
        return (first, last - first + 1);
    }
}
