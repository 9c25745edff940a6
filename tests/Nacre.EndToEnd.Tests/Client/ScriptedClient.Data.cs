using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>Reading and writing files under extent locks (06 sections 4, 8 and 9).</summary>
public sealed partial class ScriptedClient
{
    /// <summary>Largest file and offset of a file: the kernel's limit.</summary>
    private const ulong MaxFileSize = long.MaxValue;

    private ObjectServer? ServerOf(Import import) => _osts.Values.FirstOrDefault(ost => ost.Import == import);

    private ObjectServer ServerOf(Stripe stripe) => _osts.TryGetValue((int)stripe.Data.OstIndex, out var ost)
        ? ost
        : throw new RpcException(Errno.EINVAL, message: $"the layout names OST {stripe.Data.OstIndex}, which the configuration does not");

    /// <summary>Writes and waits until the servers have the data.</summary>
    public async Task WriteAsync(OpenFile file, ulong offset, ReadOnlyMemory<byte> data)
    {
        await WriteBehindAsync(file, offset, data);
        await FlushAsync(file);
    }

    /// <summary>Takes the locks and keeps the data here, as a page cache does.</summary>
    public async Task WriteBehindAsync(OpenFile file, ulong offset, ReadOnlyMemory<byte> data)
    {
        await EnsureObjectsAsync(file, offset, offset + (ulong)data.Length);
        foreach (var pieces in ByObject(file, offset, data.Length))
        {
            var held = await LockExtentAsync(pieces[0].Stripe, LockMode.PW, pieces[0].ObjectOffset, EndOf(pieces[^1]) - 1);
            AddDirty(file, pieces, offset, data);
            Release(held);
        }
    }

    /// <summary>Writes to a file of one stripe straight from the caller's memory, one request at a time.</summary>
    public async Task WriteThroughAsync(OpenFile file, ulong offset, Memory<byte> data)
    {
        var stripe = Striping.Stripes(file.Fid, file.Layout!).Single();
        var held = await LockExtentAsync(stripe, LockMode.PW, 0, LdlmPolicy.EndOfFile);
        try
        {
            var ost = ServerOf(stripe);
            for (var done = 0; done < data.Length; done += ost.BrwSize)
            {
                await WriteOnceAsync(ost, stripe, offset + (ulong)done, data[done..Math.Min(data.Length, done + ost.BrwSize)]);
            }

            RaiseKnownSize(ost, stripe.Resource, offset + (ulong)data.Length);
        }
        finally
        {
            Release(held);
        }
    }

    /// <summary>Appends at the end of the file under locks on all of it; returns where the data lies.</summary>
    /// <remarks>
    /// One of these locks may be called back while they are held. It serves to the end of the append: a lock asked for now would wait for
    /// whoever wants this one, who waits for this append.
    /// </remarks>
    public async Task<ulong> AppendAsync(OpenFile file, ReadOnlyMemory<byte> data)
    {
        await EnsureObjectsAsync(file, 0, Lov.Eof);
        var locks = new List<(Stripe Stripe, HeldLock Held)>();
        try
        {
            foreach (var stripe in Striping.Stripes(file.Fid, file.Layout!))
            {
                locks.Add((stripe, await LockExtentAsync(stripe, LockMode.PW, 0, LdlmPolicy.EndOfFile)));
            }

            var end = locks.Max(entry => Striping.FileSize(entry.Stripe, KnownSize(entry.Stripe, entry.Held)));
            foreach (var pieces in ByObject(file, end, data.Length))
            {
                AddDirty(file, pieces, end, data);
            }

            return end;
        }
        finally
        {
            locks.ForEach(entry => Release(entry.Held));
        }
    }

    /// <summary>Sends all dirty data of a file and waits for the replies.</summary>
    public Task FlushAsync(OpenFile file) => file.Layout is null
        ? Task.CompletedTask
        : Task.WhenAll(Striping.Stripes(file.Fid, file.Layout).DistinctBy(stripe => stripe.Resource)
            .Select(stripe => FlushObjectAsync(ServerOf(stripe), stripe.Resource)));

    /// <summary>fsync: flush, then OST_SYNC of every object and MDS_SYNC.</summary>
    public async Task FsyncAsync(OpenFile file)
    {
        await FlushAsync(file);
        await SyncAsync(file.Fid);
        foreach (var stripe in file.Layout is null ? [] : Striping.Stripes(file.Fid, file.Layout))
        {
            var call = NewObjectCall(Opcode.OstSync, stripe, (ObdoValid)0x3004031);
            call.Get<Obdo>(1).Blocks = Striping.ObjectSize(stripe, MaxFileSize);
            using var reply = await SendAsync(ServerOf(stripe).Import, call);
        }
    }

    /// <summary>Reads up to the end of the file.</summary>
    public async Task<byte[]> ReadAsync(OpenFile file, ulong offset, int length)
    {
        var size = await SizeAsync(file);
        var count = (int)Math.Min((ulong)length, size > offset ? size - offset : 0);
        var result = new byte[count];
        if (count == 0 || file.Layout is null)
        {
            return result;
        }

        foreach (var pieces in ByObject(file, offset, count))
        {
            var held = await LockExtentAsync(pieces[0].Stripe, LockMode.PR, pieces[0].ObjectOffset, EndOf(pieces[^1]) - 1);
            try
            {
                await FlushObjectAsync(ServerOf(pieces[0].Stripe), pieces[0].Stripe.Resource);
                var bytes = await ReadObjectAsync(pieces[0].Stripe, held, pieces[0].ObjectOffset, (int)(EndOf(pieces[^1]) - pieces[0].ObjectOffset));
                Scatter(pieces, bytes, result, offset);
            }
            finally
            {
                Release(held);
            }
        }

        return result;
    }

    /// <summary>The size of a file, by glimpse where no lock tells it.</summary>
    public async Task<ulong> SizeAsync(OpenFile file) => file.Layout is null ? file.Found.Body.ObjectSize : await SizeAsync(file.Fid, file.Layout);

    public async Task<ulong> SizeAsync(LuFid fid, LovLayout layout)
    {
        var sizes = await Task.WhenAll(Striping.Stripes(fid, layout)
            .Select(async stripe => Striping.FileSize(stripe, (await GlimpseAsync(stripe)).ObjectSize)));
        return sizes.Max();
    }

    /// <summary>Attributes of an object (03 section 14.2): a lock if nobody minds, else what the writers say.</summary>
    private async Task<OstLvb> GlimpseAsync(Stripe stripe)
    {
        if (MatchExtent(stripe, LockMode.PR, 0, LdlmPolicy.EndOfFile) is { } known)
        {
            var lvb = known.Lvb;
            lvb.ObjectSize = KnownSize(stripe, known);
            Release(known);
            return lvb;
        }

        var ost = ServerOf(stripe);
        var held = NewLock(ost.Import, stripe.Resource, LockType.Extent, LockMode.PR, LdlmPolicy.Extent(0, LdlmPolicy.EndOfFile));
        await EnqueueAsync(held, LdlmFlags.HasIntent, OstLvb.Size);
        Release(held);
        return held.Lvb.Error == 0 ? held.Lvb : throw new RpcException(-held.Lvb.Error);
    }

    /// <summary>Has the MDT make the objects of all components that [start, end) touches, where they are missing.</summary>
    public async Task EnsureObjectsAsync(OpenFile file, ulong start, ulong end)
    {
        file.Layout ??= await GetLayoutAsync(file.Fid) ?? throw new RpcException(Errno.EBADF, message: "a file without layout cannot be written");
        if (Striping.NeedsObjects(file.Layout, start, end))
        {
            await InstantiateAsync(file, start, end);
        }
    }

    /// <summary>A lock that covers the range, with one user more: one of the client's, or a new one.</summary>
    private async Task<HeldLock> LockExtentAsync(Stripe stripe, LockMode mode, ulong start, ulong end, LdlmFlags flags = LdlmFlags.None)
    {
        if (MatchExtent(stripe, mode, start, end) is { } known)
        {
            return known;
        }

        var pages = mode == LockMode.PW && end != LdlmPolicy.EndOfFile ? 4095UL : 0;
        var held = NewLock(
            ServerOf(stripe).Import, stripe.Resource, LockType.Extent, mode, LdlmPolicy.Extent(start & ~pages, end | pages));
        await EnqueueAsync(held, flags, OstLvb.Size);
        return held;
    }

    private HeldLock? MatchExtent(Stripe stripe, LockMode mode, ulong start, ulong end)
    {
        var (resource, import) = (stripe.Resource, ServerOf(stripe).Import);
        lock (_lockGate)
        {
            var known = _locks.Values.FirstOrDefault(held =>
                held.Type == LockType.Extent && held.Import == import && held.Resource == resource && held.Covers(mode, start, end));
            if (known is not null)
            {
                known.Users++;
            }

            return known;
        }
    }

    private ulong KnownSize(Stripe stripe, HeldLock held) => Math.Max(held.Lvb.ObjectSize, ServerOf(stripe).DirtyEnd(stripe.Resource));

    /// <summary>The pieces of a file range, those of one object together.</summary>
    private static IEnumerable<Piece[]> ByObject(OpenFile file, ulong offset, int length) =>
        Striping.Map(file.Fid, file.Layout!, offset, length).GroupBy(piece => piece.Stripe.Resource).Select(pieces => pieces.ToArray());

    /// <summary>Keeps what is written to one object until the lock goes or somebody flushes. The caller has a lock that covers it.</summary>
    private void AddDirty(OpenFile file, Piece[] pieces, ulong offset, ReadOnlyMemory<byte> data)
    {
        file.HasWritten = true;
        ServerOf(pieces[0].Stripe).AddDirty(pieces[0].Stripe.Resource, Gather(pieces, data, offset));
    }

    private static ulong EndOf(in Piece piece) => piece.ObjectOffset + (ulong)piece.Length;

    /// <summary>The bytes of one object, which are contiguous there (06 section 8.1).</summary>
    private static DirtyData Gather(Piece[] pieces, ReadOnlyMemory<byte> data, ulong offset)
    {
        var bytes = new byte[EndOf(pieces[^1]) - pieces[0].ObjectOffset];
        foreach (var piece in pieces)
        {
            data.Span.Slice((int)(piece.FileOffset - offset), piece.Length).CopyTo(bytes.AsSpan((int)(piece.ObjectOffset - pieces[0].ObjectOffset)));
        }

        return new DirtyData(pieces[0].Stripe, pieces[0].ObjectOffset, bytes);
    }

    private static void Scatter(Piece[] pieces, byte[] bytes, byte[] result, ulong offset)
    {
        foreach (var piece in pieces)
        {
            bytes.AsSpan((int)(piece.ObjectOffset - pieces[0].ObjectOffset), piece.Length)
                .CopyTo(result.AsSpan((int)(piece.FileOffset - offset)));
        }
    }

    /// <summary>What has to happen before a lock is cancelled (03 section 19.3).</summary>
    private async Task FlushUnderAsync(HeldLock held)
    {
        if (held.Type != LockType.Extent || held.Mode != LockMode.PW || ServerOf(held.Import) is not { } ost)
        {
            return;
        }

        if (held.Discard)
        {
            ost.TakeDirty(held.Resource);
        }
        else
        {
            await FlushObjectAsync(ost, held.Resource);
        }
    }

    private async Task FlushObjectAsync(ObjectServer ost, LdlmResId resource)
    {
        // Told before it is written: a glimpse in between finds the size neither in the dirty data nor at the server.
        RaiseKnownSize(ost, resource, ost.DirtyEnd(resource));
        foreach (var dirty in ost.TakeDirty(resource))
        {
            await WriteObjectAsync(ost, dirty);
            RaiseKnownSize(ost, resource, dirty.End);
        }
    }

    /// <summary>What this client has written is no news to its locks.</summary>
    private void RaiseKnownSize(ObjectServer ost, LdlmResId resource, ulong end)
    {
        lock (_lockGate)
        {
            foreach (var held in _locks.Values.Where(held => held.Import == ost.Import && held.Type == LockType.Extent && held.Resource == resource))
            {
                var lvb = held.Lvb;
                lvb.ObjectSize = Math.Max(lvb.ObjectSize, end);
                held.Lvb = lvb;
            }
        }
    }

    private static RpcCall NewObjectCall(uint opcode, Stripe stripe, ObdoValid valid)
    {
        var call = opcode == Opcode.OstSeek ? new RpcCall(opcode, Obdo.Size) : new RpcCall(opcode, Obdo.Size, 0);
        ref var obdo = ref call.Get<Obdo>(1);
        stripe.Fill(ref obdo);
        obdo.Valid = valid;
        return call;
    }
}
