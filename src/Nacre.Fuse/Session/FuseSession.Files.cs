using System.Runtime.CompilerServices;
using Nacre.Client.Vfs;
using Nacre.Fuse.Protocol;
using Nacre.PtlRpc.Wire;

namespace Nacre.Fuse.Session;

/// <summary>Requests that open files and directories and close them.</summary>
internal sealed partial class FuseSession
{
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask OpenAsync(FuseRequest request)
    {
        var open = Body<OpenRequest>(request);
        var opened = await _vfs.OpenAsync(request.Entry.Node, open.Flags, Who(request), request.Cancelled).ConfigureAwait(false);
        int errno = opened.IsOk ? await KillPrivilegesAsync(request, opened.Value.File, open.Flags, open.OpenFlags).ConfigureAwait(false) : 0;
        await ReplyOpenAsync(request, opened, errno).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask OpenDirectoryAsync(FuseRequest request)
    {
        var opened = await _vfs.OpenDirectoryAsync(request.Entry.Node, Who(request), request.Cancelled).ConfigureAwait(false);
        await ReplyOpenAsync(request, opened, errno: 0).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask CreateAsync(FuseRequest request)
    {
        var create = Body<CreateRequest>(request);
        var name = Name(request, CreateRequest.Size);
        var created = await _vfs.CreateAsync(
            request.Entry.Node, name, create.Mode, create.Umask, create.Flags, Who(request), request.Cancelled).ConfigureAwait(false);
        if (!created.IsOk)
        {
            ReplyError(request, created.Errno);
            return;
        }

        var (entry, opened) = created.Value;
        int errno = await KillPrivilegesAsync(request, opened.File, create.Flags, create.OpenFlags).ConfigureAwait(false);
        if (errno != 0)
        {
            await _vfs.ReleaseAsync(opened.File).ConfigureAwait(false);
            if (entry.Node is not null) _vfs.Forget(entry.Node, 1);
            ReplyError(request, errno);
            return;
        }

        var reply = new CreateReply { Entry = TakeEntry(request, request.Entry, name.Span, entry), Open = TakeFile(opened) };
        if (Reply(request, in reply)) return;
        if (_files.Remove(reply.Open.Handle) is { } file) await _vfs.ReleaseAsync(file).ConfigureAwait(false);
        Forget(reply.Entry.NodeId, 1);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FlushAsync(FuseRequest request, OpenNode file)
    {
        var flush = Body<FlushRequest>(request);
        ReplyDone(request, await _vfs.FlushAsync(file, flush.LockOwner, request.Cancelled).ConfigureAwait(false));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReleaseAsync(FuseRequest request, OpenNode file)
    {
        var release = Body<ReleaseRequest>(request);
        if (_files.Remove(release.Handle) is null)
        {
            ReplyError(request, Errno.EBADF);
            return;
        }

        if ((release.ReleaseFlags & RequestFlags.ReleaseFlockUnlock) != 0 && _options.Locking == FileLocking.Shared)
        {
            var unlock = new FileLock(FileLockType.Unlock, 0, long.MaxValue, (int)request.Header.Pid);
            await _vfs.SetLockAsync(file, new LockOwner(release.LockOwner, IsFlock: true), unlock, wait: false, default).ConfigureAwait(false);
        }

        await _vfs.ReleaseAsync(file).ConfigureAwait(false);
        ReplyDone(request);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask SyncAsync(FuseRequest request, OpenNode file)
    {
        bool dataOnly = (Body<SyncRequest>(request).Flags & RequestFlags.SyncDataOnly) != 0;
        ReplyDone(request, await _vfs.SyncAsync(file, dataOnly, request.Cancelled).ConfigureAwait(false));
    }

    /// <summary>An open with O_TRUNC by somebody without CAP_FSETID takes setuid and setgid bits.</summary>
    private async ValueTask<int> KillPrivilegesAsync(FuseRequest request, OpenNode file, int flags, uint openFlags)
    {
        if ((flags & OpenFlags.Truncate) == 0 || (openFlags & RequestFlags.OpenKillSuidSgid) == 0) return 0;
        var done = await _vfs.SetAttributesAsync(
            file.Node, file, new AttributeChange(AttributeFields.KillPrivileges), Who(request), default).ConfigureAwait(false);
        if (_nodes.Find(file.Node) is { } entry) ForgetPrivileges(entry);
        return done.Errno;
    }

    /// <param name="errno">What came after the open and failed; 0 for nothing.</param>
    private async ValueTask ReplyOpenAsync(FuseRequest request, Outcome<Opened> outcome, int errno)
    {
        if (!outcome.IsOk)
        {
            ReplyError(request, outcome.Errno);
            return;
        }

        if (errno != 0)
        {
            await _vfs.ReleaseAsync(outcome.Value.File).ConfigureAwait(false);
            ReplyError(request, errno);
            return;
        }

        var reply = TakeFile(outcome.Value);
        // Whoever is not told of a handle does not close it.
        if (!Reply(request, in reply) && _files.Remove(reply.Handle) is { } file) await _vfs.ReleaseAsync(file).ConfigureAwait(false);
    }

    private OpenReply TakeFile(in Opened opened)
    {
        var flags = OpenReplyFlags.None;
        if (opened.Direct) flags |= OpenReplyFlags.DirectIo | OpenReplyFlags.ParallelDirectWrites;
        if (opened.KeepCache) flags |= OpenReplyFlags.KeepCache;
        return new OpenReply { Handle = _files.Add(opened.File), Flags = flags };
    }
}
