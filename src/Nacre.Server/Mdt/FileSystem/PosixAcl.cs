using System.Buffers.Binary;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>
/// POSIX ACLs in the form of the xattrs system.posix_acl_access and _default (05 section 9.2): version 2, then 8-byte entries {tag u16,
/// perm u16, id u32}, sorted by tag and id. Everything here works on that form; an ACL in the store has passed
/// <see cref="IsValid"/>.
/// </summary>
internal static class PosixAcl
{
    private const int HeaderLength = 4, EntryLength = 8;
    private const uint Version = 2, NoId = uint.MaxValue;
    private const ushort UserObj = 0x01, User = 0x02, GroupObj = 0x04, Group = 0x08, Mask = 0x10, Other = 0x20;
    private const ushort AllPermissions = 7;

    private readonly record struct AclEntry(ushort Tag, ushort Permissions, uint Id);

    /// <summary>Checks the form: sorted by tag, one of each base entry, a mask if there are named entries, no unknown bits.</summary>
    public static bool IsValid(ReadOnlySpan<byte> acl)
    {
        if (acl.Length < HeaderLength + 3 * EntryLength || (acl.Length - HeaderLength) % EntryLength != 0
            || BinaryPrimitives.ReadUInt32LittleEndian(acl) != Version)
        {
            return false;
        }
        int seen = 0;
        var last = default(AclEntry);
        for (int i = 0; i < Count(acl); i++)
        {
            var entry = Read(acl, i);
            if (!IsValidAfter(entry, last))
            {
                return false;
            }
            seen |= entry.Tag;
            last = entry;
        }
        const int Base = UserObj | GroupObj | Other;
        bool named = (seen & (User | Group)) != 0;
        return (seen & Base) == Base && (!named || (seen & Mask) != 0);
    }

    /// <summary>An ACL that says no more than a mode: only the three base entries.</summary>
    public static bool IsMinimal(ReadOnlySpan<byte> acl) => Count(acl) == 3;

    /// <summary>The nine permission bits an ACL stands for; the group bits are the mask if there is one.</summary>
    public static uint ToMode(ReadOnlySpan<byte> acl)
    {
        uint mode = 0;
        uint group = 0;
        uint? mask = null;
        for (int i = 0; i < Count(acl); i++)
        {
            var entry = Read(acl, i);
            switch (entry.Tag)
            {
                case UserObj: mode |= (uint)entry.Permissions << 6; break;
                case GroupObj: group = entry.Permissions; break;
                case Mask: mask = entry.Permissions; break;
                case Other: mode |= entry.Permissions; break;
            }
        }
        return mode | (mask ?? group) << 3;
    }

    /// <summary>chmod: the ACL with its owner, mask (or group) and other entries taken from the mode.</summary>
    public static byte[] WithMode(ReadOnlySpan<byte> acl, uint mode)
    {
        var changed = acl.ToArray();
        bool hasMask = HasMask(acl);
        for (int i = 0; i < Count(acl); i++)
        {
            switch (Read(acl, i).Tag)
            {
                case UserObj: Write(changed, i, mode >> 6); break;
                case GroupObj when !hasMask: Write(changed, i, mode >> 3); break;
                case Mask: Write(changed, i, mode >> 3); break;
                case Other: Write(changed, i, mode); break;
            }
        }
        return changed;
    }

    /// <summary>A new object under a default ACL: its access ACL, and its mode, each limited by the other. The ACL is empty when
    /// the mode says all.</summary>
    public static (byte[] AccessAcl, uint Mode) Inherit(ReadOnlySpan<byte> defaultAcl, uint createMode)
    {
        uint permissions = ToMode(defaultAcl) & createMode & 0x1FF;
        uint mode = createMode & ~0x1FFu | permissions;
        // With a mask the group entry keeps what the default says, and the mask carries the limit.
        var acl = WithMode(defaultAcl, permissions);
        return (IsMinimal(acl) ? [] : acl, mode);
    }

    /// <summary>
    /// Access of somebody who is not the owner: does an entry for the user or one of the groups (or the other entry) give all of
    /// <paramref name="wanted"/> (r=4 w=2 x=1)?
    /// </summary>
    public static bool Permits(ReadOnlySpan<byte> acl, in MdtCredentials who, uint owningGroup, int wanted)
    {
        int mask = AllPermissions;
        for (int i = 0; i < Count(acl); i++)
        {
            var entry = Read(acl, i);
            mask = entry.Tag == Mask ? entry.Permissions : mask;
        }
        bool inSomeGroup = false;
        for (int i = 0; i < Count(acl); i++)
        {
            var entry = Read(acl, i);
            switch (entry.Tag)
            {
                case User when entry.Id == who.Uid:
                    return Covers(entry.Permissions & mask, wanted);
                case GroupObj when who.InGroup(owningGroup):
                case Group when who.InGroup(entry.Id):
                    inSomeGroup = true;
                    if (Covers(entry.Permissions & mask, wanted))
                    {
                        return true;
                    }
                    break;
                case Other:
                    return !inSomeGroup && Covers(entry.Permissions, wanted);
            }
        }
        return false;
    }

    private static bool Covers(int permissions, int wanted) => (permissions & wanted) == wanted;

    private static bool HasMask(ReadOnlySpan<byte> acl)
    {
        for (int i = 0; i < Count(acl); i++)
        {
            if (Read(acl, i).Tag == Mask)
            {
                return true;
            }
        }
        return false;
    }

    private static bool IsValidAfter(AclEntry entry, AclEntry last)
    {
        if ((entry.Permissions & ~AllPermissions) != 0 || entry.Tag < last.Tag)
        {
            return false;
        }
        return entry.Tag switch
        {
            User or Group => entry.Id != NoId, // by id as a rule, but Linux does not insist
            UserObj or GroupObj or Mask or Other => entry.Tag != last.Tag,
            _ => false,
        };
    }

    private static int Count(ReadOnlySpan<byte> acl) => (acl.Length - HeaderLength) / EntryLength;

    private static AclEntry Read(ReadOnlySpan<byte> acl, int index)
    {
        var entry = acl.Slice(HeaderLength + index * EntryLength, EntryLength);
        return new AclEntry(BinaryPrimitives.ReadUInt16LittleEndian(entry), BinaryPrimitives.ReadUInt16LittleEndian(entry[2..]),
            BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]));
    }

    private static void Write(Span<byte> acl, int index, uint permissions) =>
        BinaryPrimitives.WriteUInt16LittleEndian(acl[(HeaderLength + index * EntryLength + 2)..], (ushort)(permissions & 7));
}
