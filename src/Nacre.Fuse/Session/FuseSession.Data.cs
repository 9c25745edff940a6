using System.Runtime.CompilerServices;
using Nacre.Client.Vfs;
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
        if (file.Tag == DirectFile) request.RangeLength = 0;
        var outcome = await _vfs.ReadAsync(file, read.Offset, length, request.Cancelled).ConfigureAwait(false);
        if (!outcome.IsOk)
        {
            ReplyError(request, outcome.Errno);
            return;
        }

        // Disposed after the answer: until the kernel has the pages, where a drop finds them, the lock is held.
        using var result = outcome.Value;
        Reply(request, in result);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteAsync(FuseRequest request, OpenNode file)
    {
        var write = Body<TransferRequest>(request);
        if (write.Length > request.Body.Length - TransferRequest.Size)
        {
            ReplyError(request, Errno.EINVAL);
            return;
        }

        if (file.Tag == DirectFile) request.RangeLength = 0;
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
        Reply(request, new WriteReply { Length = (uint)written });
        // The kernel thinks of an append that it went where the file ended for the kernel; what it keeps there is of another
        // place.
        if (end - written != write.Offset) _cache.Forget(request.Entry, Math.Min(write.Offset, end - written));
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
