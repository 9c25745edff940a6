using System.Buffers.Binary;

namespace Nacre.Fuse.Tests.Twin;

/// <summary>
/// POSIX ACLs in the form of their xattrs: a version of 4 bytes, then tag, permissions and id of 2, 2 and 4 bytes. What a
/// file system has
/// to do with them when their checking is the kernel's: inherit them, and keep them and the mode in step.
/// </summary>
internal static class TwinAcl
{
    public static readonly TwinName Access = new("system.posix_acl_access"u8), Default = new("system.posix_acl_default"u8);
    private const int HeaderLength = 4, EntryLength = 8;
    private const int UserObject = 1, GroupObject = 4, Mask = 0x10, Other = 0x20;

    /// <summary>The mode's bits limit the parent's default ACL, and that becomes the access ACL.</summary>
    public static void Inherit(TwinNode parent, TwinNode node)
    {
        if (node.FileType == TwinNode.Symlink || !parent.Xattrs.TryGetValue(Default, out byte[]? inherited)) return;
        if (node.IsDirectory) node.Xattrs[Default] = [.. inherited];
        byte[] access = [.. inherited];
        uint mode = 0;
        ForEach(access, (tag, permissions) =>
        {
            int shift = Shift(tag, access);
            if (shift < 0) return permissions;
            ushort limited = (ushort)(permissions & (node.Mode >> shift));
            mode |= (uint)limited << shift;
            return limited;
        });
        node.Mode = (node.Mode & ~0x1FFu) | mode;
        if (access.Length > HeaderLength + (3 * EntryLength)) node.Xattrs[Access] = access;
    }

    /// <summary>
    /// The mode's bits follow an access ACL that is set. False: it says no more than the mode, and need not be kept.
    /// </summary>
    public static bool ToMode(TwinNode node, byte[] access)
    {
        uint mode = 0;
        ForEach(access, (tag, permissions) =>
        {
            if (Shift(tag, access) is >= 0 and var shift) mode |= (uint)permissions << shift;
            return permissions;
        });
        node.Mode = (node.Mode & ~0x1FFu) | mode;
        return access.Length > HeaderLength + (3 * EntryLength);
    }

    /// <summary>An access ACL follows chmod.</summary>
    public static void FromMode(TwinNode node)
    {
        if (!node.Xattrs.TryGetValue(Access, out byte[]? access)) return;
        ForEach(access, (tag, permissions) => Shift(tag, access) is >= 0 and var shift ? (ushort)((node.Mode >> shift) & 7) : permissions);
    }

    private static int Shift(int tag, byte[] acl) => tag switch
    {
        UserObject => 6,
        Mask => 3,
        GroupObject when !Has(acl, Mask) => 3,
        Other => 0,
        _ => -1,
    };

    private static bool Has(byte[] acl, int wanted)
    {
        for (int at = HeaderLength; at + EntryLength <= acl.Length; at += EntryLength)
        {
            if (BinaryPrimitives.ReadUInt16LittleEndian(acl.AsSpan(at)) == wanted) return true;
        }

        return false;
    }

    private static void ForEach(byte[] acl, Func<int, ushort, ushort> visit)
    {
        for (int at = HeaderLength; at + EntryLength <= acl.Length; at += EntryLength)
        {
            var permissions = acl.AsSpan(at + 2);
            ushort changed = visit(BinaryPrimitives.ReadUInt16LittleEndian(acl.AsSpan(at)), BinaryPrimitives.ReadUInt16LittleEndian(permissions));
            BinaryPrimitives.WriteUInt16LittleEndian(permissions, changed);
        }
    }
}
