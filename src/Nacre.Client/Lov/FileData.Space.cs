using Nacre.Client.Vfs;
using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Lov;

/// <summary>Truncation, allocation and holes: 06 sections 6.3, 6.6, 6.7 and 8.3.</summary>
internal sealed partial class FileData
{
    private const int KeepSize = 1;
    private const int PunchHole = 2;
    private const int SeekData = 3;
    private const int SeekHole = 4;

    /// <summary>The part of a truncation that follows the MDT's SETATTR (06 section 8.3). Times are seconds.</summary>
    public async ValueTask<Outcome<Done>> TruncateAsync(long size, long modifyTime, long changeTime, CancellationToken ct)
    {
        if (size is < 0 or long.MaxValue)
        {
            return new Failure(size < 0 ? Errno.EINVAL : Errno.EFBIG);
        }

        try
        {
            Volatile.Write(ref _modified, 1);
            if (await EnterToTruncateAsync(size, ct).ConfigureAwait(false) is not { } striped)
            {
                return default(Done);
            }

            List<LockReference> locks = [];
            try
            {
                // What others have dirty and is cut off anyway need not be written first.
                var flags = size == 0 ? LdlmFlags.AstDiscardData : LdlmFlags.None;
                await LockAllAsync(striped, size, flags, locks, ct).ConfigureAwait(false);
                await Task.WhenAll(striped.Stripes().Where(stripe => stripe.Component.End > size)
                    .Select(stripe => TruncateAsync(stripe, size, modifyTime, changeTime, ct))).ConfigureAwait(false);
                return default(Done);
            }
            finally
            {
                locks.ForEach(static held => held.Dispose());
                Leave();
            }
        }
        catch (ErrnoException failure)
        {
            return new Failure(failure.Errno);
        }
    }

    /// <param name="mode">FALLOC_FL_KEEP_SIZE (1), PUNCH_HOLE (2); others are EOPNOTSUPP.</param>
    public async ValueTask<Outcome<Done>> AllocateAsync(int mode, long offset, long length, CancellationToken ct)
    {
        if (offset < 0 || length <= 0 || offset > long.MaxValue - length)
        {
            return new Failure(offset < 0 || length <= 0 ? Errno.EINVAL : Errno.EFBIG);
        }

        if (mode is not (0 or KeepSize or (KeepSize | PunchHole)))
        {
            return new Failure(Errno.EOPNOTSUPP);
        }

        try
        {
            Volatile.Write(ref _modified, 1);
            var punches = (mode & PunchHole) != 0;
            if (await EnterAsync(forWrite: !punches, offset, offset + length, ct).ConfigureAwait(false) is not { } striped)
            {
                return default(Done);
            }

            try
            {
                List<Share> shares = [];
                striped.AddShares(offset, offset + length, shares);
                foreach (var share in shares)
                {
                    await AllocateAsync(share, mode, ct).ConfigureAwait(false);
                }

                return default(Done);
            }
            finally
            {
                Leave();
            }
        }
        catch (ErrnoException failure)
        {
            return new Failure(failure.Errno);
        }
    }

    /// <param name="whence">SEEK_DATA (3) or SEEK_HOLE (4).</param>
    public async ValueTask<Outcome<long>> SeekAsync(long offset, int whence, CancellationToken ct)
    {
        if (whence is not (SeekData or SeekHole))
        {
            return new Failure(Errno.EINVAL);
        }

        try
        {
            if (offset < 0 || await EnterAsync(forWrite: false, 0, 0, ct).ConfigureAwait(false) is not { } striped)
            {
                return new Failure(Errno.ENXIO);
            }

            try
            {
                var size = await SizeAsync(striped, ct).ConfigureAwait(false);
                if (offset >= size)
                {
                    return new Failure(Errno.ENXIO);
                }

                var found = await SeekAsync(striped, offset, whence, ct).ConfigureAwait(false);
                return found >= 0 ? Math.Min(found, size) : whence == SeekHole ? size : new Failure(Errno.ENXIO);
            }
            finally
            {
                Leave();
            }
        }
        catch (ErrnoException failure)
        {
            return new Failure(failure.Errno);
        }
    }

    /// <summary>With the objects a growing truncation needs: those of the component that holds the new end.</summary>
    private async ValueTask<StripedFile?> EnterToTruncateAsync(long size, CancellationToken ct)
    {
        var striped = await EnterAsync(forWrite: false, 0, 0, ct).ConfigureAwait(false);
        if (striped is null || !striped.Layout.NeedsObjects(0, size + 1))
        {
            return striped;
        }

        Leave();
        return await EnterAsync(forWrite: true, 0, size + 1, ct).ConfigureAwait(false);
    }

    private static async Task TruncateAsync(Stripe stripe, long size, long modifyTime, long changeTime, CancellationToken ct)
    {
        var data = stripe.Object!;
        // By the whole file's size, also where that ends before the component: a larger object would say that the file is larger.
        var objectSize = stripe.Component.ObjectSize(stripe.Index, size);
        // What is cut off must not be written back after it was: it goes first, and what is on its way arrives first.
        data.CutTo(objectSize);
        await data.SettleAsync((ulong)objectSize & ~4095UL, LdlmEnd, ct).ConfigureAwait(false);
        var body = NewBody(data, (ObdoValid)0x008000000300403d & ~ObdoValid.ATime);
        (body.ObjectSize, body.Blocks, body.MTime, body.CTime) = ((ulong)objectSize, ulong.MaxValue, modifyTime, changeTime);
        var answer = await data.Target.CallAsync(Opcode.OstPunch, body, ct).ConfigureAwait(false);
        data.SetSize(objectSize);
        data.SetTimes(null, modifyTime, changeTime);
        if (answer.Has(ObdoValid.Blocks))
        {
            data.OnWritten(answer.Blocks);
        }
    }

    private static async ValueTask AllocateAsync(Share share, int mode, CancellationToken ct)
    {
        var data = share.Object ?? throw NoSuchTarget();
        var (start, last) = ((ulong)share.Start, (ulong)share.End - 1);
        using var held = await data.LockAsync(LockMode.PW, start, last, LdlmFlags.None, ct).ConfigureAwait(false);
        await data.FlushAsync(start & ~4095UL, last | 4095UL, ct).ConfigureAwait(false);
        var body = NewBody(data, (ObdoValid)0x0180000003004631);
        (body.ObjectSize, body.Blocks, body.FallocateMode) = (start, last + 1, (FallocateMode)mode);
        data.FillOwner(ref body);
        var answer = await data.Target.CallAsync(Opcode.OstFallocate, body, ct).ConfigureAwait(false);
        if ((mode & PunchHole) != 0)
        {
            data.Punch(start, last);
        }
        else if ((mode & KeepSize) == 0)
        {
            data.RaiseSize(share.End);
        }

        if (answer.Has(ObdoValid.Blocks))
        {
            data.OnWritten(answer.Blocks);
        }
    }

    /// <summary>The smallest result of all objects, as an offset of the file; -1 without one (06 section 6.7).</summary>
    private static async ValueTask<long> SeekAsync(StripedFile striped, long offset, int whence, CancellationToken ct)
    {
        var best = -1L;
        foreach (var stripe in striped.Stripes())
        {
            var component = stripe.Component;
            if (component.End <= offset)
            {
                continue;
            }

            var from = Math.Max(offset, component.Start);
            var found = await SeekAsync(stripe, component.ObjectSize(stripe.Index, from), whence, ct).ConfigureAwait(false);
            if (found < 0)
            {
                continue;
            }

            var inFile = Math.Max(from, component.FileSize(stripe.Index, found + 1) - 1);
            if (inFile < component.End && (best < 0 || inFile < best))
            {
                best = inFile;
            }
        }

        return whence == SeekHole ? FirstGap(striped, offset, best) : best;
    }

    /// <summary>Where components have no objects there is a hole too.</summary>
    private static long FirstGap(StripedFile striped, long offset, long best)
    {
        foreach (var component in striped.Layout.Components)
        {
            if (!component.HasObjects && component.End > offset)
            {
                var start = Math.Max(offset, component.Start);
                return best < 0 ? start : Math.Min(best, start);
            }
        }

        return best;
    }

    /// <summary>First data or hole of an object at or behind an offset; -1 when there is none.</summary>
    private static async ValueTask<long> SeekAsync(Stripe stripe, long from, int whence, CancellationToken ct)
    {
        var data = stripe.Object ?? throw NoSuchTarget();
        using var held = await data.LockAsync(LockMode.PR, (ulong)from, LdlmEnd, LdlmFlags.None, ct).ConfigureAwait(false);
        await data.FlushAsync((ulong)from, LdlmEnd, ct).ConfigureAwait(false);
        var size = data.KnownSize;
        if (from >= size)
        {
            return whence == SeekHole ? from : -1;
        }

        if (!data.Target.Import.ConnectData.Has(ConnectFlags2.Lseek))
        {
            return whence == SeekHole ? size : from;
        }

        var body = NewBody(data, (ObdoValid)0x1000001);
        (body.ObjectSize, body.Mode) = ((ulong)from, (uint)whence);
        var answer = (long)(await data.Target.CallAsync(Opcode.OstSeek, body, ct).ConfigureAwait(false)).ObjectSize;
        return answer is >= 0 or -Errno.ENXIO ? Math.Max(answer, -1) : throw new ErrnoException((int)-answer);
    }
}
