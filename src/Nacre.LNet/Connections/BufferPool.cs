using System.Buffers;
using System.Runtime.InteropServices;

namespace Nacre.LNet.Connections;

/// <summary>
/// Buffers of all connections of a node. Keeps a bounded stock of output chunks; what is rented is counted, so that a leak
/// shows.
/// </summary>
internal sealed class BufferPool
{
    /// <summary>Output chunks kept for reuse: 16 MiB.</summary>
    private const int MaxStock = 256;

    private readonly Lock _gate = new();
    private readonly Stack<OutputChunk> _stock = new(MaxStock);
    private int _outstanding;

    /// <summary>Buffers rented and not returned.</summary>
    public int Outstanding => Volatile.Read(ref _outstanding);

    public byte[] RentArray(int length)
    {
        Interlocked.Increment(ref _outstanding);
        return ArrayPool<byte>.Shared.Rent(length);
    }

    public void ReturnArray(byte[] array)
    {
        Interlocked.Decrement(ref _outstanding);
        ArrayPool<byte>.Shared.Return(array);
    }

    /// <summary>An empty chunk with room for at least <paramref name="length"/> bytes.</summary>
    public OutputChunk RentChunk(int length)
    {
        Interlocked.Increment(ref _outstanding);
        if (length > OutputChunk.UsualSize) return new OutputChunk(length);
        lock (_gate)
        {
            if (_stock.TryPop(out var chunk)) return chunk;
        }

        return new OutputChunk(OutputChunk.UsualSize);
    }

    public void ReturnChunk(OutputChunk chunk)
    {
        Interlocked.Decrement(ref _outstanding);
        chunk.Reset();
        if (chunk.Capacity != OutputChunk.UsualSize) return;
        lock (_gate)
        {
            if (_stock.Count < MaxStock) _stock.Push(chunk);
        }
    }
}

/// <summary>A pinned array that messages are copied into on their way out. Guarded by the queue that holds it.</summary>
internal sealed class OutputChunk
{
    public const int UsualSize = 64 << 10;

    private readonly byte[] _array;

    public OutputChunk(int capacity)
    {
        _array = GC.AllocateUninitializedArray<byte>(capacity, pinned: true);
        Memory = MemoryMarshal.CreateFromPinnedArray(_array, 0, capacity);
    }

    public ReadOnlyMemory<byte> Memory { get; }

    public int Capacity => _array.Length;

    /// <summary>Bytes taken from the start.</summary>
    public int Used { get; private set; }

    public int Free => _array.Length - Used;

    /// <summary>Segments of the queue that lie in this chunk.</summary>
    public int Segments { get; set; }

    public Span<byte> Take(int length)
    {
        var taken = _array.AsSpan(Used, length);
        Used += length;
        return taken;
    }

    public void Reset()
    {
        Used = 0;
        Segments = 0;
    }
}
