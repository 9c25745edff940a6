using System.Buffers.Binary;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>Extended attributes (05 sections 5.8 and 13).</summary>
public sealed partial class MdtFileSystem
{
    /// <summary>Value by full name (no permission check). Knows trusted.lov, trusted.lma, trusted.link, trusted.hsm and trusted.som
    /// besides stored ones. ENOENT, ERANGE (name too long).</summary>
    public MdtXattrValue GetXattr(LuFid fid, ReadOnlySpan<byte> name)
    {
        var inode = Need(fid);
        CheckXattrName(name);
        ulong pending = Store.Pending(inode);
        if (Derived(inode, name) is { } derived)
        {
            return new MdtXattrValue(derived.Length > 0, derived, pending);
        }
        var value = Store.GetXattr(inode, name);
        return new MdtXattrValue(value != null, value, pending);
    }

    /// <summary>All names and values: derived ones (05 section 20.5), then stored ones by name.</summary>
    public MdtXattrList ListXattrs(LuFid fid)
    {
        var inode = Need(fid);
        var items = new List<MdtXattr>();
        foreach (byte[] name in DerivedNames)
        {
            if (Derived(inode, name) is { Length: > 0 } value)
            {
                items.Add(new MdtXattr(name, value));
            }
        }
        Store.ListXattrs(inode, items);
        return new MdtXattrList(items, Store.Pending(inode));
    }

    /// <summary>Sets an attribute as a client asks for it. EEXIST, ENODATA (flags), EPERM, EACCES, EOPNOTSUPP, EINVAL (ACL), E2BIG
    /// (value), ENOSPC (all together), ERANGE (name). Transno 0 for names that only the server sets.</summary>
    public MdtResult SetXattr(
        in MdtCredentials who, LuFid fid, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, XattrFlags flags, FileTime? ctime)
    {
        var inode = Need(fid);
        CheckMaySetXattr(who, inode, name);
        if (value.Length > _options.MaxXattrValue)
        {
            throw new FsException(Errno.E2BIG);
        }
        if (XattrNames.IsServersOwn(name))
        {
            return Unchanged(inode);
        }
        if (name.SequenceEqual(XattrNames.AccessAcl) || name.SequenceEqual(XattrNames.DefaultAcl))
        {
            return SetAcl(who, inode, name.SequenceEqual(XattrNames.DefaultAcl), value, ctime);
        }
        var old = Store.GetXattr(inode, name);
        CheckXattrFlags(flags, old != null);
        return PutXattr(inode, name, value, old, ctime);
    }

    /// <summary>Removes an attribute as a client asks for it. ENODATA, EPERM, EACCES, EOPNOTSUPP.</summary>
    public MdtResult RemoveXattr(in MdtCredentials who, LuFid fid, ReadOnlySpan<byte> name, FileTime? ctime)
    {
        var inode = Need(fid);
        CheckMaySetXattr(who, inode, name);
        if (XattrNames.IsServersOwn(name))
        {
            return Unchanged(inode);
        }
        if (name.SequenceEqual(XattrNames.AccessAcl) || name.SequenceEqual(XattrNames.DefaultAcl))
        {
            if (Derived(inode, name) is not { Length: > 0 })
            {
                throw new FsException(Errno.ENODATA);
            }
            return SetAcl(who, inode, name.SequenceEqual(XattrNames.DefaultAcl), default, ctime);
        }
        var old = Store.GetXattr(inode, name) ?? throw new FsException(Errno.ENODATA);
        return DropXattr(inode, name, old, ctime);
    }

    /// <summary>Stores an attribute of the server itself (e.g. trusted.dmv) without permission checks; an empty value removes.</summary>
    public MdtResult SetInternalXattr(LuFid fid, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var inode = Need(fid);
        CheckXattrName(name);
        var old = Store.GetXattr(inode, name);
        if (!value.IsEmpty)
        {
            return PutXattr(inode, name, value, old, null);
        }
        return old == null ? Unchanged(inode) : DropXattr(inode, name, old, null);
    }

    private static readonly byte[][] DerivedNames =
    [
        XattrNames.Lma.ToArray(), XattrNames.Lov.ToArray(), XattrNames.Som.ToArray(), XattrNames.Link.ToArray(),
        XattrNames.Hsm.ToArray(), XattrNames.AccessAcl.ToArray(), XattrNames.DefaultAcl.ToArray(),
    ];

    /// <summary>Attributes kept in the inode. Null: the name is not one of them. Empty: it is, but the inode has none.</summary>
    private static byte[]? Derived(Inode inode, ReadOnlySpan<byte> name)
    {
        if (name.StartsWith(XattrNames.Trusted))
        {
            return name switch
            {
                _ when name.SequenceEqual(XattrNames.Lov) => inode.Layout,
                _ when name.SequenceEqual(XattrNames.Link) => inode.Links,
                _ when name.SequenceEqual(XattrNames.Hsm) => inode.Hsm,
                _ when name.SequenceEqual(XattrNames.Lma) => LmaOf(inode),
                _ when name.SequenceEqual(XattrNames.Som) => SomOf(inode),
                _ => null,
            };
        }
        if (name.SequenceEqual(XattrNames.AccessAcl))
        {
            return inode.AccessAcl;
        }
        return name.SequenceEqual(XattrNames.DefaultAcl) ? inode.DefaultAcl : null;
    }

    /// <summary>24 bytes: compat, incompat (ORPHAN 10 hex), own FID.</summary>
    private static byte[] LmaOf(Inode inode)
    {
        var lma = new byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(lma.AsSpan(4), inode.NLink == 0 ? 0x10u : 0);
        var fid = inode.Fid;
        BinaryPrimitives.WriteUInt64LittleEndian(lma.AsSpan(8), fid.Sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(lma.AsSpan(16), fid.ObjectId);
        BinaryPrimitives.WriteUInt32LittleEndian(lma.AsSpan(20), fid.Version);
        return lma;
    }

    /// <summary>24 bytes: 4 (LAZY), size, blocks (05 section 20.5); regular files whose size was ever reported.</summary>
    private static byte[] SomOf(Inode inode)
    {
        if (!inode.IsRegular || !inode.HasLazySize)
        {
            return [];
        }
        var som = new byte[24];
        som[0] = 4;
        BinaryPrimitives.WriteUInt64LittleEndian(som.AsSpan(8), inode.Size);
        BinaryPrimitives.WriteUInt64LittleEndian(som.AsSpan(16), inode.Blocks);
        return som;
    }

    private static void CheckXattrName(ReadOnlySpan<byte> name)
    {
        if (name.Length > MaxName || name.IsEmpty || name.Contains((byte)0))
        {
            throw new FsException(Errno.ERANGE);
        }
    }

    private static void CheckMaySetXattr(in MdtCredentials who, Inode inode, ReadOnlySpan<byte> name)
    {
        CheckXattrName(name);
        if ((inode.Flags & (InodeFlags.Immutable | InodeFlags.Append)) != 0)
        {
            throw new FsException(Errno.EPERM);
        }
        if (name.StartsWith(XattrNames.User))
        {
            CheckMaySetUserXattr(who, inode);
            return;
        }
        bool permitted = name.StartsWith(XattrNames.Trusted) ? who.Has(Capabilities.SysAdmin) : IsOwner(who, inode);
        if (!permitted)
        {
            throw new FsException(Errno.EPERM);
        }
    }

    private static void CheckMaySetUserXattr(in MdtCredentials who, Inode inode)
    {
        bool isSticky = inode.IsDirectory && (inode.Mode & ModeBits.Sticky) != 0;
        if ((!inode.IsRegular && !inode.IsDirectory) || (isSticky && !IsOwner(who, inode)))
        {
            throw new FsException(Errno.EPERM);
        }
        CheckAccess(who, inode, MayWrite);
    }

    private static void CheckXattrFlags(XattrFlags flags, bool exists)
    {
        if ((flags & XattrFlags.Create) != 0 && exists)
        {
            throw new FsException(Errno.EEXIST);
        }
        if ((flags & XattrFlags.Replace) != 0 && !exists)
        {
            throw new FsException(Errno.ENODATA);
        }
    }

    private MdtResult PutXattr(Inode inode, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, byte[]? old, FileTime? ctime)
    {
        long grown = inode.XattrBytes + value.Length - (old == null ? -name.Length : old.Length);
        if (grown > _options.MaxXattrTotal && grown > inode.XattrBytes)
        {
            throw new FsException(Errno.ENOSPC);
        }
        NeedSpace();
        ulong transno = Store.BeginChange();
        var before = new PreVersions(inode.Version);
        Touch(inode, transno);
        Store.PutXattr(inode, name, value, old);
        inode.CTime = ctime ?? inode.CTime;
        return Done(inode, transno, before);
    }

    private MdtResult DropXattr(Inode inode, ReadOnlySpan<byte> name, byte[] old, FileTime? ctime)
    {
        ulong transno = Store.BeginChange();
        var before = new PreVersions(inode.Version);
        Touch(inode, transno);
        Store.DeleteXattr(inode, name, old);
        inode.CTime = ctime ?? inode.CTime;
        return Done(inode, transno, before);
    }

    /// <summary>An ACL that only says what a mode can say becomes the mode; an empty one removes (05 section 5.8).</summary>
    private MdtResult SetAcl(in MdtCredentials who, Inode inode, bool isDefault, ReadOnlySpan<byte> acl, FileTime? ctime)
    {
        bool removes = acl.Length <= sizeof(uint); // nothing, or a header without entries
        if (inode.IsSymlink)
        {
            throw new FsException(Errno.EOPNOTSUPP);
        }
        if (isDefault && !inode.IsDirectory)
        {
            throw new FsException(Errno.EACCES);
        }
        if (!removes && !PosixAcl.IsValid(acl))
        {
            throw new FsException(Errno.EINVAL);
        }
        if (!removes)
        {
            NeedSpace();
        }
        ulong transno = Store.BeginChange();
        var before = new PreVersions(inode.Version);
        Touch(inode, transno);
        if (isDefault)
        {
            inode.DefaultAcl = removes ? [] : acl.ToArray();
        }
        else
        {
            ApplyAccessAcl(who, inode, removes ? default : acl);
        }
        inode.CTime = ctime ?? inode.CTime;
        return Done(inode, transno, before);
    }

    private static void ApplyAccessAcl(in MdtCredentials who, Inode inode, ReadOnlySpan<byte> acl)
    {
        if (acl.IsEmpty)
        {
            inode.AccessAcl = [];
            return;
        }
        inode.Mode = inode.Mode & ~0x1FFu | PosixAcl.ToMode(acl);
        if (!MayKeepSetGid(who, inode.Gid))
        {
            inode.Mode &= ~ModeBits.SetGid;
        }
        inode.AccessAcl = PosixAcl.IsMinimal(acl) ? [] : acl.ToArray();
    }
}
