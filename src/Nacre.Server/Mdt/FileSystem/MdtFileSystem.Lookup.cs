using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>Finding objects by FID, by name, by path, and the way back.</summary>
public sealed partial class MdtFileSystem
{
    /// <summary>Directories on the way up that fid2path and the loop check follow at most; deeper: ELOOP.</summary>
    private const int MaxDepth = 1 << 16;

    /// <summary>Attributes by FID, no permission check. An open-unlinked object is still found. ENOENT.</summary>
    public MdtObject GetAttr(LuFid fid) => Snapshot(Need(fid));

    /// <summary>As <see cref="GetAttr"/>, but false instead of ENOENT.</summary>
    public bool TryGetAttr(LuFid fid, out MdtObject found)
    {
        var inode = Find(fid);
        found = inode == null ? default : Snapshot(inode);
        return inode != null;
    }

    /// <summary>Name in a directory, "." and ".." included; needs search permission. ENOENT only when the parent itself is
    /// gone; ENOTDIR, EACCES, EINVAL, ENAMETOOLONG.</summary>
    public MdtLookup Lookup(in MdtCredentials who, LuFid parent, ReadOnlySpan<byte> name)
    {
        var directory = NeedDirectory(parent);
        CheckAccess(who, directory, MayExec);
        CheckName(name);
        var child = FindChild(directory, name);
        ulong pending = Store.Pending(directory);
        if (child == null)
        {
            return new MdtLookup { Transaction = pending };
        }
        var snapshot = Snapshot(child);
        return new MdtLookup { Found = true, Object = snapshot, Transaction = Math.Max(pending, snapshot.Transaction) };
    }

    /// <summary>Walks a fileset path "/a/b" from the root without permission checks (05 section 3.1). EINVAL, ENOENT, ENOTDIR.</summary>
    public MdtObject ResolveFileset(ReadOnlySpan<byte> path)
    {
        var directory = Need(Root);
        foreach (var range in path.Split((byte)'/'))
        {
            var name = path[range];
            if (name.IsEmpty || IsDot(name))
            {
                continue;
            }
            if (name.Length > MaxName || IsDotDot(name))
            {
                throw new FsException(Errno.EINVAL);
            }
            directory = directory.IsDirectory ? directory : throw new FsException(Errno.ENOTDIR);
            directory = FindChild(directory, name) ?? throw new FsException(Errno.ENOENT);
        }
        return directory.IsDirectory ? Snapshot(directory) : throw new FsException(Errno.ENOTDIR);
    }

    /// <summary>Path of hard link <paramref name="linkNo"/> of an object below <paramref name="root"/>. EINVAL (not below root, bad
    /// FID), ENOENT, ENODATA (no such link known), EOVERFLOW (longer than <paramref name="maxLength"/> bytes).</summary>
    public MdtPath PathOf(LuFid fid, uint linkNo, LuFid root, int maxLength)
    {
        if (!InodeNumber.TryOf(fid, out long number) || !InodeNumber.TryOf(root, out long top))
        {
            throw new FsException(Errno.EINVAL);
        }
        var inode = Store.FindInode(number) ?? throw new FsException(Errno.ENOENT);
        bool moreLinks = !inode.IsDirectory && linkNo + 1 < LinkEa.Count(inode.Links);
        ulong pending = Store.Pending(inode);
        var names = new List<byte[]>();
        int length = -1;
        while (inode.Number != top)
        {
            if (inode.Number == InodeNumber.Root || names.Count == MaxDepth)
            {
                throw new FsException(Errno.EINVAL);
            }
            if (!LinkEa.TryGet(inode.Links, linkNo, out long parent, out var name))
            {
                throw new FsException(Errno.ENODATA);
            }
            names.Add(name.ToArray());
            length += name.Length + 1;
            linkNo = 0;
            inode = Store.FindInode(parent) ?? throw new FsException(Errno.EIO);
            pending = Math.Max(pending, Store.Pending(inode));
        }
        if (length > maxLength)
        {
            throw new FsException(Errno.EOVERFLOW);
        }
        return new MdtPath(Join(names, Math.Max(0, length)), moreLinks, pending);
    }

    private static byte[] Join(List<byte[]> namesFromTheEnd, int length)
    {
        var path = new byte[length];
        int end = length;
        foreach (byte[] name in namesFromTheEnd)
        {
            end -= name.Length;
            name.CopyTo(path, end);
            if (end > 0)
            {
                path[--end] = (byte)'/';
            }
        }
        return path;
    }

    private Inode? FindChild(Inode directory, ReadOnlySpan<byte> name)
    {
        if (IsDot(name))
        {
            return directory;
        }
        if (IsDotDot(name))
        {
            return directory.Parent == 0 ? null : Store.FindInode(directory.Parent);
        }
        return Store.FindEntry(directory.Number, name, out var entry) ? Need(entry) : null;
    }

    /// <summary>Is <paramref name="ancestor"/> the directory itself or one above it?</summary>
    private bool IsSameOrAbove(long ancestor, Inode directory)
    {
        for (int depth = 0; depth < MaxDepth; depth++)
        {
            if (directory.Number == ancestor)
            {
                return true;
            }
            if (directory.Number == InodeNumber.Root || directory.Parent == 0)
            {
                return false;
            }
            directory = Store.FindInode(directory.Parent) ?? throw new FsException(Errno.EIO);
        }
        throw new FsException(Errno.ELOOP);
    }
}
