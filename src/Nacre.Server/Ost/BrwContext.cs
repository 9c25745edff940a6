using System.Collections.Concurrent;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Ost;

/// <summary>
/// What one bulk request needs while it runs: MD lengths, buffers, checksum. Reused, so that a request allocates nothing;
/// disposing gives the buffers back to their pool and the context to its own.
/// </summary>
internal sealed class BrwContext(BrwContextPool owner, int maxMds) : IDisposable
{
    private readonly BulkBuffer[] _buffers = new BulkBuffer[maxMds];
    private readonly Memory<byte>[] _sinks = new Memory<byte>[maxMds];
    private readonly ReadOnlyMemory<byte>[] _sources = new ReadOnlyMemory<byte>[maxMds];
    private int _rented;

    /// <summary>Length of each MD in bytes; the first <see cref="Count"/> are valid.</summary>
    public int[] Lengths { get; } = new int[maxMds];

    public int Count { get; private set; }

    public BrwChecksum Checksum { get; } = new();

    /// <summary>One per MD, of its length.</summary>
    public ReadOnlyMemory<Memory<byte>> Sinks => _sinks.AsMemory(0, Count);

    /// <summary>One per MD, of the bytes that are sent.</summary>
    public ReadOnlyMemory<ReadOnlyMemory<byte>> Sources => _sources.AsMemory(0, Count);

    /// <summary>Cuts the bulk into MDs; false when there are more than an RPC may have.</summary>
    public bool TrySplit(ReadOnlySpan<NiobufRemote> niobufs, int pageSize)
    {
        int count = BulkSplit.Compute(niobufs, pageSize, Lengths);
        Count = Math.Max(0, count);
        return count > 0;
    }

    /// <summary>
    /// Rents a buffer for each MD that takes part of the first <paramref name="bytes"/> of the bulk; waits when the pool is
    /// empty. Sinks and sources are cut to those bytes.
    /// </summary>
    public async ValueTask RentAsync(BulkBufferPool pool, BulkShare client, int bytes, CancellationToken ct)
    {
        int needed = 0;
        for (int left = bytes; left > 0; needed++) left -= Lengths[needed];
        if (needed > 0) await pool.RentAsync(client, _buffers, needed, ct).ConfigureAwait(false);
        _rented = needed;
        for (int i = 0; i < Count; i++)
        {
            int length = Math.Min(bytes, Lengths[i]);
            _sinks[i] = i < needed ? _buffers[i].Memory[..length] : default;
            _sources[i] = _sinks[i];
            bytes -= length;
        }
    }

    public void Dispose()
    {
        for (int i = 0; i < _rented; i++) _buffers[i].Dispose();
        _buffers.AsSpan(0, _rented).Clear();
        _sinks.AsSpan(0, Count).Clear();
        _sources.AsSpan(0, Count).Clear();
        _rented = 0;
        Count = 0;
        owner.Return(this);
    }
}

/// <summary>Contexts that no request uses; as many as there once were requests at a time, at most <see cref="Kept"/>.</summary>
internal sealed class BrwContextPool(int maxMds)
{
    private const int Kept = 256;
    private readonly ConcurrentStack<BrwContext> _free = new();

    public BrwContext Rent() => _free.TryPop(out var context) ? context : new BrwContext(this, maxMds);

    public void Return(BrwContext context)
    {
        if (_free.Count < Kept) _free.Push(context);
    }
}
