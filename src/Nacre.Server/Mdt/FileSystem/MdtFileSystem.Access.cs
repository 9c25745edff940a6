using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>Permissions (05 sections 9.2 and 9.4).</summary>
public sealed partial class MdtFileSystem
{
    /// <summary>access(2)-like check; mask r=4 w=2 x=1 (05 section 9.2). EACCES, ENOENT.</summary>
    public void CheckAccess(in MdtCredentials who, LuFid fid, int mask) => CheckAccess(who, Need(fid), mask);

    private static void CheckAccess(in MdtCredentials who, Inode inode, int mask)
    {
        if (!MayAccess(who, inode, mask))
        {
            throw new FsException(Errno.EACCES);
        }
    }

    private static bool MayAccess(in MdtCredentials who, Inode inode, int mask)
    {
        if ((mask & MayWrite) != 0 && (inode.Flags & InodeFlags.Immutable) != 0)
        {
            return false;
        }
        return BitsPermit(who, inode, mask) || CapabilityPermits(who, inode, mask);
    }

    private static bool BitsPermit(in MdtCredentials who, Inode inode, int mask)
    {
        if (who.Uid == inode.Uid)
        {
            return ((inode.Mode >> 6) & mask) == mask;
        }
        if (inode.AccessAcl.Length > 0 && (inode.Mode & 0x38) != 0)
        {
            return PosixAcl.Permits(inode.AccessAcl, who, inode.Gid, mask);
        }
        uint bits = who.InGroup(inode.Gid) ? inode.Mode >> 3 : inode.Mode;
        return (bits & mask) == mask;
    }

    private static bool CapabilityPermits(in MdtCredentials who, Inode inode, int mask)
    {
        bool canExecute = inode.IsDirectory || (inode.Mode & ModeBits.AnyExec) != 0;
        if (who.Has(Capabilities.DacOverride) && ((mask & MayExec) == 0 || canExecute))
        {
            return true;
        }
        bool readOrSearch = mask == MayRead || (inode.IsDirectory && (mask & MayWrite) == 0);
        return who.Has(Capabilities.DacReadSearch) && readOrSearch;
    }

    private static bool IsOwner(in MdtCredentials who, Inode inode) => who.Uid == inode.Uid || who.Has(Capabilities.FOwner);

    /// <summary>S_ISGID may stay on an object of this group.</summary>
    private static bool MayKeepSetGid(in MdtCredentials who, uint gid) => who.InGroup(gid) || who.Has(Capabilities.FSetId);

    /// <summary>A name may come into the directory. ENOENT when the directory itself is removed.</summary>
    private static void CheckMayCreate(in MdtCredentials who, Inode directory)
    {
        if (directory.NLink == 0)
        {
            throw new FsException(Errno.ENOENT);
        }
        CheckAccess(who, directory, MayWrite | MayExec);
    }

    /// <summary>The victim's name may leave the directory: EACCES, EPERM (append or sticky directory, protected victim),
    /// and the type it has to have: ENOTDIR, EISDIR.</summary>
    private static void CheckMayDelete(in MdtCredentials who, Inode directory, Inode victim, UnlinkKind kind)
    {
        CheckMayCreate(who, directory);
        bool isSticky = (directory.Mode & ModeBits.Sticky) != 0 && who.Uid != victim.Uid && who.Uid != directory.Uid
            && !who.Has(Capabilities.FOwner);
        bool isProtected = (victim.Flags & (InodeFlags.Immutable | InodeFlags.Append)) != 0;
        if ((directory.Flags & InodeFlags.Append) != 0 || isSticky || isProtected)
        {
            throw new FsException(Errno.EPERM);
        }
        if (kind == UnlinkKind.Directory && !victim.IsDirectory)
        {
            throw new FsException(Errno.ENOTDIR);
        }
        if (kind == UnlinkKind.File && victim.IsDirectory)
        {
            throw new FsException(Errno.EISDIR);
        }
    }
}
