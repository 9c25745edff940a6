using System.Collections;
using Nacre.Client.Cache;
using Nacre.Client.Osc;
using Nacre.Ldlm.Client;

namespace Nacre.Client.Lov;

/// <summary>What a read holds until its bytes have been handed on: memory, and the locks that cover it.</summary>
internal sealed class ReadHold : IReadSink, IReadOnlyList<ReadOnlyMemory<byte>>, IDisposable
{
    private static readonly byte[] Zeros = new byte[Block.Size];
    private readonly Action _onDispose;
    private readonly List<ReadOnlyMemory<byte>> _segments = new(2);
    private readonly List<CacheChunk> _chunks = new(2);
    private readonly List<(ObjectData Object, LockReference Reference)> _locks = new(1);
    private int _disposed;

    public ReadHold(Action onDispose) => _onDispose = onDispose;

    public int Length { get; private set; }

    public int Count => _segments.Count;

    public bool HasMemory => _chunks.Count > 0;

    public ReadOnlyMemory<byte> this[int index] => _segments[index];

    public void Add(ObjectData locked, LockReference reference) => _locks.Add((locked, reference));

    public void Add(CacheChunk chunk, ReadOnlyMemory<byte> bytes)
    {
        chunk.Hold();
        Adopt(chunk, bytes);
    }

    /// <summary>As Add, taking a hold over.</summary>
    public void Adopt(CacheChunk chunk, ReadOnlyMemory<byte> bytes)
    {
        _chunks.Add(chunk);
        _segments.Add(bytes);
        Length += bytes.Length;
    }

    public void AddZeros(long count)
    {
        for (; count > 0; count -= Zeros.Length)
        {
            var part = (int)Math.Min(count, Zeros.Length);
            _segments.Add(Zeros.AsMemory(0, part));
            Length += part;
        }
    }

    public ClientLock LockOf(ObjectData locked)
    {
        foreach (var (known, reference) in _locks)
        {
            if (known == locked)
            {
                return reference.Lock;
            }
        }

        throw new InvalidOperationException("read without a lock");
    }

    public IEnumerator<ReadOnlyMemory<byte>> GetEnumerator() => _segments.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        foreach (var chunk in _chunks)
        {
            chunk.Drop();
        }

        foreach (var (_, reference) in _locks)
        {
            reference.Dispose();
        }

        _onDispose();
    }
}
