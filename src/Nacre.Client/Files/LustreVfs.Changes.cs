using Nacre.Client.Inodes;
using Nacre.Client.Mdc;
using Nacre.Client.Vfs;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Files;

/// <summary>Making, linking, removing and renaming.</summary>
internal sealed partial class LustreVfs
{
    private const uint RenameNoReplace = 1;
    private const uint RenameExchange = 2;
    private const int MaxSymlinkBytes = 4095;

    public ValueTask<Outcome<Entry>> MakeNodeAsync(
        Node directory, ReadOnlyMemory<byte> name, uint mode, uint umask, ulong device, Credentials who, CancellationToken ct)
    {
        // mknod(2): no type is a regular file.
        var typed = (mode & FileTypes.Mask) == 0 ? mode | FileTypes.Regular : mode;
        return MakeAsync((LustreInode)directory, name, typed, umask, device, default, who, ct);
    }

    public ValueTask<Outcome<Entry>> MakeDirectoryAsync(
        Node directory, ReadOnlyMemory<byte> name, uint mode, uint umask, Credentials who, CancellationToken ct) =>
        MakeAsync((LustreInode)directory, name, FileTypes.Directory | (mode & 0xfff), umask, 0, default, who, ct);

    public ValueTask<Outcome<Entry>> MakeSymlinkAsync(
        Node directory, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, Credentials who, CancellationToken ct) => target.Length switch
        {
            0 => ValueTask.FromResult<Outcome<Entry>>(new Failure(Errno.ENOENT)),
            > MaxSymlinkBytes => ValueTask.FromResult<Outcome<Entry>>(new Failure(Errno.ENAMETOOLONG)),
            _ => MakeAsync((LustreInode)directory, name, FileTypes.Symlink, 0, 0, target, who, ct),
        };

    public async ValueTask<Outcome<Entry>> LinkAsync(
        Node node, Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct)
    {
        var (inode, parent) = ((LustreInode)node, (LustreInode)directory);
        if (CheckChange(name) is var bad and not 0)
        {
            return new Failure(bad);
        }

        var sent = await _mdc.LinkAsync(inode.Fid, parent.Fid, name, who, inode.Group, parent.Group).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            return new Failure(sent.Errno);
        }

        sent.Value.Dispose();
        _inodes.Pin(inode);
        return await MakeEntryAsync(inode, nameMayBeCached: false, ct).ConfigureAwait(false);
    }

    public ValueTask<Outcome<Done>> UnlinkAsync(Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct) =>
        RemoveAsync((LustreInode)directory, name, isDirectory: false, who);

    public ValueTask<Outcome<Done>> RemoveDirectoryAsync(Node directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct) =>
        RemoveAsync((LustreInode)directory, name, isDirectory: true, who);

    /// <summary>
    /// The protocol's rename has no flags. NOREPLACE is a lookup before it, which another client may outrun; EXCHANGE cannot be done at all.
    /// </summary>
    public async ValueTask<Outcome<Done>> RenameAsync(
        Node fromDirectory, ReadOnlyMemory<byte> fromName, Node toDirectory, ReadOnlyMemory<byte> toName, uint flags,
        Credentials who, CancellationToken ct)
    {
        var (from, to) = ((LustreInode)fromDirectory, (LustreInode)toDirectory);
        if ((flags & ~RenameNoReplace) != 0)
        {
            return new Failure(Errno.EINVAL);
        }

        if (CheckChange(fromName) is var bad and not 0 || (bad = CheckName(toName)) != 0)
        {
            return new Failure(bad);
        }

        var moved = await FindAsync(from, fromName, who, ct).ConfigureAwait(false);
        var victim = moved.IsOk ? await FindAsync(to, toName, who, ct).ConfigureAwait(false) : moved;
        var errno = moved.Errno != 0 ? moved.Errno : victim.Errno is 0 or Errno.ENOENT ? 0 : victim.Errno;
        if (errno == 0)
        {
            errno = victim.IsOk && (flags & RenameNoReplace) != 0
                ? Errno.EEXIST
                : await RenameAsync(from, fromName, to, toName, moved.Value, victim.IsOk ? victim.Value : null, who).ConfigureAwait(false);
        }

        UnpinIfFound(moved);
        if (moved.IsOk)
        {
            UnpinIfFound(victim);
        }

        return Completed(errno);
    }

    private async ValueTask<int> RenameAsync(
        LustreInode from, ReadOnlyMemory<byte> fromName, LustreInode to, ReadOnlyMemory<byte> toName, LustreInode moved, LustreInode? victim, Credentials who)
    {
        var arguments = new RenameArguments(from.Fid, fromName, to.Fid, toName, moved.Fid, victim?.Fid ?? default, moved.FileType)
        {
            FromGroup = from.Group,
            ToGroup = to.Group,
        };
        var sent = await _mdc.RenameAsync(arguments, who).ConfigureAwait(false);
        if (!sent.IsOk)
        {
            return sent.Errno;
        }

        using (var reply = sent.Value)
        {
            TakeRemoved(victim, reply);
        }

        // The kernel moves what it keeps of the old name, with the promise made for it; no lock is behind that any more.
        if (_inodes.KernelCache is { } kernel)
        {
            await kernel.DropNameAsync(to, toName).ConfigureAwait(false);
        }

        return 0;
    }

    private async ValueTask<Outcome<Done>> RemoveAsync(LustreInode directory, ReadOnlyMemory<byte> name, bool isDirectory, Credentials who)
    {
        if (CheckChange(name) is var bad and not 0)
        {
            return new Failure(bad);
        }

        _inodes.Names.TryGet(directory, name.Span, promise: false, out var child);
        var sent = await _mdc.RemoveAsync(directory.Fid, name, child?.Fid ?? default, isDirectory, who, directory.Group).ConfigureAwait(false);
        if (sent.IsOk)
        {
            using var reply = sent.Value;
            TakeRemoved(child, reply);
        }

        if (child is not null)
        {
            _inodes.Unpin(child);
        }

        return Completed(sent.Errno);
    }

    /// <summary>The link count that is left, for who has it open.</summary>
    private static void TakeRemoved(LustreInode? inode, RpcReply reply)
    {
        ref readonly var body = ref reply.Get<MdtBody>(1);
        const ObdMd described = ObdMd.FlId | ObdMd.FlNlink;
        if (inode is not null && (body.Valid & described) == described && body.Fid1 == inode.Fid)
        {
            inode.TakeRemoved(body);
        }
    }

    private async ValueTask<Outcome<Entry>> MakeAsync(
        LustreInode directory, ReadOnlyMemory<byte> name, uint mode, uint umask, ulong device, ReadOnlyMemory<byte> target, Credentials who,
        CancellationToken ct)
    {
        if (CheckChange(name) is var bad and not 0)
        {
            return new Failure(bad);
        }

        var fid = await _mdc.Fids.NextAsync().ConfigureAwait(false);
        if (!fid.IsOk)
        {
            return new Failure(fid.Errno);
        }

        var group = directory.Group;
        var sent = (mode & FileTypes.Mask) == FileTypes.Symlink
            ? await _mdc.MakeSymlinkAsync(directory.Fid, fid.Value, name, target, who, group).ConfigureAwait(false)
            : await _mdc.MakeAsync(directory.Fid, fid.Value, name, mode, umask, device, who, group).ConfigureAwait(false);
        return sent.IsOk ? await TakeMadeAsync(sent.Value, ct).ConfigureAwait(false) : new Failure(sent.Errno);
    }

    /// <summary>What was just made, by its reply, which is disposed. There is no lock on it (05 section 5.4), so nobody may keep any of it.</summary>
    private async ValueTask<Outcome<Entry>> TakeMadeAsync(RpcReply reply, CancellationToken ct)
    {
        MdtBody body;
        using (reply)
        {
            body = reply.Get<MdtBody>(1);
        }

        if (_inodes.Get(body.Fid1, body.Mode) is not { } inode)
        {
            return new Failure(Errno.ESTALE);
        }

        inode.TakeUnlocked(body);
        return inode.IsRegular
            ? await MakeEntryAsync(inode, nameMayBeCached: false, ct).ConfigureAwait(false)
            : new Entry(inode, Show(inode, body, default), false, false);
    }

    /// <summary>The inode a name leads to, with a pin.</summary>
    private async ValueTask<Outcome<LustreInode>> FindAsync(LustreInode directory, ReadOnlyMemory<byte> name, Credentials who, CancellationToken ct)
    {
        if (_inodes.Names.TryGet(directory, name.Span, promise: false, out var child))
        {
            return child is null ? new Failure(Errno.ENOENT) : child;
        }

        var answered = await RetryAsync(
            static (mdc, asked, ct) => mdc.GetByNameAsync(asked.Directory.Fid, asked.Name, asked.Who, asked.Directory.Group, ct),
            (Directory: directory, Name: name, Who: who), ct).ConfigureAwait(false);
        if (!answered.IsOk)
        {
            return new Failure(answered.Errno);
        }

        using var answer = answered.Value;
        return TakeAnswer(answer);
    }

    private void UnpinIfFound(Outcome<LustreInode> found)
    {
        if (found.IsOk)
        {
            _inodes.Unpin(found.Value);
        }
    }

    private int CheckChange(ReadOnlyMemory<byte> name) => _options.ReadOnly ? Errno.EROFS : CheckName(name);
}
