using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.Client.Vfs;
using Nacre.Fuse.Protocol;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Session;

/// <summary>From a request to what answers it.</summary>
internal sealed partial class FuseSession
{
    /// <summary>Bytes (<see cref="IVfs"/>).</summary>
    private const int MaxNameLength = 255;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask RunAsync(FuseRequest request)
    {
        try
        {
            await HandleAsync(request).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            ReplyError(request, Errno.EINTR);
        }
        catch (ErrnoException e)
        {
            ReplyError(request, Math.Abs(e.Errno));
        }
        catch (Exception e)
        {
            Log.OperationFailed(_log, request.Header.Opcode, request.Header.NodeId, e);
            ReplyError(request, Errno.EIO);
        }
    }

    private ValueTask HandleAsync(FuseRequest request)
    {
        switch (request.Header.Opcode)
        {
            case FuseOpcode.Init:
                return Initialise(request);
            case FuseOpcode.Forget or FuseOpcode.BatchForget or FuseOpcode.Interrupt or FuseOpcode.Destroy:
                return HandleUnanswered(request);
            case FuseOpcode.StatFs:
                return StatFsAsync(request);
        }

        return _nodes.Find(request.Header.NodeId) is { } entry
            ? HandleOfNode(request, entry)
            : Refuse(request, Errno.ESTALE);
    }

    private ValueTask HandleOfNode(FuseRequest request, NodeEntry entry)
    {
        request.Entry = entry;
        if (!entry.IsRecent) entry.IsRecent = true;
        return request.Header.Opcode switch
        {
            FuseOpcode.Lookup => LookupAsync(request),
            FuseOpcode.GetAttributes => GetAttributesAsync(request),
            FuseOpcode.Statx => StatxAsync(request),
            FuseOpcode.SetAttributes => SetAttributesAsync(request),
            FuseOpcode.ReadLink => ReadLinkAsync(request),
            FuseOpcode.Symlink => SymlinkAsync(request),
            FuseOpcode.MakeNode => MakeNodeAsync(request),
            FuseOpcode.MakeDirectory => MakeDirectoryAsync(request),
            FuseOpcode.Unlink => UnlinkAsync(request),
            FuseOpcode.RemoveDirectory => RemoveDirectoryAsync(request),
            FuseOpcode.Rename or FuseOpcode.Rename2 => RenameAsync(request),
            FuseOpcode.Link => LinkAsync(request),
            FuseOpcode.Create => CreateAsync(request),
            FuseOpcode.Open => OpenAsync(request),
            FuseOpcode.OpenDirectory => OpenDirectoryAsync(request),
            FuseOpcode.SetXattr => SetXattrAsync(request),
            FuseOpcode.GetXattr => GetXattrAsync(request),
            FuseOpcode.ListXattrs => ListXattrsAsync(request),
            FuseOpcode.RemoveXattr => RemoveXattrAsync(request),
            _ => HandleOfFile(request),
        };
    }

    /// <summary>Requests about an open file, whose handle is the first thing in their bodies.</summary>
    private ValueTask HandleOfFile(FuseRequest request)
    {
        var body = request.Body.Span;
        var file = body.Length >= sizeof(ulong) ? _files.Find(MemoryMarshal.Read<ulong>(body)) : null;
        switch (request.Header.Opcode)
        {
            // ENOSYS: the kernel does by itself what it would have asked for, and does not ask again.
            case FuseOpcode.Access or FuseOpcode.BlockMap or FuseOpcode.Poll or FuseOpcode.TempFile or FuseOpcode.SyncFs:
                return Refuse(request, Errno.ENOSYS);
            case FuseOpcode.IoControl:
                return Refuse(request, Errno.ENOTTY);
        }

        if (file is null) return Refuse(request, Errno.EBADF);
        return request.Header.Opcode switch
        {
            FuseOpcode.Read => ReadAsync(request, file),
            FuseOpcode.Write => WriteAsync(request, file),
            FuseOpcode.ReadDirectory => ReadDirectoryAsync(request, file, withEntries: false),
            FuseOpcode.ReadDirectoryPlus => ReadDirectoryAsync(request, file, withEntries: true),
            FuseOpcode.Flush => FlushAsync(request, file),
            FuseOpcode.Release or FuseOpcode.ReleaseDirectory => ReleaseAsync(request, file),
            FuseOpcode.Sync or FuseOpcode.SyncDirectory => SyncAsync(request, file),
            FuseOpcode.GetLock => GetLockAsync(request, file),
            FuseOpcode.SetLock => SetLockAsync(request, file, wait: false),
            FuseOpcode.SetLockWait => SetLockAsync(request, file, wait: true),
            FuseOpcode.Allocate => AllocateAsync(request, file),
            FuseOpcode.Seek => SeekAsync(request, file),
            FuseOpcode.CopyRange or FuseOpcode.CopyRange64 => CopyRangeAsync(request, file),
            _ => Refuse(request, Errno.ENOSYS),
        };
    }

    private ValueTask HandleUnanswered(FuseRequest request)
    {
        // Nobody in the kernel waits for these.
        request.Answered();
        switch (request.Header.Opcode)
        {
            case FuseOpcode.Forget:
                Forget(request.Header.NodeId, Body<ulong>(request));
                break;
            case FuseOpcode.BatchForget:
                ForgetAll(request.Body.Span);
                break;
            case FuseOpcode.Interrupt:
                Interrupt(request);
                break;
        }

        return default;
    }

    private void Interrupt(FuseRequest request)
    {
        // EAGAIN: the kernel tells again. The request can be one that another thread has read but not begun.
        if (!_interrupts.Interrupt(Body<ulong>(request))) ReplyError(request, Errno.EAGAIN);
    }

    private void Forget(ulong id, ulong count)
    {
        ulong references = _nodes.Forget(id, count, out var node);
        if (references > 0) _vfs.Forget(node!, references);
    }

    private void ForgetAll(ReadOnlySpan<byte> body)
    {
        uint count = MemoryMarshal.Read<uint>(body);
        foreach (var one in MemoryMarshal.Cast<byte, ForgetOne>(body[8..]))
        {
            if (count-- == 0) return;
            Forget(one.NodeId, one.Count);
        }
    }

    private ValueTask Refuse(FuseRequest request, int errno)
    {
        ReplyError(request, errno);
        return default;
    }

    /// <exception cref="ErrnoException">EINVAL: the request is too short.</exception>
    private static T Body<T>(FuseRequest request)
        where T : unmanaged
    {
        return MemoryMarshal.TryRead(request.Body.Span, out T value) ? value : throw new ErrnoException(Errno.EINVAL);
    }

    /// <summary>The name at <paramref name="start"/>, which moves behind it.</summary>
    /// <exception cref="ErrnoException">ENAMETOOLONG: the kernel lets longer names through than a file system
    /// has.</exception>
    private static ReadOnlyMemory<byte> Name(FuseRequest request, ref int start)
    {
        var name = Text(request, ref start);
        return name.Length <= MaxNameLength ? name : throw new ErrnoException(Errno.ENAMETOOLONG);
    }

    private static ReadOnlyMemory<byte> Name(FuseRequest request, int start = 0) => Name(request, ref start);

    /// <summary>The bytes up to a NUL, from <paramref name="start"/>, which moves behind it.</summary>
    /// <exception cref="ErrnoException">EINVAL: there is no NUL.</exception>
    private static ReadOnlyMemory<byte> Text(FuseRequest request, ref int start)
    {
        int from = start;
        int length = from <= request.Body.Length ? request.Body.Span[from..].IndexOf((byte)0) : -1;
        if (length < 0) throw new ErrnoException(Errno.EINVAL);
        start = from + length + 1;
        return request.Body.Slice(from, length);
    }

    private Credentials Who(FuseRequest request)
    {
        ref readonly var header = ref request.Header;
        // Root needs no groups.
        var groups = header.Uid == 0 ? default : _groups.Of((int)header.Pid, header.Uid, header.Gid);
        return new Credentials(header.Uid, header.Gid, (int)header.Pid, groups);
    }
}
