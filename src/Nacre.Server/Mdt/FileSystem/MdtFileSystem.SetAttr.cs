using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>setattr (05 sections 5.3 and 9.3), and attributes the server itself keeps on an inode.</summary>
public sealed partial class MdtFileSystem
{
    private const SetAttrValid Times = SetAttrValid.ATimeSet | SetAttrValid.MTimeSet | SetAttrValid.CTimeSet;
    private const SetAttrValid Effective = Times | SetAttrValid.Mode | SetAttrValid.Uid | SetAttrValid.Gid | SetAttrValid.Size
        | SetAttrValid.AttrFlags | SetAttrValid.KillSuid | SetAttrValid.KillSgid | SetAttrValid.ProjId;

    /// <summary>setattr by the rules of 05 sections 5.3 and 9.3. When nothing is to be changed (all times dropped by the ctime
    /// rule): Transno 0. ENOENT, EPERM, EACCES, ETXTBSY, EISDIR, EINVAL.</summary>
    public MdtResult SetAttr(in MdtCredentials who, in SetAttrArgs args)
    {
        var inode = Need(args.Fid);
        var valid = args.Valid & Effective;
        CheckMaySet(who, inode, args, valid);
        CheckSize(inode, valid);
        // A request that was overtaken by a newer one must not move times back.
        if ((valid & SetAttrValid.CTimeSet) != 0 && args.CTime < inode.CTime)
        {
            valid &= ~Times;
        }
        if (valid == 0)
        {
            return Unchanged(inode);
        }
        ulong transno = Store.BeginChange();
        var before = new PreVersions(inode.Version);
        Touch(inode, transno);
        ApplyOwner(inode, args, valid);
        ApplyMode(who, inode, args, valid);
        ApplyRest(inode, args, valid);
        if (args.DataModified)
        {
            MarkDirty(inode);
        }
        return Done(inode, transno, before);
    }

    private static void CheckMaySet(in MdtCredentials who, Inode inode, in SetAttrArgs args, SetAttrValid valid)
    {
        bool isProtected = (inode.Flags & (InodeFlags.Immutable | InodeFlags.Append)) != 0;
        bool isOwner = IsOwner(who, inode);
        bool Has(SetAttrValid bits) => (valid & bits) != 0;

        if (isProtected && Has(Effective & ~SetAttrValid.AttrFlags & ~SetAttrValid.CTimeSet))
        {
            throw new FsException(Errno.EPERM);
        }
        if (Has(SetAttrValid.Mode | SetAttrValid.AttrFlags) && !isOwner && !OnlyDropsSetId(inode, args, valid))
        {
            throw new FsException(Errno.EPERM);
        }
        CheckMaySetOwner(who, inode, args, valid);
        CheckMaySetFlags(who, inode, args, valid);
        bool overrides = (args.Valid & SetAttrValid.OwnerOverride) != 0 && who.Uid == inode.Uid;
        if (Has(SetAttrValid.Size) && !overrides)
        {
            CheckAccess(who, inode, MayWrite);
        }
        // Also beside a change of mode that FORCE lets pass. ctime alone is chown(-1, -1), which Linux lets everybody do.
        if (Has(Times & ~SetAttrValid.CTimeSet) && !isOwner)
        {
            CheckAccess(who, inode, MayWrite);
        }
    }

    /// <summary>
    /// A client's kernel takes the set-id bits of a file away when somebody writes to it who need not be its owner: a change of mode with
    /// FORCE. Of what that flag might skip, this alone is granted: it can only take privileges away.
    /// </summary>
    private static bool OnlyDropsSetId(Inode inode, in SetAttrArgs args, SetAttrValid valid)
    {
        const uint setId = ModeBits.SetUid | ModeBits.SetGid;
        uint mode = args.Mode & ModeBits.PermissionMask;
        uint old = inode.Mode & ModeBits.PermissionMask;
        return (args.Valid & SetAttrValid.Force) != 0 && inode.IsRegular && (valid & SetAttrValid.AttrFlags) == 0
            && (mode & ~setId) == (old & ~setId) && (mode & ~old) == 0;
    }

    private static void CheckMaySetOwner(in MdtCredentials who, Inode inode, in SetAttrArgs args, SetAttrValid valid)
    {
        bool owns = who.Uid == inode.Uid;
        bool refused = !who.Has(Capabilities.Chown)
            && (((valid & SetAttrValid.Uid) != 0 && !(owns && args.Uid == inode.Uid))
                || ((valid & SetAttrValid.Gid) != 0 && !(owns && (args.Gid == inode.Gid || who.InGroup(args.Gid)))));
        if (refused)
        {
            throw new FsException(Errno.EPERM);
        }
    }

    private static void CheckMaySetFlags(in MdtCredentials who, Inode inode, in SetAttrArgs args, SetAttrValid valid)
    {
        var changed = (valid & SetAttrValid.AttrFlags) != 0 ? (args.Flags ^ inode.Flags) & InodeFlags.Settable : 0;
        bool protection = (changed & (InodeFlags.Immutable | InodeFlags.Append)) != 0;
        bool project = (changed & InodeFlags.ProjInherit) != 0
            || ((valid & SetAttrValid.ProjId) != 0 && args.ProjId != inode.ProjId);
        if ((protection && !who.Has(Capabilities.LinuxImmutable)) || (project && !who.Has(Capabilities.SysResource)))
        {
            throw new FsException(Errno.EPERM);
        }
    }

    private void CheckSize(Inode inode, SetAttrValid valid)
    {
        if ((valid & SetAttrValid.Size) == 0)
        {
            return;
        }
        if (!inode.IsRegular)
        {
            throw new FsException(inode.IsDirectory ? Errno.EISDIR : Errno.EINVAL);
        }
        if (Opens(inode).Executors > 0)
        {
            throw new FsException(Errno.ETXTBSY);
        }
    }

    /// <summary>New owner and group; set-id bits do not survive that on anything but directories.</summary>
    private static void ApplyOwner(Inode inode, in SetAttrArgs args, SetAttrValid valid)
    {
        if ((valid & SetAttrValid.Uid) != 0)
        {
            inode.Uid = args.Uid;
        }
        if ((valid & SetAttrValid.Gid) != 0)
        {
            inode.Gid = args.Gid;
        }
        bool killSuid = (valid & SetAttrValid.KillSuid) != 0 || ((valid & SetAttrValid.Uid) != 0 && !inode.IsDirectory);
        bool killSgid = (valid & SetAttrValid.KillSgid) != 0
            || ((valid & (SetAttrValid.Uid | SetAttrValid.Gid)) != 0 && !inode.IsDirectory);
        if (killSuid)
        {
            inode.Mode &= ~ModeBits.SetUid;
        }
        if (killSgid && (inode.Mode & ModeBits.GroupExec) != 0)
        {
            inode.Mode &= ~ModeBits.SetGid;
        }
    }

    private static void ApplyMode(in MdtCredentials who, Inode inode, in SetAttrArgs args, SetAttrValid valid)
    {
        if ((valid & SetAttrValid.Mode) == 0)
        {
            return;
        }
        uint mode = args.Mode & ModeBits.PermissionMask;
        if ((mode & ModeBits.SetGid) != 0 && !MayKeepSetGid(who, inode.Gid))
        {
            mode &= ~ModeBits.SetGid;
        }
        inode.Mode = inode.Type | mode;
        if (inode.AccessAcl.Length > 0)
        {
            inode.AccessAcl = PosixAcl.WithMode(inode.AccessAcl, mode);
        }
    }

    private void ApplyRest(Inode inode, in SetAttrArgs args, SetAttrValid valid)
    {
        if ((valid & SetAttrValid.Size) != 0)
        {
            inode.Size = args.Size;
            inode.HasLazySize = true;
            ulong most = args.Size / 512 + (args.Size % 512 == 0 ? 0u : 1);
            inode.Blocks = Math.Min((args.Valid & SetAttrValid.Blocks) != 0 ? args.Blocks : inode.Blocks, most);
        }
        if ((valid & SetAttrValid.AttrFlags) != 0)
        {
            inode.Flags = (inode.Flags & ~InodeFlags.Settable) | (args.Flags & InodeFlags.Settable);
        }
        if ((valid & SetAttrValid.ProjId) != 0)
        {
            inode.ProjId = args.ProjId;
        }
        if ((valid & SetAttrValid.ATimeSet) != 0)
        {
            inode.ATime = args.ATime;
        }
        if ((valid & SetAttrValid.MTimeSet) != 0)
        {
            inode.MTime = args.MTime;
        }
        if ((valid & SetAttrValid.CTimeSet) != 0)
        {
            bool everybodyMay = valid == SetAttrValid.CTimeSet || (args.Valid & SetAttrValid.Force) != 0;
            inode.CTime = everybodyMay ? Earlier(args.CTime, Now()) : args.CTime;
        }
    }

    private FileTime Now() => new(_time.GetUtcNow().ToUnixTimeSeconds());

    /// <summary>What everybody may set must not reach into the future, where it would make later changes of times look overtaken.</summary>
    private static FileTime Earlier(FileTime one, FileTime other) => one.CompareTo(other) <= 0 ? one : other;

    /// <summary>Sets or (empty) removes the default file layout of a directory. ENOTDIR, EPERM, E2BIG.</summary>
    public MdtResult SetDefaultLayout(in MdtCredentials who, LuFid directory, ReadOnlySpan<byte> layout, FileTime? ctime)
    {
        var inode = NeedDirectory(directory);
        if (!IsOwner(who, inode) || (inode.Flags & (InodeFlags.Immutable | InodeFlags.Append)) != 0)
        {
            throw new FsException(Errno.EPERM);
        }
        CheckLayout(layout);
        NeedSpace();
        ulong transno = Store.BeginChange();
        var before = new PreVersions(inode.Version);
        Touch(inode, transno);
        inode.Layout = layout.ToArray();
        inode.CTime = ctime ?? inode.CTime;
        return Done(inode, transno, before);
    }

    /// <summary>Replaces the LOV EA of a regular file (empty: none); no permission check. The old objects are not queued for
    /// destruction. ENOENT, EINVAL, E2BIG, ENOSPC.</summary>
    public MdtResult SetLayout(LuFid fid, ReadOnlySpan<byte> layout)
    {
        var inode = Need(fid);
        if (!inode.IsRegular)
        {
            throw new FsException(Errno.EINVAL);
        }
        CheckLayout(layout);
        NeedSpace();
        ulong transno = Store.BeginChange();
        var before = new PreVersions(inode.Version);
        Touch(inode, transno);
        inode.Layout = layout.ToArray();
        if (layout.IsEmpty)
        {
            // What was known of the objects' size; without objects this would be the size itself.
            (inode.Size, inode.Blocks, inode.HasLazySize) = (0, 0, false);
        }
        return Done(inode, transno, before);
    }

    /// <summary>Sets trusted.hsm (empty: removes); no permission check.</summary>
    public MdtResult SetHsm(LuFid fid, ReadOnlySpan<byte> hsm)
    {
        var inode = Need(fid);
        NeedSpace();
        ulong transno = Store.BeginChange();
        var before = new PreVersions(inode.Version);
        Touch(inode, transno);
        inode.Hsm = hsm.ToArray();
        return Done(inode, transno, before);
    }

    private void CheckLayout(ReadOnlySpan<byte> layout)
    {
        if (layout.Length > _options.MaxLayout)
        {
            throw new FsException(Errno.E2BIG);
        }
    }
}
