using System.Runtime.CompilerServices;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>REINT_LINK and REINT_UNLINK (05 sections 5.5 and 5.6).</summary>
public sealed partial class MdtTarget
{
    private const int LinkName = 4;
    private const int UnlinkName = 3;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReintLinkAsync(RpcRequest request)
    {
        var record = request.Get<MdtRecName>(BufRecord);
        if (record.Fid1 == record.Fid2)
            throw new FsException(Errno.EPERM);
        RefuseKnownLink(request);
        MdtResult result;
        using (await LockDirectoryAsync(request, record.Fid2).ConfigureAwait(false))
        using (await LockAsync(request, record.Fid1, LockMode.EX, InodeBits.Update | InodeBits.Xattr).ConfigureAwait(false))
        {
            lock (_store.Gate)
                result = _fs.Link(Caller(request, request.Get<MdtRecReint>(BufRecord)), LinkArguments(request));
        }
        await FinishReintAsync(request, ReintOp.Link, result with { Object = default }).ConfigureAwait(false);
    }

    private void RefuseKnownLink(RpcRequest request)
    {
        ref readonly var record = ref request.Get<MdtRecName>(BufRecord);
        var name = EntryNameIn(request, LinkName);
        lock (_store.Gate)
        {
            var source = _fs.GetAttr(record.Fid1).Attributes;
            if (source.IsDirectory)
                throw new FsException(Errno.EPERM);
            if (_fs.Lookup(Caller(request, request.Get<MdtRecReint>(BufRecord)), record.Fid2, name).Found)
                throw new FsException(Errno.EEXIST);
        }
    }

    private static LinkArgs LinkArguments(RpcRequest request)
    {
        ref readonly var record = ref request.Get<MdtRecName>(BufRecord);
        return new LinkArgs
        {
            Source = record.Fid1,
            Parent = record.Fid2,
            Name = EntryNameIn(request, LinkName),
            Time = record.Time,
        };
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReintUnlinkAsync(RpcRequest request)
    {
        var parent = request.Get<MdtRecName>(BufRecord).Fid1;
        FindVictim(request);
        MdtResult? result = null;
        using (await LockDirectoryAsync(request, parent).ConfigureAwait(false))
        {
            // The name can come to mean something else until the victim's own lock is held.
            for (int attempt = 0; result == null && attempt < MaxRetries; attempt++)
            {
                var victim = FindVictim(request);
                using (await LockAsync(request, victim, LockMode.EX, InodeBits.Lookup | InodeBits.Update).ConfigureAwait(false))
                    result = UnlinkIfStill(request, victim);
            }
        }
        await FinishReintAsync(request, ReintOp.Unlink, result ?? throw new FsException(Errno.EAGAIN)).ConfigureAwait(false);
    }

    /// <summary>The entry to remove; ENOENT, EACCES (search).</summary>
    private LuFid FindVictim(RpcRequest request)
    {
        ref readonly var record = ref request.Get<MdtRecName>(BufRecord);
        var name = EntryNameIn(request, UnlinkName);
        lock (_store.Gate)
        {
            var who = Caller(request, request.Get<MdtRecReint>(BufRecord));
            var lookup = _fs.Lookup(who, record.Fid1, name);
            if (!lookup.Found)
                throw new FsException(Errno.ENOENT);
            CheckKind(record.Mode, lookup.Object.Attributes);
            // A directory that cannot go must not be locked: who has it locked as a parent may wait for the one locked here.
            if (lookup.Object.Attributes.IsDirectory)
                _fs.CheckUnlink(who, UnlinkArguments(request));
            return lookup.Object.Fid;
        }
    }

    private MdtResult? UnlinkIfStill(RpcRequest request, LuFid victim)
    {
        ref readonly var record = ref request.Get<MdtRecName>(BufRecord);
        var name = EntryNameIn(request, UnlinkName);
        var who = Caller(request, request.Get<MdtRecReint>(BufRecord));
        lock (_store.Gate)
        {
            var lookup = _fs.Lookup(who, record.Fid1, name);
            if (lookup.Found && lookup.Object.Fid != victim)
                return null;
            return _fs.Unlink(who, UnlinkArguments(request));
        }
    }

    private static UnlinkArgs UnlinkArguments(RpcRequest request)
    {
        ref readonly var record = ref request.Get<MdtRecName>(BufRecord);
        return new UnlinkArgs
        {
            Parent = record.Fid1,
            Name = EntryNameIn(request, UnlinkName),
            Kind = KindOf(record.Mode),
            Time = record.Time,
        };
    }

    /// <summary>rmdir says S_IFDIR, unlink says nothing or the type of the file (05 section 5.6).</summary>
    private static UnlinkKind KindOf(uint mode) =>
        (mode & ModeBits.TypeMask) == ModeBits.Directory ? UnlinkKind.Directory : UnlinkKind.File;

    private static void CheckKind(uint mode, in MdtAttributes found)
    {
        if (KindOf(mode) == UnlinkKind.Directory && !found.IsDirectory)
            throw new FsException(Errno.ENOTDIR);
        if (KindOf(mode) == UnlinkKind.File && found.IsDirectory)
            throw new FsException(Errno.EISDIR);
    }
}
