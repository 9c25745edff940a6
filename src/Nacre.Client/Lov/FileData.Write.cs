using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.Client.Cache;
using Nacre.Client.Osc;
using Nacre.Client.Vfs;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Lov;

/// <summary>Writing: 06 sections 9.1 and 9.3.</summary>
internal sealed partial class FileData
{
    /// <summary>
    /// All bytes or a failure. An earlier failed write-back of this open file is told at <see cref="TakeErrors"/> and
    /// <see cref="SyncAsync"/>, not here.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Outcome<(int Length, long End)>> WriteAsync(
        OpenData file, long offset, ReadOnlyMemory<byte> data, WriteOptions options, CancellationToken ct)
    {
        try
        {
            Volatile.Write(ref _modified, 1);
            if ((options & WriteOptions.Append) != 0)
            {
                offset = await AppendAsync(data, ct).ConfigureAwait(false);
            }
            else if (offset < 0 || offset > long.MaxValue - data.Length)
            {
                return new Failure(Errno.EFBIG);
            }
            else if (!data.IsEmpty)
            {
                await WriteAtAsync(offset, data, options, ct).ConfigureAwait(false);
            }

            if ((options & (WriteOptions.Sync | WriteOptions.Direct)) == WriteOptions.Sync)
            {
                var synced = await SyncAsync(file, ct).ConfigureAwait(false);
                if (!synced.IsOk)
                {
                    return new Failure(synced.Errno);
                }
            }

            return (data.Length, offset + data.Length);
        }
        catch (ErrnoException failure)
        {
            return new Failure(failure.Errno);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteAtAsync(long offset, ReadOnlyMemory<byte> data, WriteOptions options, CancellationToken ct)
    {
        var fromPageCache = (options & WriteOptions.FromPageCache) != 0;
        var striped = (fromPageCache ? TryEnterForWriteBack(offset, offset + data.Length) : null)
            ?? (await EnterAsync(forWrite: true, offset, offset + data.Length, ct).ConfigureAwait(false))!;
        try
        {
            if ((options & WriteOptions.Direct) != 0)
            {
                await WriteDirectAsync(striped, offset, data, ct).ConfigureAwait(false);
                return;
            }

            var shares = new List<Share>(1);
            striped.AddShares(offset, offset + data.Length, shares);
            foreach (var share in shares)
            {
                if (fromPageCache)
                {
                    await WriteBackShareAsync(striped, share, offset, data, ct).ConfigureAwait(false);
                }
                else
                {
                    await WriteShareAsync(striped, share, offset, data, ct).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>What one object has of a write, under one lock.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask WriteShareAsync(StripedFile striped, Share share, long offset, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        var data = share.Object ?? throw NoSuchTarget();
        using var held = await data.LockAsync(
            LockMode.PW, (ulong)share.Start, (ulong)share.End - 1, LdlmFlags.None, ct).ConfigureAwait(false);
        await WritePiecesAsync(striped, share, held.Lock, offset, bytes, ct).ConfigureAwait(false);
    }

    /// <summary>
    /// What one object has of pages that a mapping has changed: each part under the lock it was changed under, which may be one of several, and one that is
    /// being given up and waits for this write. Without waiting for a lock, hence: another client may wait for the one that waits.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask WriteBackShareAsync(
        StripedFile striped, Share share, long offset, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        var data = share.Object ?? throw NoSuchTarget();
        for (var at = share.Start; at < share.End;)
        {
            // Without a lock after an eviction: what was changed goes to the server again, as what a program writes anew.
            using var held = data.TryLockDirty(at) ?? await data.LockAsync(
                LockMode.PW, (ulong)at, (ulong)share.End - 1, LdlmFlags.None, ct).ConfigureAwait(false);
            var last = Math.Min((ulong)share.End - 1, held.Lock.Policy.End);
            var end = (long)last + 1;
            await WritePiecesAsync(striped, share with { Start = at, End = end }, held.Lock, offset, bytes, ct).ConfigureAwait(false);
            at = end;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask WritePiecesAsync(
        StripedFile striped, Share share, ClientLock held, long offset, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        var data = share.Object!;
        var wasFailing = data.WritesThrough;
        var whole = bytes.Length >= CacheChunk.Small;
        var end = offset + bytes.Length;
        for (var at = share.Start; at < share.End;)
        {
            var fileOffset = share.Component.FileOffset(share.Stripe, at);
            var (_, _, length) = Locate(striped, fileOffset, end);
            length = (int)Math.Min(length, share.End - at);
            var errno = await data.WriteAsync(at, bytes.Slice((int)(fileOffset - offset), length), held, whole, ct).ConfigureAwait(false);
            if (errno != 0)
            {
                throw new ErrnoException(errno);
            }

            at += length;
        }

        if (wasFailing)
        {
            await WriteThroughAsync(data, share, ct).ConfigureAwait(false);
        }
    }

    /// <summary>After a failed write-back the writer itself finds out whether it is still so.</summary>
    private static async ValueTask WriteThroughAsync(ObjectData data, Share share, CancellationToken ct)
    {
        await data.FlushAsync((ulong)share.Start, (ulong)share.End - 1, ct).ConfigureAwait(false);
        if (data.LastFailure is var errno and not 0)
        {
            throw new ErrnoException(errno);
        }
    }

    /// <summary>Locks all objects, so that the end of the file stays where it is; returns where the data went.</summary>
    private async ValueTask<long> AppendAsync(ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        var (from, to) = (0L, 1L);
        while (true)
        {
            var striped = (await EnterAsync(forWrite: true, from, to, ct).ConfigureAwait(false))!;
            List<LockReference> locks = [];
            try
            {
                await LockAllAsync(striped, 0, LdlmFlags.None, locks, ct).ConfigureAwait(false);
                from = striped.KnownSize();
                if (from > long.MaxValue - data.Length)
                {
                    throw new ErrnoException(Errno.EFBIG);
                }

                to = from + data.Length;
                if (data.IsEmpty)
                {
                    return from;
                }

                // Else without the locks the server is asked for objects, and the end looked up again.
                if (!striped.Layout.NeedsObjects(from, to))
                {
                    await WriteLockedAsync(striped, from, data, ct).ConfigureAwait(false);
                    return from;
                }
            }
            finally
            {
                locks.ForEach(static held => held.Dispose());
                Leave();
            }
        }
    }

    private async ValueTask WriteLockedAsync(StripedFile striped, long offset, ReadOnlyMemory<byte> data, CancellationToken ct)
    {
        List<Share> shares = [];
        striped.AddShares(offset, offset + data.Length, shares);
        foreach (var share in shares)
        {
            // Finds the lock that is held. Should it be on its way out, so is its successor's turn: the reference held keeps it until then.
            using var held = share.Object!.Target.Locks.TryMatchHeld(share.Object.Resource, LockMode.PW)
                ?? throw new ErrnoException(Errno.EIO, "the lock was lost");
            await WritePiecesAsync(striped, share, held.Lock, offset, data, ct).ConfigureAwait(false);
        }
    }

    /// <summary>PW locks on everything, of the components that reach beyond a size, in the order all clients keep.</summary>
    private static async ValueTask LockAllAsync(
        StripedFile striped, long size, LdlmFlags flags, List<LockReference> locks, CancellationToken ct)
    {
        foreach (var stripe in striped.Stripes())
        {
            if (stripe.Component.End > size)
            {
                var data = stripe.Object ?? throw NoSuchTarget();
                locks.Add(await data.LockAsync(LockMode.PW, 0, LdlmEnd, flags, ct).ConfigureAwait(false));
            }
        }
    }

    /// <summary>O_DIRECT: past the cache, under the server's locks, on stable storage when it returns (06 sections 4.9, 4.11).</summary>
    private static async ValueTask WriteDirectAsync(StripedFile striped, long offset, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        var end = offset + bytes.Length;
        for (var at = offset; at < end;)
        {
            var (data, objectOffset, length) = Locate(striped, at, end);
            var memory = MemoryMarshal.AsMemory(bytes.Slice((int)(at - offset), length));
            var errno = await data!.Target.WriteAsync(data, objectOffset, memory, grant: 0, direct: true, ct).ConfigureAwait(false);
            if (errno != 0)
            {
                throw new ErrnoException(errno);
            }

            at += length;
        }
    }
}
