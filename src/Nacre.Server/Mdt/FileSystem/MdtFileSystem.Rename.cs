using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>rename (05 section 5.7).</summary>
public sealed partial class MdtFileSystem
{
    /// <summary>
    /// Moves a name, over another one if need be. <c>Object</c> is the overwritten object if there was one. Two links of one inode:
    /// nothing happens, transno 0. ENOENT, EINVAL (into itself or its own subtree, over an ancestor, flags), EBUSY ("." and
    /// ".."), EEXIST (NoReplace), EISDIR, ENOTDIR, ENOTEMPTY, EXDEV (projects), EACCES, EPERM.
    /// </summary>
    public MdtResult Rename(in MdtCredentials who, in RenameArgs args)
    {
        var (source, target, oldEntry, newEntry, moved, replaced) = Plan(who, args);
        if (ReferenceEquals(moved, replaced))
        {
            return new MdtResult { Transaction = Store.Pending(moved) };
        }
        NeedSpace();
        ulong transno = Store.BeginChange();
        var before = new PreVersions(
            source.Version, ReferenceEquals(source, target) ? 0 : target.Version, moved.Version, replaced?.Version ?? 1);
        if ((args.Flags & RenameFlags.Exchange) != 0)
        {
            Swap(source, target, moved, replaced!, oldEntry, newEntry, args, transno);
            return Done(replaced!, transno, before);
        }
        bool destroyed = Move(source, target, moved, replaced, oldEntry, newEntry, args, transno);
        return replaced != null
            ? Done(replaced, transno, before, destroyed)
            : new MdtResult { Transaction = Store.EndChange(), Transno = transno, PreVersions = before };
    }

    /// <summary>Throws what <see cref="Rename"/> would, and changes nothing.</summary>
    public void CheckRename(in MdtCredentials who, in RenameArgs args) => Plan(who, args);

    private readonly record struct RenamePlan(
        Inode Source, Inode Target, Entry OldEntry, Entry NewEntry, Inode Moved, Inode? Replaced);

    private RenamePlan Plan(in MdtCredentials who, in RenameArgs args)
    {
        CheckRenameForm(args);
        var source = NeedDirectory(args.SourceParent);
        var target = NeedDirectory(args.TargetParent);
        CheckAccess(who, source, MayExec);
        CheckAccess(who, target, MayExec);
        if (!Store.FindEntry(source.Number, args.SourceName, out var oldEntry))
        {
            throw new FsException(Errno.ENOENT);
        }
        bool overwrites = Store.FindEntry(target.Number, args.TargetName, out var newEntry);
        var moved = Need(oldEntry);
        var replaced = overwrites ? Need(newEntry) : null;
        CheckRenameNames(args.Flags, replaced);
        CheckNoLoop(source, target, moved, replaced);
        if (!ReferenceEquals(moved, replaced))
        {
            CheckMayMove(who, source, target, moved, replaced, args.Flags);
        }
        return new RenamePlan(source, target, oldEntry, newEntry, moved, replaced);
    }

    private static void CheckRenameForm(in RenameArgs args)
    {
        CheckName(args.SourceName);
        CheckName(args.TargetName);
        const RenameFlags Both = RenameFlags.NoReplace | RenameFlags.Exchange;
        // A whiteout is a new inode, for which no request carries a FID.
        if ((args.Flags & ~Both) != 0 || args.Flags == Both)
        {
            throw new FsException(Errno.EINVAL);
        }
        if (IsDot(args.SourceName) || IsDotDot(args.SourceName) || IsDot(args.TargetName) || IsDotDot(args.TargetName))
        {
            throw new FsException(Errno.EBUSY);
        }
    }

    private static void CheckRenameNames(RenameFlags flags, Inode? replaced)
    {
        if ((flags & RenameFlags.NoReplace) != 0 && replaced != null)
        {
            throw new FsException(Errno.EEXIST);
        }
        if ((flags & RenameFlags.Exchange) != 0 && replaced == null)
        {
            throw new FsException(Errno.ENOENT);
        }
    }

    /// <summary>No directory may come to lie below itself, nor replace one it lies in.</summary>
    private void CheckNoLoop(Inode source, Inode target, Inode moved, Inode? replaced)
    {
        if ((moved.IsDirectory && IsSameOrAbove(moved.Number, target))
            || (replaced is { IsDirectory: true } && IsSameOrAbove(replaced.Number, source)))
        {
            throw new FsException(Errno.EINVAL);
        }
    }

    private void CheckMayMove(
        in MdtCredentials who, Inode source, Inode target, Inode moved, Inode? replaced, RenameFlags flags)
    {
        bool exchange = (flags & RenameFlags.Exchange) != 0;
        CheckMayDelete(who, source, moved, UnlinkKind.Any);
        if (replaced == null)
        {
            CheckMayCreate(who, target);
        }
        else
        {
            var kind = moved.IsDirectory ? UnlinkKind.Directory : UnlinkKind.File;
            CheckMayDelete(who, target, replaced, exchange ? UnlinkKind.Any : kind);
        }
        CheckMayReparent(who, source, target, moved);
        if (replaced != null && exchange)
        {
            CheckMayReparent(who, target, source, replaced);
        }
        else if (replaced != null)
        {
            CheckEmpty(replaced);
        }
    }

    /// <summary>A directory that gets another parent is itself written ("..").</summary>
    private static void CheckMayReparent(in MdtCredentials who, Inode from, Inode to, Inode moved)
    {
        if (!moved.IsDirectory || ReferenceEquals(from, to))
        {
            return;
        }
        CheckAccess(who, moved, MayWrite);
        bool projectTree = ((from.Flags | to.Flags) & InodeFlags.ProjInherit) != 0;
        if (projectTree && from.ProjId != to.ProjId)
        {
            throw new FsException(Errno.EXDEV);
        }
    }

    private bool Move(
        Inode source, Inode target, Inode moved, Inode? replaced, in Entry oldEntry, in Entry newEntry, in RenameArgs args,
        ulong transno)
    {
        Store.RemoveEntry(source.Number, args.SourceName, oldEntry);
        if (replaced == null)
        {
            Store.AddEntry(target.Number, args.TargetName, moved.Number, moved.Type);
        }
        else
        {
            Store.ReplaceEntry(target.Number, args.TargetName, newEntry, moved.Number, moved.Type);
        }
        TouchDirectory(source, args.Time, transno);
        TouchDirectory(target, args.Time, transno);
        source.NLink -= moved.IsDirectory ? 1u : 0;
        target.NLink += moved.IsDirectory ? 1u : 0;
        target.NLink -= replaced is { IsDirectory: true } ? 1u : 0;
        Rehang(moved, source, args.SourceName, target, args.TargetName, args.Time, transno);
        return replaced != null && DropName(replaced, target, args.TargetName, args.Time, transno);
    }

    private void Swap(
        Inode source, Inode target, Inode moved, Inode replaced, in Entry oldEntry, in Entry newEntry, in RenameArgs args,
        ulong transno)
    {
        Store.ReplaceEntry(source.Number, args.SourceName, oldEntry, replaced.Number, replaced.Type);
        Store.ReplaceEntry(target.Number, args.TargetName, newEntry, moved.Number, moved.Type);
        TouchDirectory(source, args.Time, transno);
        TouchDirectory(target, args.Time, transno);
        source.NLink = source.NLink + (replaced.IsDirectory ? 1u : 0) - (moved.IsDirectory ? 1u : 0);
        target.NLink = target.NLink + (moved.IsDirectory ? 1u : 0) - (replaced.IsDirectory ? 1u : 0);
        Rehang(moved, source, args.SourceName, target, args.TargetName, args.Time, transno);
        Rehang(replaced, target, args.TargetName, source, args.SourceName, args.Time, transno);
    }

    private void Rehang(
        Inode moved, Inode from, ReadOnlySpan<byte> oldName, Inode to, ReadOnlySpan<byte> newName, FileTime time, ulong transno)
    {
        Touch(moved, transno);
        moved.CTime = time;
        var rest = LinkEa.Remove(moved.Links, from.Number, oldName);
        moved.Links = LinkEa.Add(rest, to.Number, newName, _time.GetUtcNow().ToUnixTimeSeconds());
        if (moved.IsDirectory)
        {
            moved.Parent = to.Number;
        }
    }
}
