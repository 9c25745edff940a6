using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Files;

/// <summary>Bytes of open files.</summary>
internal sealed partial class LustreVfs
{
    /// <summary>Bytes one call copies; the caller comes again for the rest.</summary>
    private const int MaxCopyBytes = 16 << 20;
    private const int CopyStepBytes = 1 << 20;

    public ValueTask<Outcome<ReadResult>> ReadAsync(OpenNode file, long offset, int length, CancellationToken ct) =>
        ReadAsync(file, offset, length, direct: file is OpenFile open && (open.Flags & OpenFlags.Direct) != 0, ct);

    public ValueTask<Outcome<ReadResult>> ReadPagesAsync(OpenNode file, long offset, int length, CancellationToken ct) =>
        ReadAsync(file, offset, length, direct: false, ct);

    public ValueTask<Outcome<(int Length, long End)>> WriteAsync(
        OpenNode file, long offset, ReadOnlyMemory<byte> data, WriteOptions options, CancellationToken ct)
    {
        if (file is not OpenFile { IsWritable: true } open)
        {
            return ValueTask.FromResult<Outcome<(int Length, long End)>>(new Failure(Errno.EBADF));
        }

        if ((open.Flags & OpenFlags.DataSync) != 0)
        {
            options |= WriteOptions.Sync;
        }

        return (options & WriteOptions.KillPrivileges) == 0
            ? open.Data.WriteAsync(open.State, offset, data, options, ct)
            : KillAndWriteAsync(open, offset, data, options, ct);
    }

    public async ValueTask<Outcome<Done>> FlushAsync(OpenNode file, ulong owner, CancellationToken ct)
    {
        if (file is not OpenFile open)
        {
            return default(Done);
        }

        await DropLocksAsync(open.Inode, owner).ConfigureAwait(false);
        await NoteCloseAsync(open).ConfigureAwait(false);
        return Completed(open.Data.TakeErrors(open.State));
    }

    public async ValueTask<Outcome<Done>> SyncAsync(OpenNode file, bool dataOnly, CancellationToken ct)
    {
        var fid = file.Node is Inodes.LustreInode inode ? inode.Fid : default;
        if (file is OpenFile open)
        {
            var synced = await open.Data.SyncAsync(open.State, ct).ConfigureAwait(false);
            if (!synced.IsOk)
            {
                return synced;
            }
        }

        return Completed(await _mdc.SyncAsync(fid, ct).ConfigureAwait(false));
    }

    public ValueTask<Outcome<Done>> AllocateAsync(OpenNode file, int mode, long offset, long length, CancellationToken ct) =>
        file is OpenFile { IsWritable: true } open
            ? open.Data.AllocateAsync(mode, offset, length, ct)
            : ValueTask.FromResult<Outcome<Done>>(new Failure(Errno.EBADF));

    public ValueTask<Outcome<long>> SeekAsync(OpenNode file, long offset, int whence, CancellationToken ct) =>
        file is OpenFile open
            ? open.Data.SeekAsync(offset, whence, ct)
            : ValueTask.FromResult<Outcome<long>>(new Failure(Errno.EINVAL));

    /// <summary>The bytes pass through this client: Lustre has no copy between objects.</summary>
    public async ValueTask<Outcome<long>> CopyRangeAsync(
        OpenNode from, long fromOffset, OpenNode to, long toOffset, long length, CancellationToken ct)
    {
        long copied = 0;
        while (copied < Math.Min(length, MaxCopyBytes))
        {
            var step = (int)Math.Min(CopyStepBytes, Math.Min(length, MaxCopyBytes) - copied);
            var part = await CopyStepAsync(from, fromOffset + copied, to, toOffset + copied, step, ct).ConfigureAwait(false);
            if (!part.IsOk)
            {
                return copied > 0 ? copied : new Failure(part.Errno);
            }

            copied += part.Value;
            if (part.Value < step)
            {
                break;
            }
        }

        return copied;
    }

    private ValueTask<Outcome<ReadResult>> ReadAsync(OpenNode file, long offset, int length, bool direct, CancellationToken ct)
    {
        if (file is not OpenFile open)
        {
            return ValueTask.FromResult<Outcome<ReadResult>>(new Failure(Errno.EISDIR));
        }

        if (!open.IsReadable)
        {
            return ValueTask.FromResult<Outcome<ReadResult>>(new Failure(Errno.EBADF));
        }

        NoteRead(open);
        return open.Data.ReadAsync(open.State, offset, length, direct, ct);
    }

    private async ValueTask<Outcome<int>> CopyStepAsync(
        OpenNode from, long fromOffset, OpenNode to, long toOffset, int length, CancellationToken ct)
    {
        byte[] bytes;
        var read = await ReadAsync(from, fromOffset, length, ct).ConfigureAwait(false);
        if (!read.IsOk)
        {
            return new Failure(read.Errno);
        }

        // Copied out first: a write may wait for the very lock the read pins.
        using (var result = read.Value)
        {
            bytes = new byte[result.Length];
            var at = 0;
            foreach (var segment in result.Segments)
            {
                segment.Span.CopyTo(bytes.AsSpan(at));
                at += segment.Length;
            }
        }

        if (bytes.Length == 0)
        {
            return 0;
        }

        var written = await WriteAsync(to, toOffset, bytes, WriteOptions.None, ct).ConfigureAwait(false);
        return written.IsOk ? written.Value.Length : new Failure(written.Errno);
    }

    private async ValueTask<Outcome<(int Length, long End)>> KillAndWriteAsync(
        OpenFile open, long offset, ReadOnlyMemory<byte> data, WriteOptions options, CancellationToken ct)
    {
        var kill = new AttributeChange(AttributeFields.KillPrivileges);
        var killed = await SetAttributesAsync(open.Node, open, kill, Credentials.Root, ct).ConfigureAwait(false);
        return killed.IsOk
            ? await open.Data.WriteAsync(open.State, offset, data, options & ~WriteOptions.KillPrivileges, ct).ConfigureAwait(false)
            : new Failure(killed.Errno);
    }
}
