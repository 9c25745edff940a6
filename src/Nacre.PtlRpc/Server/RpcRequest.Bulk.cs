using System.Numerics;
using System.Runtime.CompilerServices;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>Bulk transfers: the server moves the data, one PUT or GET for each of the client's descriptors (02 section 7).</summary>
public sealed partial class RpcRequest
{
    private const int MaxDescriptors = 128;

    /// <summary>
    /// Fetches the client's descriptors into <paramref name="sinks"/>, all in parallel, and returns the bytes moved. Each sink has
    /// exactly the length of its descriptor: cut at 256 fragments, not at 1 MiB (02 section 7.3).
    /// </summary>
    /// <param name="bulkPortal">8 for object data, 14 for the MDT.</param>
    /// <param name="sinks">One for each descriptor, in order; none is touched any more when the task completes.</param>
    /// <param name="nMax">Match bits the client reserves for each RPC: a power of two (02 section 7.2).</param>
    /// <exception cref="RpcException">EPROTO: the client announced another number of descriptors.</exception>
    /// <exception cref="BulkException">Timed out, or given up because the client has gone on to another connection.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> PullBulkAsync(int bulkPortal, ReadOnlyMemory<Memory<byte>> sinks, int nMax)
    {
        var bulk = BeginBulk(sinks.Length, nMax, exact: true);
        int moved;
        try
        {
            moved = bulk.Count == 1
                ? await PullOneAsync(bulkPortal, bulk, 0, sinks.Span[0], bulk.Aborted).ConfigureAwait(false)
                : await PullAllAsync(bulkPortal, bulk, sinks).ConfigureAwait(false);
        }
        catch (Exception failure) when (IsTransferFailure(failure))
        {
            throw Failed(failure, bulk);
        }

        _server.StateOf(Export).Counters.CountBulkWritten(moved);
        return moved;
    }

    /// <summary>
    /// Sends <paramref name="sources"/> into the client's descriptors, all in parallel, and waits until the client has
    /// acknowledged every one. Empty sources, and descriptors beyond the last source, get a PUT of length 0 so that the client
    /// sees all of them used (02 section 7.3).
    /// </summary>
    /// <param name="bulkPortal">8 for object data, 14 for the MDT, 33 for the MGS.</param>
    /// <param name="sources">One for each descriptor, in order; none is read any more when the task completes.</param>
    /// <param name="nMax">Match bits the client reserves for each RPC: a power of two (02 section 7.2).</param>
    /// <returns>The bytes moved.</returns>
    /// <exception cref="RpcException">EPROTO: the client announced fewer descriptors.</exception>
    /// <exception cref="BulkException">Timed out, or given up because the client has gone on to another connection.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> PushBulkAsync(int bulkPortal, ReadOnlyMemory<ReadOnlyMemory<byte>> sources, int nMax)
    {
        var bulk = BeginBulk(sources.Length, nMax, exact: false);
        int moved;
        try
        {
            moved = bulk.Count == 1
                ? await PushOneAsync(bulkPortal, bulk, 0, SourceAt(sources, 0), bulk.Aborted).ConfigureAwait(false)
                : await PushAllAsync(bulkPortal, bulk, sources).ConfigureAwait(false);
        }
        catch (Exception failure) when (IsTransferFailure(failure))
        {
            throw Failed(failure, bulk);
        }

        _server.StateOf(Export).Counters.CountBulkRead(moved);
        return moved;
    }

    /// <summary>Number of descriptors the client announced for this request.</summary>
    /// <exception cref="RpcException">EPROTO: the limit is not a power of two.</exception>
    public int BulkDescriptorCount(int nMax) => Descriptors(nMax).Count;

    private static ReadOnlyMemory<byte> SourceAt(ReadOnlyMemory<ReadOnlyMemory<byte>> sources, int index) =>
        index < sources.Length ? sources.Span[index] : default;

    private (ulong First, int Count) Descriptors(int nMax)
    {
        if (nMax is < 1 or > MaxDescriptors || !BitOperations.IsPow2(nMax))
        {
            throw new RpcException(Errno.EPROTO, rpcLevel: true, $"{nMax} bulk descriptors are not a power of two up to {MaxDescriptors}");
        }

        // Clients that were not granted BULK_MBITS keep pb_mbits equal to the xid, or 0.
        var last = _matchBits != 0 ? _matchBits : Xid;
        var first = last & ~((ulong)nMax - 1);
        return (first, (int)(last - first) + 1);
    }

    private BulkTransfer BeginBulk(int buffers, int nMax, bool exact)
    {
        lock (Export.Gate)
        {
            lock (_state)
            {
                if (_superseded || _connectionCount < Export.ConnCount || Export.IsOrphan || Export.IsClosed)
                {
                    throw new BulkException("the client has reconnected", aborted: true);
                }

                var (first, count) = Descriptors(nMax);
                if (buffers > count || (exact && buffers != count))
                {
                    throw new RpcException(Errno.EPROTO, rpcLevel: true, $"{count} bulk descriptors where {buffers} are needed");
                }

                _bulkStarted = true;
                return new BulkTransfer(Peer, Self, first, count, Export.Connection);
            }
        }
    }

    private ValueTask<int> PullAllAsync(int portal, BulkTransfer bulk, ReadOnlyMemory<Memory<byte>> sinks) =>
        RunAllAsync(bulk, (i, ct) => PullOneAsync(portal, bulk, i, sinks.Span[i], ct));

    private ValueTask<int> PushAllAsync(int portal, BulkTransfer bulk, ReadOnlyMemory<ReadOnlyMemory<byte>> sources) =>
        RunAllAsync(bulk, (i, ct) => PushOneAsync(portal, bulk, i, SourceAt(sources, i), ct));

    private async ValueTask<int> PullOneAsync(int portal, BulkTransfer bulk, int index, Memory<byte> sink, CancellationToken ct)
    {
        var moved = await _server.LNet.GetBulkAsync(
            bulk.Peer, bulk.Self, portal, bulk.First + (ulong)index, sink, _server.Options.BulkTimeout, ct).ConfigureAwait(false);
        return moved == sink.Length
            ? moved
            : throw new BulkException($"descriptor {index} gave {moved} bytes of {sink.Length}");
    }

    private async ValueTask<int> PushOneAsync(int portal, BulkTransfer bulk, int index, ReadOnlyMemory<byte> source, CancellationToken ct)
    {
        var moved = await _server.LNet.PutBulkAsync(
            bulk.Peer, bulk.Self, portal, bulk.First + (ulong)index, source, _server.Options.BulkTimeout, ct).ConfigureAwait(false);
        return moved == source.Length
            ? moved
            : throw new BulkException($"descriptor {index} took {moved} bytes of {source.Length}");
    }

    /// <summary>
    /// Starts all transfers, and waits for all even when one fails: only then are the buffers free. The first failure makes the
    /// others give up.
    /// </summary>
    private static async ValueTask<int> RunAllAsync(BulkTransfer bulk, Func<int, CancellationToken, ValueTask<int>> transfer)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(bulk.Aborted);
        var running = new Task<int>[bulk.Count];
        for (var i = 0; i < running.Length; i++)
        {
            running[i] = RunOneAsync(i);
        }

        var moved = await Task.WhenAll(running).ConfigureAwait(false);
        return moved.Sum();

        async Task<int> RunOneAsync(int index)
        {
            try
            {
                return await transfer(index, giveUp.Token).ConfigureAwait(false);
            }
            catch
            {
                await giveUp.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    private static bool IsTransferFailure(Exception failure) =>
        failure is TimeoutException or PeerUnreachableException or OperationCanceledException or BulkException;

    private static BulkException Failed(Exception failure, BulkTransfer bulk) =>
        new(failure.Message, bulk.Aborted.IsCancellationRequested, failure);

    private readonly record struct BulkTransfer(PeerId Peer, Nid Self, ulong First, int Count, CancellationToken Aborted);
}
