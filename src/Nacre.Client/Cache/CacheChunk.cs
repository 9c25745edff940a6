using System.Buffers;
using System.Runtime.InteropServices;
using Nacre.PtlRpc;

namespace Nacre.Client.Cache;

/// <summary>Native, page-aligned memory of a block of the cache, counted: it is given back to the pool with the last holder.</summary>
internal sealed unsafe class CacheChunk : MemoryManager<byte>
{
    /// <summary>Bytes of a whole block, and of the largest bulk descriptor.</summary>
    public const int Large = BulkMemory.Size;

    /// <summary>Bytes that suffice for small files and scattered pages.</summary>
    public const int Small = 64 << 10;

    private const nuint Alignment = 4096;
    private readonly CachePool _pool;
    private readonly byte* _address;
    private int _holders;

    public CacheChunk(CachePool pool, int size)
    {
        _pool = pool;
        Size = size;
        _address = size == Large ? BulkMemory.Allocate() : (byte*)NativeMemory.AlignedAlloc((nuint)size, Alignment);
    }

    /// <summary>Bytes: <see cref="Large"/> or <see cref="Small"/>.</summary>
    public int Size { get; }

    public void Hold() => Interlocked.Increment(ref _holders);

    public void Drop()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            _pool.Return(this);
        }
    }

    public override Span<byte> GetSpan() => new(_address, Size);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_address + elementIndex);

    public override void Unpin()
    {
    }

    public void Free()
    {
        if (Size == Large)
        {
            BulkMemory.Free(_address);
        }
        else
        {
            NativeMemory.AlignedFree(_address);
        }
    }

    protected override void Dispose(bool disposing)
    {
    }
}
