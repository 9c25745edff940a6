using System.Runtime.CompilerServices;
using Nacre.Client.Vfs;
using Nacre.Fuse.Cache;
using Nacre.Fuse.Protocol;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Session;

/// <summary>Requests about the bytes of files.</summary>
internal sealed partial class FuseSession
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReadAsync(FuseRequest request, OpenNode file)
    {
        var read = Body<TransferRequest>(request);
        int length = (int)Math.Min(read.Length, (uint)_options.MaxTransfer);
        if (request.RangeLength > 0)
        {
            await ReadPagesAsync(request, file, read.Offset, length).ConfigureAwait(false);
            return;
        }

        var outcome = await _vfs.ReadAsync(file, read.Offset, length, request.Cancelled).ConfigureAwait(false);
        if (!outcome.IsOk)
        {
            ReplyError(request, outcome.Errno);
            return;
        }

        using var result = outcome.Value;
        Reply(request, in result);
    }

    /// <summary>
    /// For the page cache. While a WRITE is under way its pages may be dropped and read again, and would keep what was there before the WRITE: so what was read is
    /// read again if a WRITE has come between, and a WRITE that finds what was read before it has that dropped (<see cref="DropWhatWasReadAsync"/>).
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReadPagesAsync(FuseRequest request, OpenNode file, long offset, int length)
    {
        var (entry, pages) = (request.Entry, request.Pages);
        entry.NotePages(pages);
        while (true)
        {
            request.HasData = false;
            long writes = entry.Writes.Count;
            var outcome = await _vfs.ReadPagesAsync(file, offset, length, request.Cancelled).ConfigureAwait(false);
            if (!outcome.IsOk)
            {
                ReplyError(request, outcome.Errno);
                return;
            }

            // Disposed after the answer: until the kernel has the pages, where a drop finds them, the lock is held.
            using var result = outcome.Value;
            request.HasData = true;
            Interlocked.MemoryBarrier();
            if (entry.Writes.MayHave(writes, pages)) continue;
            entry.Reads.Add(pages);
            bool isDisregarded = IsEndDisregarded(request, result.Length);
            // Where there is nothing, the kernel thinks that the file ends, and disregards an answer under way that tells of an earlier end.
            if (result.Length == 0) entry.NoteEnd();
            if (isDisregarded) ReplyError(request, Errno.EAGAIN);
            else Reply(request, in result);
            return;
        }
    }

    /// <summary>
    /// Whether the kernel may not take over that the file ends within what it reads ahead, and would show zeros up to the end it knows, which another client has cut off.
    /// It forgets pages that were read ahead in vain, and asks for the first again, alone: that answer counts.
    /// </summary>
    private static bool IsEndDisregarded(FuseRequest request, int length) =>
        length < request.RangeLength && request.RangeLength > PageRanges.PageSize && request.Entry.MayBeNotifiedSince(request.Arrival);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteAsync(FuseRequest request, OpenNode file)
    {
        var write = Body<TransferRequest>(request);
        if (write.Length > request.Body.Length - TransferRequest.Size)
        {
            ReplyError(request, Errno.EINVAL);
            return;
        }

        if (request.RangeLength > 0) request.Entry.NotePages(request.Pages);
        long reads = request.Entry.Reads.Count;
        var data = request.Body.Slice(TransferRequest.Size, (int)write.Length);
        var options = Options(in write);
        var outcome = await _vfs.WriteAsync(file, write.Offset, data, options, request.Cancelled).ConfigureAwait(false);
        if (!outcome.IsOk)
        {
            ReplyError(request, outcome.Errno);
            return;
        }

        if ((options & WriteOptions.KillPrivileges) != 0) ForgetPrivileges(request.Entry);

        var (written, end) = outcome.Value;
        if (!request.IsWriteBack && written > 0) await DropWhatWasReadAsync(request.Entry, write.Offset, end - written, end, reads).ConfigureAwait(false);
        Reply(request, new WriteReply { Length = (uint)written });
    }

    /// <summary>
    /// Drops pages that are of before a WRITE. Before its answer: nobody may see them afterwards, and a notification could make the kernel disregard a new size.
    /// </summary>
    /// <param name="asked">Where the kernel thinks that it went: an append goes where the file ends for the kernel, which keeps what is of another place.</param>
    /// <param name="reads">READs answered when it came.</param>
    private ValueTask DropWhatWasReadAsync(NodeEntry entry, long asked, long start, long end, long reads)
    {
        var pages = PageRanges.Of(start, end - start);
        entry.Writes.Add(pages);
        if (start != asked) return _cache.DropDataAsync(entry.Node, Math.Min(asked, start), long.MaxValue);
        return entry.Reads.MayHave(reads, pages) || _cache.IsRead(entry, pages)
            ? _cache.DropDataAsync(entry.Node, start, end - start)
            : default;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask AllocateAsync(FuseRequest request, OpenNode file)
    {
        var allocate = Body<AllocateRequest>(request);
        ReplyDone(request, await _vfs.AllocateAsync(
            file, allocate.Mode, allocate.Offset, allocate.Length, request.Cancelled).ConfigureAwait(false));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SeekAsync(FuseRequest request, OpenNode file)
    {
        var seek = Body<SeekRequest>(request);
        var found = await _vfs.SeekAsync(file, seek.Offset, seek.Whence, request.Cancelled).ConfigureAwait(false);
        if (found.IsOk) Reply(request, (ulong)found.Value);
        else ReplyError(request, found.Errno);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask CopyRangeAsync(FuseRequest request, OpenNode from)
    {
        var copy = Body<CopyRangeRequest>(request);
        bool isLong = request.Header.Opcode == FuseOpcode.CopyRange64;
        if (_files.Find(copy.ToHandle) is not { } to)
        {
            ReplyError(request, Errno.EBADF);
            return;
        }

        // The old answer has 32 bits.
        long length = (long)Math.Min(copy.Length, isLong ? long.MaxValue : 0x7FFF_F000UL);
        var copied = await _vfs.CopyRangeAsync(from, copy.FromOffset, to, copy.ToOffset, length, request.Cancelled).ConfigureAwait(false);
        if (!copied.IsOk) ReplyError(request, copied.Errno);
        else if (isLong) Reply(request, (ulong)copied.Value);
        else Reply(request, new WriteReply { Length = (uint)copied.Value });
    }

    /// <summary>
    /// The kernel leaves it to the file system to take setuid and setgid bits, and does not look whether they are gone.
    /// Within the request, because it must
    /// not see them when that returns; its node is not being evicted, so this does not block.
    /// </summary>
    private void ForgetPrivileges(NodeEntry entry)
    {
        const uint setIds = 0xC00;
        if ((entry.Mode & setIds) != 0) _cache.ForgetAttributesNow(entry);
    }

    private static WriteOptions Options(in TransferRequest write)
    {
        if ((write.TransferFlags & RequestFlags.WriteFromCache) != 0) return WriteOptions.FromPageCache;
        var options = WriteOptions.None;
        if ((write.FileFlags & OpenFlags.Append) != 0) options |= WriteOptions.Append;
        if ((write.FileFlags & OpenFlags.Direct) != 0) options |= WriteOptions.Direct;
        if ((write.FileFlags & OpenFlags.DataSync) != 0) options |= WriteOptions.Sync;
        if ((write.TransferFlags & RequestFlags.WriteKillSuidSgid) != 0) options |= WriteOptions.KillPrivileges;
        return options;
    }
}
