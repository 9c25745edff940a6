using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Tests.Mdt;

/// <summary>
/// What a POSIX file system with Lustre's server-side rules should do, in the plainest form: a graph of nodes in memory. Returns
/// errno numbers (0 for success) instead of throwing.
/// </summary>
internal sealed class ReferenceModel
{
    public sealed class Node
    {
        public required LuFid Fid;
        public uint Mode, Uid, Gid, NLink;
        public InodeFlags Flags;
        public ulong Size;
        public long ATime, MTime, CTime;
        public string? Target;
        public LuFid Parent;
        public readonly SortedDictionary<string, LuFid> Entries = new(StringComparer.Ordinal);
        public readonly SortedDictionary<string, string> Xattrs = new(StringComparer.Ordinal);
        public int Opens, Writers, Executors;
        public bool IsDirectory => (Mode & 0xF000) == 0x4000;
        public bool IsRegular => (Mode & 0xF000) == 0x8000;
    }

    public readonly Dictionary<LuFid, Node> Nodes = [];

    public ReferenceModel(Node root) => Nodes.Add(root.Fid, root);

    public int Create(in MdtCredentials who, LuFid parentFid, string name, LuFid fid, uint mode, uint umask, string? target, long now)
    {
        if (!Nodes.TryGetValue(parentFid, out var parent))
        {
            return Errno.ENOENT;
        }
        int error = CheckNewName(who, parent, name);
        if (error != 0)
        {
            return error;
        }
        if (Nodes.ContainsKey(fid))
        {
            return Errno.EEXIST;
        }
        var node = new Node { Fid = fid, Mode = mode & ~umask, Uid = who.Uid, Gid = who.Gid, NLink = 1, Target = target };
        node.ATime = node.MTime = node.CTime = now;
        if ((mode & 0xF000) == 0xA000)
        {
            node.Mode = 0xA1FF;
            node.Size = (ulong)System.Text.Encoding.UTF8.GetByteCount(target!);
        }
        if ((parent.Mode & 0x400) != 0)
        {
            node.Gid = parent.Gid;
            if (node.IsDirectory)
            {
                node.Mode |= 0x400;
            }
            else if ((node.Mode & 0x408) == 0x408 && !who.InGroup(node.Gid) && !who.Has(Capabilities.FSetId))
            {
                node.Mode &= ~0x400u;
            }
        }
        if (node.IsDirectory)
        {
            node.NLink = 2;
            node.Size = 4096;
            node.Parent = parentFid;
            parent.NLink++;
        }
        Nodes.Add(fid, node);
        parent.Entries.Add(name, fid);
        parent.MTime = parent.CTime = now;
        return 0;
    }

    public int Link(in MdtCredentials who, LuFid source, LuFid parentFid, string name, long now)
    {
        if (!Nodes.TryGetValue(source, out var node) || !Nodes.TryGetValue(parentFid, out var parent))
        {
            return Errno.ENOENT;
        }
        int error = CheckNewName(who, parent, name);
        if (error != 0)
        {
            return error;
        }
        if (node.IsDirectory || (node.Flags & (InodeFlags.Immutable | InodeFlags.Append)) != 0)
        {
            return Errno.EPERM;
        }
        if (node.NLink == 0)
        {
            return Errno.ENOENT;
        }
        node.NLink++;
        node.CTime = parent.MTime = parent.CTime = now;
        parent.Entries.Add(name, source);
        return 0;
    }

    public int Unlink(in MdtCredentials who, LuFid parentFid, string name, UnlinkKind kind, long now)
    {
        if (!Nodes.TryGetValue(parentFid, out var parent))
        {
            return Errno.ENOENT;
        }
        int error = CheckDirectory(who, parent, name);
        if (error != 0)
        {
            return error;
        }
        if (name is "." or "..")
        {
            return kind == UnlinkKind.File ? Errno.EISDIR : name == "." ? Errno.EINVAL : Errno.ENOTEMPTY;
        }
        if (!parent.Entries.TryGetValue(name, out var fid))
        {
            return Errno.ENOENT;
        }
        var victim = Nodes[fid];
        error = MayDelete(who, parent, victim, kind == UnlinkKind.Any ? null : kind == UnlinkKind.Directory);
        if (error == 0 && victim.IsDirectory && victim.Entries.Count > 0)
        {
            error = Errno.ENOTEMPTY;
        }
        if (error != 0)
        {
            return error;
        }
        parent.Entries.Remove(name);
        parent.MTime = parent.CTime = now;
        parent.NLink -= victim.IsDirectory ? 1u : 0;
        Drop(victim, now);
        return 0;
    }

    public int Rename(in MdtCredentials who, LuFid sourceFid, string from, LuFid targetFid, string to, RenameFlags flags, long now)
    {
        foreach (string name in new[] { from, to })
        {
            int form = CheckForm(name);
            if (form != 0)
            {
                return form;
            }
        }
        if (flags is not (RenameFlags.None or RenameFlags.NoReplace or RenameFlags.Exchange))
        {
            return Errno.EINVAL;
        }
        if (from is "." or ".." || to is "." or "..")
        {
            return Errno.EBUSY;
        }
        if (!Nodes.TryGetValue(sourceFid, out var source))
        {
            return Errno.ENOENT;
        }
        if (!source.IsDirectory)
        {
            return Errno.ENOTDIR;
        }
        if (!Nodes.TryGetValue(targetFid, out var target))
        {
            return Errno.ENOENT;
        }
        if (!target.IsDirectory)
        {
            return Errno.ENOTDIR;
        }
        if (!May(who, source, 1) || !May(who, target, 1))
        {
            return Errno.EACCES;
        }
        if (!source.Entries.TryGetValue(from, out var movedFid))
        {
            return Errno.ENOENT;
        }
        var moved = Nodes[movedFid];
        var replaced = target.Entries.TryGetValue(to, out var replacedFid) ? Nodes[replacedFid] : null;
        if (flags == RenameFlags.NoReplace && replaced != null)
        {
            return Errno.EEXIST;
        }
        if (flags == RenameFlags.Exchange && replaced == null)
        {
            return Errno.ENOENT;
        }
        if ((moved.IsDirectory && IsAbove(moved, target)) || (replaced is { IsDirectory: true } && IsAbove(replaced, source)))
        {
            return Errno.EINVAL;
        }
        if (moved == replaced)
        {
            return 0;
        }
        int error = CheckRename(who, source, target, moved, replaced, flags == RenameFlags.Exchange);
        if (error != 0)
        {
            return error;
        }
        source.Entries.Remove(from);
        target.Entries[to] = movedFid;
        Reparent(moved, source, target);
        source.MTime = source.CTime = target.MTime = target.CTime = moved.CTime = now;
        if (replaced != null && flags == RenameFlags.Exchange)
        {
            source.Entries[from] = replacedFid;
            Reparent(replaced, target, source);
            replaced.CTime = now;
        }
        else if (replaced != null)
        {
            target.NLink -= replaced.IsDirectory ? 1u : 0;
            Drop(replaced, now);
        }
        return 0;
    }

    public int Chmod(in MdtCredentials who, LuFid fid, uint mode, long now)
    {
        if (!Nodes.TryGetValue(fid, out var node))
        {
            return Errno.ENOENT;
        }
        if (IsProtected(node) || !Owns(who, node))
        {
            return Errno.EPERM;
        }
        mode &= 0xFFF;
        if (!who.InGroup(node.Gid) && !who.Has(Capabilities.FSetId))
        {
            mode &= ~0x400u;
        }
        node.Mode = node.Mode & 0xF000 | mode;
        node.CTime = Math.Max(now, node.CTime);
        return 0;
    }

    public int Chown(in MdtCredentials who, LuFid fid, uint uid, uint gid)
    {
        if (!Nodes.TryGetValue(fid, out var node))
        {
            return Errno.ENOENT;
        }
        bool owns = who.Uid == node.Uid;
        bool allowed = who.Has(Capabilities.Chown) || (owns && uid == node.Uid && (gid == node.Gid || who.InGroup(gid)));
        if (IsProtected(node) || !allowed)
        {
            return Errno.EPERM;
        }
        (node.Uid, node.Gid) = (uid, gid);
        if (!node.IsDirectory)
        {
            node.Mode &= (node.Mode & 8) != 0 ? ~0xC00u : ~0x800u;
        }
        return 0;
    }

    public int Truncate(in MdtCredentials who, LuFid fid, ulong size, long now)
    {
        if (!Nodes.TryGetValue(fid, out var node))
        {
            return Errno.ENOENT;
        }
        if (IsProtected(node))
        {
            return Errno.EPERM;
        }
        if (!May(who, node, 2))
        {
            return Errno.EACCES;
        }
        if (!node.IsRegular)
        {
            return node.IsDirectory ? Errno.EISDIR : Errno.EINVAL;
        }
        if (node.Executors > 0)
        {
            return Errno.ETXTBSY;
        }
        node.Size = size;
        if (now >= node.CTime)
        {
            node.MTime = node.CTime = now;
        }
        return 0;
    }

    public int SetTimes(in MdtCredentials who, LuFid fid, long atime, long mtime, long ctime)
    {
        if (!Nodes.TryGetValue(fid, out var node))
        {
            return Errno.ENOENT;
        }
        if (IsProtected(node))
        {
            return Errno.EPERM;
        }
        if (!Owns(who, node) && !May(who, node, 2))
        {
            return Errno.EACCES;
        }
        if (ctime >= node.CTime)
        {
            (node.ATime, node.MTime, node.CTime) = (atime, mtime, ctime);
        }
        return 0;
    }

    public int SetFlags(in MdtCredentials who, LuFid fid, InodeFlags flags)
    {
        if (!Nodes.TryGetValue(fid, out var node))
        {
            return Errno.ENOENT;
        }
        var protection = (flags ^ node.Flags) & (InodeFlags.Immutable | InodeFlags.Append);
        if (!Owns(who, node) || (protection != 0 && !who.Has(Capabilities.LinuxImmutable)))
        {
            return Errno.EPERM;
        }
        node.Flags = flags;
        return 0;
    }

    public int SetXattr(in MdtCredentials who, LuFid fid, string name, string? value, XattrFlags flags, long now)
    {
        if (!Nodes.TryGetValue(fid, out var node))
        {
            return Errno.ENOENT;
        }
        if (IsProtected(node))
        {
            return Errno.EPERM;
        }
        if (name.StartsWith("user.", StringComparison.Ordinal))
        {
            if ((!node.IsRegular && !node.IsDirectory) || (node.IsDirectory && (node.Mode & 0x200) != 0 && !Owns(who, node)))
            {
                return Errno.EPERM;
            }
            if (!May(who, node, 2))
            {
                return Errno.EACCES;
            }
        }
        else if (name.StartsWith("trusted.", StringComparison.Ordinal) ? !who.Has(Capabilities.SysAdmin) : !Owns(who, node))
        {
            return Errno.EPERM;
        }
        bool exists = node.Xattrs.ContainsKey(name);
        if (flags == XattrFlags.Create && exists)
        {
            return Errno.EEXIST;
        }
        if ((flags == XattrFlags.Replace || value == null) && !exists)
        {
            return Errno.ENODATA;
        }
        node.CTime = now;
        if (value == null)
        {
            node.Xattrs.Remove(name);
        }
        else
        {
            node.Xattrs[name] = value;
        }
        return 0;
    }

    public int Open(in MdtCredentials who, LuFid fid, OpenMode mode)
    {
        if (!Nodes.TryGetValue(fid, out var node) || (node.NLink == 0 && node.Opens == 0))
        {
            return Errno.ENOENT;
        }
        bool writes = (mode & OpenMode.Write) != 0;
        if (node.Target != null)
        {
            return Errno.ELOOP;
        }
        if (node.IsDirectory && writes)
        {
            return Errno.EISDIR;
        }
        if (node.IsRegular && ((writes && node.Executors > 0) || ((mode & OpenMode.Exec) != 0 && node.Writers > 0)))
        {
            return Errno.ETXTBSY;
        }
        int mask = ((mode & OpenMode.Read) != 0 ? 4 : 0) | (writes ? 2 : 0) | ((mode & OpenMode.Exec) != 0 ? 1 : 0);
        if (!May(who, node, mask))
        {
            return Errno.EACCES;
        }
        if (node.IsRegular && writes && (node.Flags & InodeFlags.Append) != 0)
        {
            return Errno.EPERM;
        }
        node.Opens++;
        node.Writers += writes ? 1 : 0;
        node.Executors += (mode & OpenMode.Exec) != 0 ? 1 : 0;
        return 0;
    }

    public void Close(LuFid fid, OpenMode mode)
    {
        var node = Nodes[fid];
        node.Opens--;
        node.Writers -= (mode & OpenMode.Write) != 0 ? 1 : 0;
        node.Executors -= (mode & OpenMode.Exec) != 0 ? 1 : 0;
        if (node.Opens == 0 && node.NLink == 0)
        {
            Nodes.Remove(fid);
        }
    }

    /// <summary>A restart: nobody has anything open.</summary>
    public void Restart()
    {
        foreach (var node in Nodes.Values.ToList())
        {
            node.Opens = node.Writers = node.Executors = 0;
            if (node.NLink == 0)
            {
                Nodes.Remove(node.Fid);
            }
        }
    }

    private static int CheckForm(string name)
    {
        if (name.Length > 255)
        {
            return Errno.ENAMETOOLONG;
        }
        return name.Length == 0 || name.Contains('/') || name.Contains('\0') ? Errno.EINVAL : 0;
    }

    private static int CheckDirectory(in MdtCredentials who, Node parent, string name)
    {
        if (!parent.IsDirectory)
        {
            return Errno.ENOTDIR;
        }
        int form = CheckForm(name);
        return form != 0 ? form : May(who, parent, 1) ? 0 : Errno.EACCES;
    }

    private static int CheckNewName(in MdtCredentials who, Node parent, string name)
    {
        if (!parent.IsDirectory)
        {
            return Errno.ENOTDIR;
        }
        int form = CheckForm(name);
        if (form != 0)
        {
            return form;
        }
        if (parent.NLink == 0)
        {
            return Errno.ENOENT;
        }
        if (!May(who, parent, 1))
        {
            return Errno.EACCES;
        }
        if (name is "." or ".." || parent.Entries.ContainsKey(name))
        {
            return Errno.EEXIST;
        }
        return May(who, parent, 3) ? 0 : Errno.EACCES;
    }

    private static int MayDelete(in MdtCredentials who, Node parent, Node victim, bool? mustBeDirectory)
    {
        if (parent.NLink == 0)
        {
            return Errno.ENOENT;
        }
        if (!May(who, parent, 3))
        {
            return Errno.EACCES;
        }
        bool sticky = (parent.Mode & 0x200) != 0 && who.Uid != victim.Uid && who.Uid != parent.Uid && !who.Has(Capabilities.FOwner);
        if ((parent.Flags & InodeFlags.Append) != 0 || sticky || IsProtected(victim))
        {
            return Errno.EPERM;
        }
        if (mustBeDirectory is { } directory && directory != victim.IsDirectory)
        {
            return directory ? Errno.ENOTDIR : Errno.EISDIR;
        }
        return 0;
    }

    private static int CheckRename(in MdtCredentials who, Node source, Node target, Node moved, Node? replaced, bool exchange)
    {
        int error = MayDelete(who, source, moved, null);
        if (error != 0)
        {
            return error;
        }
        if (replaced != null)
        {
            error = MayDelete(who, target, replaced, exchange ? null : moved.IsDirectory);
        }
        else if (target.NLink == 0)
        {
            error = Errno.ENOENT;
        }
        else if (!May(who, target, 3))
        {
            error = Errno.EACCES;
        }
        if (error == 0 && moved.IsDirectory && source != target && !May(who, moved, 2))
        {
            error = Errno.EACCES;
        }
        if (error == 0 && exchange && replaced!.IsDirectory && source != target && !May(who, replaced, 2))
        {
            error = Errno.EACCES;
        }
        if (error == 0 && !exchange && replaced is { IsDirectory: true, Entries.Count: > 0 })
        {
            error = Errno.ENOTEMPTY;
        }
        return error;
    }

    private static bool May(in MdtCredentials who, Node node, int mask)
    {
        if ((mask & 2) != 0 && (node.Flags & InodeFlags.Immutable) != 0)
        {
            return false;
        }
        uint bits = who.Uid == node.Uid ? node.Mode >> 6 : who.InGroup(node.Gid) ? node.Mode >> 3 : node.Mode;
        if ((bits & mask) == mask)
        {
            return true;
        }
        return who.Has(Capabilities.DacOverride) && ((mask & 1) == 0 || node.IsDirectory || (node.Mode & 0x49) != 0);
    }

    private static bool Owns(in MdtCredentials who, Node node) => who.Uid == node.Uid || who.Has(Capabilities.FOwner);

    private static bool IsProtected(Node node) => (node.Flags & (InodeFlags.Immutable | InodeFlags.Append)) != 0;

    private bool IsAbove(Node ancestor, Node directory)
    {
        for (Node? at = directory; at != null; at = at.Fid == MdtFileSystem.Root ? null : Nodes.GetValueOrDefault(at.Parent))
        {
            if (at == ancestor)
            {
                return true;
            }
        }
        return false;
    }

    private static void Reparent(Node moved, Node from, Node to)
    {
        if (moved.IsDirectory)
        {
            from.NLink--;
            to.NLink++;
            moved.Parent = to.Fid;
        }
    }

    private void Drop(Node victim, long now)
    {
        victim.CTime = now;
        victim.NLink = victim.IsDirectory ? 0 : victim.NLink - 1;
        if (victim.NLink == 0)
        {
            victim.Parent = default;
            if (victim.Opens == 0)
            {
                Nodes.Remove(victim.Fid);
            }
        }
    }
}
