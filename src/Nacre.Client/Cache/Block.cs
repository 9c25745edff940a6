namespace Nacre.Client.Cache;

/// <summary>
/// 1 MiB of an object in the cache, by pages of 4 KiB. Everything in it is guarded by its owner's gate, except the bytes: those of valid pages that
/// somebody pins may be read without it.
/// <para>
/// A page is in one of these conditions: absent; filling (being read); valid and clean; dirty (valid, newer than the server's); sending (valid, on
/// its way to the server; not changed meanwhile).
/// </para>
/// </summary>
internal sealed class Block(ICacheOwner owner, long index)
{
    public const int Shift = 20;
    public const int Size = 1 << Shift;
    public const int PageShift = 12;
    public const int PageSize = 1 << PageShift;
    public const int Pages = Size >> PageShift;

    private bool _used = true;
    private TaskCompletionSource? _changed;

    public ICacheOwner Owner { get; } = owner;

    /// <summary>Number of the block in its object.</summary>
    public long Index { get; } = index;

    /// <summary>First byte in the object.</summary>
    public long Start => Index << Shift;

    /// <summary>Its place in the pool's ring.</summary>
    public LinkedListNode<Block>? Node { get; set; }

    public PageSet Valid;
    public PageSet Dirty;
    public PageSet Sending;
    public PageSet Filling;

    /// <summary>Bytes of grant the dirty pages hold.</summary>
    public long Grant { get; set; }

    /// <summary>When the oldest dirty page became so; timestamp.</summary>
    public long DirtySince { get; set; }

    /// <summary>When the oldest page on its way to the server became dirty; timestamp.</summary>
    public long SendingSince { get; set; }

    /// <summary>Waits for its turn to be written.</summary>
    public bool IsQueued { get; set; }

    public bool IsBusy => !Dirty.IsEmpty || !Sending.IsEmpty || !Filling.IsEmpty;

    /// <summary>Memory of the pages from <see cref="FirstPage"/>; null before the first use.</summary>
    public CacheChunk? Chunk { get; private set; }

    /// <summary>First page the chunk holds: 0 for a large one.</summary>
    public int FirstPage { get; private set; }

    /// <summary>Operations that use the block beyond the gate: it stays in its object.</summary>
    public int Pins { get; set; }

    public bool Has(int firstPage, int count) =>
        Chunk is { } chunk && firstPage >= FirstPage && firstPage + count <= FirstPage + (chunk.Size >> PageShift);

    /// <summary>Takes memory for more pages over; what was valid is copied. Whoever still reads the old memory holds it.</summary>
    public void Adopt(CacheChunk chunk, int firstPage)
    {
        var old = Chunk;
        if (old is not null)
        {
            var from = (FirstPage - firstPage) << PageShift;
            old.GetSpan().CopyTo(chunk.GetSpan()[from..]);
        }

        Chunk = chunk;
        FirstPage = firstPage;
        old?.Drop();
    }

    /// <summary>Gives the memory up; who still reads it holds it.</summary>
    public void Release()
    {
        Chunk?.Drop();
        Chunk = null;
    }

    /// <summary>The memory of pages the chunk holds.</summary>
    public Memory<byte> Memory(int firstPage, int count) =>
        Chunk!.Memory.Slice((firstPage - FirstPage) << PageShift, count << PageShift);

    public Memory<byte> Bytes(int offset, int length) => Chunk!.Memory.Slice(offset - (FirstPage << PageShift), length);

    public Span<byte> Span(int offset, int length) => Chunk!.GetSpan().Slice(offset - (FirstPage << PageShift), length);

    public void Touch() => _used = true;

    /// <summary>True once after each use.</summary>
    public bool TakeSecondChance()
    {
        var used = _used;
        _used = false;
        return used;
    }

    /// <summary>Completes when pages have stopped filling or sending. Taken under the gate.</summary>
    public Task Changed => (_changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void SignalChanged()
    {
        _changed?.TrySetResult();
        _changed = null;
    }
}
