using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>unlink and rmdir (05 section 5.6), and what becomes of objects without names (8.5).</summary>
public sealed partial class MdtFileSystem
{
    /// <summary>unlink and rmdir. <c>Object</c> is the victim with its remaining nlink. ENOENT, ENOTDIR, EISDIR, ENOTEMPTY, EACCES,
    /// EPERM; rmdir of "." is EINVAL, of ".." ENOTEMPTY.</summary>
    public MdtResult Unlink(in MdtCredentials who, in UnlinkArgs args)
    {
        var (parent, victim, entry) = PlanUnlink(who, args);
        ulong transno = Store.BeginChange();
        var before = new PreVersions(parent.Version, victim.Version);
        Store.RemoveEntry(parent.Number, args.Name, entry);
        TouchDirectory(parent, args.Time, transno);
        parent.NLink -= victim.IsDirectory ? 1u : 0;
        bool destroyed = DropName(victim, parent, args.Name, args.Time, transno);
        return Done(victim, transno, before, destroyed);
    }

    /// <summary>Throws what <see cref="Unlink"/> would, and changes nothing.</summary>
    public void CheckUnlink(in MdtCredentials who, in UnlinkArgs args) => PlanUnlink(who, args);

    private (Inode Parent, Inode Victim, Entry Entry) PlanUnlink(in MdtCredentials who, in UnlinkArgs args)
    {
        var parent = NeedDirectory(args.Parent);
        CheckName(args.Name);
        CheckAccess(who, parent, MayExec);
        RefuseDots(args.Name, args.Kind);
        if (!Store.FindEntry(parent.Number, args.Name, out var entry))
        {
            throw new FsException(Errno.ENOENT);
        }
        var victim = Need(entry);
        CheckMayDelete(who, parent, victim, args.Kind);
        CheckEmpty(victim);
        return (parent, victim, entry);
    }

    private static void RefuseDots(ReadOnlySpan<byte> name, UnlinkKind kind)
    {
        if (IsDot(name))
        {
            throw new FsException(kind == UnlinkKind.File ? Errno.EISDIR : Errno.EINVAL);
        }
        if (IsDotDot(name))
        {
            throw new FsException(kind == UnlinkKind.File ? Errno.EISDIR : Errno.ENOTEMPTY);
        }
    }

    private void CheckEmpty(Inode victim)
    {
        if (victim.IsDirectory && !Store.IsEmpty(victim.Number))
        {
            throw new FsException(Errno.ENOTEMPTY);
        }
    }

    /// <summary>The inode loses one name (its entry is already gone): link count, times, and its end if it was the last.</summary>
    /// <returns>True when it was destroyed; false when names are left or it is open and becomes an orphan.</returns>
    private bool DropName(Inode victim, Inode parent, ReadOnlySpan<byte> name, FileTime time, ulong transno)
    {
        Touch(victim, transno);
        victim.CTime = time;
        victim.NLink = victim.IsDirectory ? 0 : victim.NLink - 1;
        victim.Links = LinkEa.Remove(victim.Links, parent.Number, name);
        if (victim.NLink > 0)
        {
            return false;
        }
        victim.Links = [];
        victim.Parent = 0;
        if (IsOpen(victim))
        {
            Store.AddOrphan(victim.Number);
            return false;
        }
        Store.Destroy(victim, isOrphan: false);
        return true;
    }
}
