using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>New objects: mkdir, mknod, symlink, regular files (05 section 5.4), hard links (5.5).</summary>
public sealed partial class MdtFileSystem
{
    /// <summary>mkdir, mknod, symlink, or the create half of an open (regular). ENOENT (parent removed), ENOTDIR, EACCES, EEXIST
    /// (name or FID in use), EINVAL (name, FID, type), ENAMETOOLONG, E2BIG (layout), ENOSPC.</summary>
    public MdtResult Create(in MdtCredentials who, in CreateArgs args)
    {
        var parent = NeedDirectory(args.Parent);
        CheckNewName(who, parent, args.Name);
        long number = CheckNewObject(args);

        ulong transno = Store.BeginChange();
        var before = new PreVersions(parent.Version, 1);
        var child = MakeInode(who, parent, args, number, transno);
        child.Links = LinkEa.Create(parent.Number, args.Name);
        child.NLink = 1;
        if (child.IsDirectory)
        {
            child.NLink = 2;
            child.Parent = parent.Number;
        }
        TouchDirectory(parent, args.Time, transno);
        parent.NLink += child.IsDirectory ? 1u : 0;
        Store.AddEntry(parent.Number, args.Name, number, child.Type);
        return Done(child, transno, before);
    }

    /// <summary>A regular file without a name (05 section 7.5): nlink 0, an orphan, gone at last close. It is to be opened
    /// with <c>created</c> under the same hold of the gate. <c>args.Name</c> is ignored; <c>args.Parent</c> gives group and
    /// defaults, and has to permit creation.</summary>
    public MdtResult CreateVolatile(in MdtCredentials who, in CreateArgs args)
    {
        var parent = NeedDirectory(args.Parent);
        CheckMayCreate(who, parent);
        long number = CheckNewObject(args);
        if ((args.Mode & ModeBits.TypeMask) != ModeBits.Regular)
        {
            throw new FsException(Errno.EINVAL);
        }
        ulong transno = Store.BeginChange();
        var file = MakeInode(who, parent, args, number, transno);
        Store.AddOrphan(number);
        return Done(file, transno, new PreVersions(parent.Version, 1));
    }

    /// <summary>Another name for an object that is not a directory. EPERM (directory, immutable, append), EEXIST, EMLINK, ENOENT,
    /// EXDEV (into a project tree of another project), EACCES.</summary>
    public MdtResult Link(in MdtCredentials who, in LinkArgs args)
    {
        var source = Need(args.Source);
        var parent = NeedDirectory(args.Parent);
        CheckNewName(who, parent, args.Name);
        CheckMayLink(source, parent);
        NeedSpace();

        ulong transno = Store.BeginChange();
        var before = new PreVersions(parent.Version, source.Version, 1);
        Touch(source, transno);
        source.NLink++;
        source.CTime = args.Time;
        source.Links = LinkEa.Add(source.Links, parent.Number, args.Name, _time.GetUtcNow().ToUnixTimeSeconds());
        TouchDirectory(parent, args.Time, transno);
        Store.AddEntry(parent.Number, args.Name, source.Number, source.Type);
        return Done(source, transno, before);
    }

    private void CheckMayLink(Inode source, Inode parent)
    {
        if (source.IsDirectory || (source.Flags & (InodeFlags.Immutable | InodeFlags.Append)) != 0)
        {
            throw new FsException(Errno.EPERM);
        }
        if (source.NLink == 0)
        {
            throw new FsException(Errno.ENOENT);
        }
        if (source.NLink >= _options.MaxLinks)
        {
            throw new FsException(Errno.EMLINK);
        }
        if ((parent.Flags & InodeFlags.ProjInherit) != 0 && source.ProjId != parent.ProjId)
        {
            throw new FsException(Errno.EXDEV);
        }
    }

    /// <summary>The name is well-formed and free, and may come into the directory. As in Linux, a name that is there counts
    /// before missing write permission.</summary>
    private void CheckNewName(in MdtCredentials who, Inode parent, ReadOnlySpan<byte> name)
    {
        CheckName(name);
        if (parent.NLink == 0)
        {
            throw new FsException(Errno.ENOENT);
        }
        CheckAccess(who, parent, MayExec);
        if (IsDot(name) || IsDotDot(name) || Store.FindEntry(parent.Number, name, out _))
        {
            throw new FsException(Errno.EEXIST);
        }
        CheckMayCreate(who, parent);
    }

    private long CheckNewObject(in CreateArgs args)
    {
        uint type = args.Mode & ModeBits.TypeMask;
        bool isKnownType = type is ModeBits.Regular or ModeBits.Directory or ModeBits.Symlink or ModeBits.Fifo or ModeBits.Socket
            or ModeBits.Character or ModeBits.Block;
        bool isSane = InodeNumber.TryOf(args.Fid, out long number) && Store.IsKnownSequence(args.Fid.Sequence);
        if (!isKnownType || !isSane || args.Target.IsEmpty == (type == ModeBits.Symlink) || args.Target.Contains((byte)0))
        {
            throw new FsException(Errno.EINVAL);
        }
        if (args.Target.Length > _options.MaxSymlink)
        {
            throw new FsException(Errno.ENAMETOOLONG);
        }
        if (args.Layout.Length > (type == ModeBits.Regular ? _options.MaxLayout : 0))
        {
            throw new FsException(type == ModeBits.Regular ? Errno.E2BIG : Errno.EINVAL);
        }
        NeedSpace();
        return Store.FindInode(number) == null ? number : throw new FsException(Errno.EEXIST);
    }

    /// <summary>The new inode with everything but names: owner, mode, inheritance from the parent (05 section 9.4).</summary>
    private Inode MakeInode(in MdtCredentials who, Inode parent, in CreateArgs args, long number, ulong transno)
    {
        var inode = Store.NewInode(number);
        inode.Uid = who.Uid;
        inode.Version = transno;
        inode.ATime = inode.MTime = inode.CTime = args.Time;
        inode.BTime = _time.GetUtcNow().ToUnixTimeSeconds();
        inode.Mode = args.Mode & (ModeBits.TypeMask | ModeBits.PermissionMask);
        if (inode.Type is ModeBits.Character or ModeBits.Block)
        {
            inode.RDev = args.RDev;
        }
        InheritMode(inode, parent, args.Umask);
        InheritGroup(who, inode, parent);
        InheritProject(inode, parent);
        SetContents(inode, parent, args);
        return inode;
    }

    private static void InheritMode(Inode inode, Inode parent, uint umask)
    {
        if (inode.IsSymlink)
        {
            inode.Mode = ModeBits.Symlink | 0x1FF;
            return;
        }
        if (parent.DefaultAcl.Length == 0)
        {
            inode.Mode &= ~(umask & 0x1FF);
            return;
        }
        (inode.AccessAcl, inode.Mode) = PosixAcl.Inherit(parent.DefaultAcl, inode.Mode);
        if (inode.IsDirectory)
        {
            inode.DefaultAcl = parent.DefaultAcl;
        }
    }

    private static void InheritGroup(in MdtCredentials who, Inode inode, Inode parent)
    {
        if ((parent.Mode & ModeBits.SetGid) == 0)
        {
            inode.Gid = who.Gid;
            return;
        }
        inode.Gid = parent.Gid;
        const uint SetGidExec = ModeBits.SetGid | ModeBits.GroupExec;
        if (inode.IsDirectory)
        {
            inode.Mode |= ModeBits.SetGid;
        }
        else if ((inode.Mode & SetGidExec) == SetGidExec && !MayKeepSetGid(who, inode.Gid))
        {
            inode.Mode &= ~ModeBits.SetGid;
        }
    }

    private static void InheritProject(Inode inode, Inode parent)
    {
        if ((parent.Flags & InodeFlags.ProjInherit) == 0)
        {
            return;
        }
        inode.ProjId = parent.ProjId;
        if (inode.IsDirectory)
        {
            inode.Flags |= InodeFlags.ProjInherit;
        }
    }

    private static void SetContents(Inode inode, Inode parent, in CreateArgs args)
    {
        switch (inode.Type)
        {
            case ModeBits.Directory:
                inode.Size = DirectorySize;
                inode.Blocks = DirectorySize / 512;
                // The root's default counts for the whole file system without being copied (05 section 11.7).
                inode.Layout = parent.Number == InodeNumber.Root ? [] : parent.Layout;
                break;
            case ModeBits.Symlink:
                inode.Target = args.Target.ToArray();
                inode.Size = (ulong)inode.Target.Length;
                break;
            case ModeBits.Regular:
                inode.Layout = args.Layout.ToArray();
                break;
        }
    }
}
