using Nacre.Client.Inodes;
using Nacre.Client.Lov;
using Nacre.Client.Mdc;
using Nacre.Client.Vfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Files;

/// <summary>Opening, creating and closing (05 sections 6.6 and 8). Each open has a handle of its own at the server.</summary>
internal sealed partial class LustreVfs
{
    private const int AppliedFlags = OpenFlags.Truncate | OpenFlags.Append | OpenFlags.DataSync | OpenFlags.Directory;

    /// <summary>Everything a plain close tells (05 section 8.2).</summary>
    private const MdsAttr CloseAttributes = (MdsAttr)0x621f1;

    public async ValueTask<Outcome<Opened>> OpenAsync(Node node, int flags, Credentials who, CancellationToken ct)
    {
        var inode = (LustreInode)node;
        if (inode.IsDirectory)
        {
            return (flags & OpenFlags.AccessMode) == OpenFlags.ReadOnly
                ? await OpenDirectoryAsync(inode, who, ct).ConfigureAwait(false)
                : new Failure(Errno.EISDIR);
        }

        if (!inode.IsRegular || (flags & OpenFlags.Directory) != 0)
        {
            return new Failure(inode.IsRegular ? Errno.ENOTDIR : Errno.ENXIO);
        }

        if (_options.ReadOnly && ((flags & OpenFlags.AccessMode) != OpenFlags.ReadOnly || (flags & OpenFlags.Truncate) != 0))
        {
            return new Failure(Errno.EROFS);
        }

        var evictions = _mdc.Target.Evictions;
        var answered = await _mdc.OpenAsync(inode.Fid, Translate(flags), who, inode.Group).ConfigureAwait(false);
        if (!answered.IsOk)
        {
            return new Failure(answered.Errno == Errno.ENOENT ? Errno.ESTALE : answered.Errno);
        }

        ulong handle;
        using (var answer = answered.Value)
        {
            inode.Take(answer);
            handle = answer.Body.OpenHandle;
        }

        return await FinishOpenAsync(inode, handle, evictions, flags, who, ct).ConfigureAwait(false);
    }

    public async ValueTask<Outcome<Created>> CreateAsync(
        Node directory, ReadOnlyMemory<byte> name, uint mode, uint umask, int flags, Credentials who, CancellationToken ct)
    {
        var parent = (LustreInode)directory;
        if (CheckChange(name) is var bad and not 0)
        {
            return new Failure(bad);
        }

        var fid = await _mdc.Fids.NextAsync().ConfigureAwait(false);
        if (!fid.IsOk)
        {
            return new Failure(fid.Errno);
        }

        var evictions = _mdc.Target.Evictions;
        var asked = Translate(flags) | ((flags & OpenFlags.Exclusive) != 0 ? MdsOpen.Excl : MdsOpen.None);
        var answered = await _mdc.CreateAsync(parent.Fid, fid.Value, name, asked, mode, umask, who, parent.Group).ConfigureAwait(false);
        return answered.IsOk
            ? await FinishCreateAsync(parent, name, answered.Value, evictions, flags, who, ct).ConfigureAwait(false)
            : new Failure(answered.Errno);
    }

    public async ValueTask ReleaseAsync(OpenNode file)
    {
        if (file is OpenDirectory directory)
        {
            directory.Ahead.Drop();
            directory.Inode.RemoveDirectoryOpen();
            _inodes.Unpin(directory.Inode);
            return;
        }

        var open = (OpenFile)file;
        open.Data.Close(open.State);
        await CloseAsync(open.Inode, open.Handle, open.Evictions, open.Who, open.Data).ConfigureAwait(false);
        _inodes.Unpin(open.Inode);
    }

    private async ValueTask<Outcome<Created>> FinishCreateAsync(
        LustreInode parent, ReadOnlyMemory<byte> name, IntentReply answer, int evictions, int flags, Credentials who, CancellationToken ct)
    {
        Outcome<LustreInode> taken;
        ulong handle;
        bool created;
        var mayBeCached = false;
        MdtBody body;
        using (answer)
        {
            body = answer.Body;
            handle = body.OpenHandle;
            created = (answer.Disposition & Disp.OpenCreate) != 0;
            taken = TakeAnswer(answer);
            if (taken.IsOk)
            {
                mayBeCached = _inodes.Names.TryAdd(parent, name.Span, taken.Value, promise: true);
            }
        }

        if (!taken.IsOk || !taken.Value.IsRegular)
        {
            UnpinIfFound(taken);
            return new Failure(taken.IsOk ? Errno.ENXIO : taken.Errno);
        }

        var inode = taken.Value;
        var left = created ? flags & ~OpenFlags.Truncate : flags;
        var opened = await FinishOpenAsync(inode, handle, evictions, left, who, ct).ConfigureAwait(false);
        if (!opened.IsOk)
        {
            _inodes.Unpin(inode);
            return new Failure(opened.Errno);
        }

        if (created)
        {
            // Nobody has written to it before it was there, so no OST need be asked; what others do to it from here on is told by the next question.
            return new Created(new Entry(inode, Show(inode, body, default), mayBeCached, AttributesMayBeCached: false), opened.Value);
        }

        var entry = await MakeEntryAsync(inode, mayBeCached, ct).ConfigureAwait(false);
        if (entry.IsOk)
        {
            return new Created(entry.Value, opened.Value);
        }

        await ReleaseAsync(opened.Value.File).ConfigureAwait(false);
        return new Failure(entry.Errno);
    }

    /// <summary>Truncates where that was asked for, and makes the open file; closes again when that fails.</summary>
    private async ValueTask<Outcome<Opened>> FinishOpenAsync(
        LustreInode inode, ulong handle, int evictions, int flags, Credentials who, CancellationToken ct)
    {
        var data = await inode.GetDataAsync().ConfigureAwait(false);
        if ((flags & OpenFlags.Truncate) != 0)
        {
            var truncate = new AttributeChange(AttributeFields.Size);
            if (await ChangeAsync(inode, truncate, who, fromOpen: true, ct).ConfigureAwait(false) is var errno and not 0)
            {
                await CloseAsync(inode, handle, evictions, who, data).ConfigureAwait(false);
                return new Failure(errno);
            }
        }

        var direct = (flags & OpenFlags.Direct) != 0;
        var mayBeMapped = (flags & OpenFlags.AccessMode) == OpenFlags.ReadWrite;
        _inodes.Pin(inode);
        var open = new OpenFile(inode, handle, flags, evictions, who, data, data.Open(mayBeMapped, out var isReadShared));
        return new Opened(open, Direct: direct || (flags & OpenFlags.Append) != 0, KeepCache: !isReadShared);
    }

    private async ValueTask CloseAsync(LustreInode inode, ulong handle, int evictions, Credentials who, FileData data)
    {
        if (handle == 0 || evictions != _mdc.Target.Evictions)
        {
            return;
        }

        // Whatever the server answers, the handle is gone (05 section 8.2).
        var told = DescribeClose(inode, data);
        if (await _mdc.CloseAsync(handle, told, who).ConfigureAwait(false) == 0)
        {
            inode.AccessTold(told.AccessTime);
        }
    }

    private static SetAttrArguments DescribeClose(LustreInode inode, FileData data)
    {
        inode.TryGetBody(out var body);
        var valid = CloseAttributes;
        if (!data.TryGetKnownAttributes(out var known) || !known.HasObjects)
        {
            valid &= ~(MdsAttr.LazySize | MdsAttr.LazyBlocks);
        }

        var accessTime = Math.Max(Math.Max(body.Atime, known.AccessTime), inode.AccessTime);
        return new SetAttrArguments(inode.Fid, accessTime == 0 ? valid & ~MdsAttr.Atime : valid)
        {
            Mode = body.Mode,
            Size = known.Size,
            Blocks = known.Blocks,
            AccessTime = accessTime,
            ModifyTime = Math.Max(body.Mtime, known.ModifyTime),
            ChangeTime = Math.Max(body.Ctime, known.ChangeTime),
            Bias = data.TakeModified() ? MdsBias.DataModified : MdsBias.None,
        };
    }

    private static MdsOpen Translate(int flags) => (MdsOpen)(flags & AppliedFlags) | (flags & OpenFlags.AccessMode) switch
    {
        OpenFlags.ReadOnly => MdsOpen.Read,
        OpenFlags.WriteOnly => MdsOpen.Write,
        _ => MdsOpen.Read | MdsOpen.Write,
    };
}
