using System.Runtime.CompilerServices;
using Nacre.Client.Cache;
using Nacre.Client.Osc;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Lov;

/// <summary>Reading: 06 sections 7.3, 9.1 and 9.2.</summary>
internal sealed partial class FileData
{
    /// <param name="direct">Past the cache (O_DIRECT).</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Outcome<ReadResult>> ReadAsync(OpenData file, long offset, int length, bool direct, CancellationToken ct)
    {
        if (length <= 0 || offset < 0 || offset > long.MaxValue - length)
        {
            return length == 0 ? new ReadResult([], 0, null) : new Failure(Errno.EINVAL);
        }

        ReadHold? hold = null;
        try
        {
            if (await EnterAsync(forWrite: false, offset, offset + length, ct).ConfigureAwait(false) is not { } striped)
            {
                return new ReadResult([], 0, null);
            }

            hold = new ReadHold(Leave);
            if (direct)
            {
                await ReadDirectAsync(striped, offset, length, hold, ct).ConfigureAwait(false);
            }
            else
            {
                await ReadCachedAsync(striped, file, offset, length, hold, ct).ConfigureAwait(false);
            }

            return new ReadResult(hold, hold.Length, hold);
        }
        catch (ErrnoException failure)
        {
            hold?.Dispose();
            return new Failure(failure.Errno);
        }
        catch
        {
            hold?.Dispose();
            throw;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReadCachedAsync(
        StripedFile striped, OpenData file, long offset, int length, ReadHold hold, CancellationToken ct)
    {
        var end = offset + length;
        await LockForReadAsync(striped, offset, end, ReadMode(), hold, ct).ConfigureAwait(false);
        var size = striped.KnownSize();
        if (end > size)
        {
            size = await SizeAsync(striped, ct).ConfigureAwait(false);
            end = Math.Min(end, size);
        }

        if (end <= offset)
        {
            return;
        }

        ReadAhead(striped, file.Plan(offset, length, _client.Options.ReadAheadBytes), size);
        for (var at = offset; at < end;)
        {
            at += await ReadPieceAsync(striped, at, end, size, hold, ct).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// An open that comes between counts itself before it looks at the mark, here the mark is set before the count is looked at: one of the two sees
    /// the other.
    /// </summary>
    private LockMode ReadMode()
    {
        if (Volatile.Read(ref _mappable) > 0)
        {
            return LockMode.PW;
        }

        Interlocked.Exchange(ref _readShared, 1);
        return Volatile.Read(ref _mappable) > 0 ? LockMode.PW : LockMode.PR;
    }

    private async ValueTask LockForReadAsync(
        StripedFile striped, long start, long end, LockMode mode, ReadHold hold, CancellationToken ct)
    {
        var shares = new List<Share>(1);
        striped.AddShares(start, end, shares);
        foreach (var share in shares)
        {
            var data = share.Object ?? throw NoSuchTarget();
            hold.Add(data, await data.LockAsync(mode, (ulong)share.Start, (ulong)share.End - 1, LdlmFlags.None, ct).ConfigureAwait(false));
        }
    }

    /// <summary>Adds what one block of one object has of the range; returns its length.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<int> ReadPieceAsync(
        StripedFile striped, long at, long end, long size, ReadHold hold, CancellationToken ct)
    {
        var (data, objectOffset, length) = Locate(striped, at, end);
        if (data is null)
        {
            hold.AddZeros(length);
            return length;
        }

        var held = hold.LockOf(data);
        // In a stream the rest of the block is wanted soon, as far as the lock and the file reach.
        var rest = length >= Block.Size / 16 ? Math.Min((objectOffset & -Block.Size) + Block.Size, objectOffset + (size - at)) : 0;
        var covered = held.Policy.End >= long.MaxValue ? long.MaxValue : (long)held.Policy.End + 1;
        while (!data.TryReadCached(objectOffset, length, hold))
        {
            var errno = await data.FillAsync(
                objectOffset, length, Math.Min(rest, covered), held, hold.HasMemory, ct).ConfigureAwait(false);
            if (errno != 0)
            {
                throw new ErrnoException(errno);
            }
        }

        return length;
    }

    /// <summary>The object and place of a byte of the file, and how many bytes of the range follow in the same block; null for a hole in the layout.</summary>
    private static (ObjectData? Object, long Offset, int Length) Locate(StripedFile striped, long at, long end)
    {
        if (striped.Layout.Find(at) is not { } component)
        {
            return (null, 0, (int)Math.Min(end - at, NextStart(striped, at) - at));
        }

        var (stripe, offset, length) = component.Locate(at);
        length = Math.Min(length, end - at);
        if (!component.HasObjects)
        {
            return (null, 0, (int)(Math.Min(end, component.End) - at));
        }

        var inBlock = Block.Size - (offset & (Block.Size - 1));
        return (striped[component, stripe] ?? throw NoSuchTarget(), offset, (int)Math.Min(length, inBlock));
    }

    private static long NextStart(StripedFile striped, long at)
    {
        foreach (var component in striped.Layout.Components)
        {
            if (component.Start > at)
            {
                return component.Start;
            }
        }

        return long.MaxValue;
    }

    private static void ReadAhead(StripedFile striped, ReadAhead plan, long size)
    {
        for (var i = 0; i < plan.Count; i++)
        {
            var at = plan.Offset + (i * plan.Stride);
            for (var end = Math.Min(size, at + plan.Length); at < end;)
            {
                var (data, offset, length) = Locate(striped, at, end);
                if (data is not null && !data.IsComing(offset, length))
                {
                    data.Prefetch(offset, length);
                }

                at += length;
            }
        }
    }

    /// <summary>O_DIRECT: the server locks, and calls back what this client has cached itself (06 section 4.11).</summary>
    private async ValueTask ReadDirectAsync(StripedFile striped, long offset, int length, ReadHold hold, CancellationToken ct)
    {
        var end = Math.Min(offset + length, await SizeAsync(striped, ct).ConfigureAwait(false));
        for (var at = offset; at < end;)
        {
            var (data, objectOffset, part) = Locate(striped, at, end);
            if (data is null)
            {
                hold.AddZeros(part);
            }
            else
            {
                var chunk = await _client.Cache.RentAsync(CacheChunk.Large, hold.HasMemory, ct).ConfigureAwait(false);
                var memory = chunk.Memory[..part];
                hold.Adopt(chunk, memory);
                if (await data.Target.ReadAsync(data, objectOffset, memory, lockHandle: 0, ct).ConfigureAwait(false) is var errno and not 0)
                {
                    throw new ErrnoException(errno);
                }
            }

            at += part;
        }
    }
}
