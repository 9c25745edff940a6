using System.Buffers.Binary;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Posix;

/// <summary>POSIX access control lists, in the kernel's binary form.</summary>
public class AclTests(PosixMounts mounts) : PosixTests(mounts)
{
    private const string Access = "system.posix_acl_access", Default = "system.posix_acl_default";
    private const ushort Owner = 1, Named = 2, Group = 4, NamedGroup = 8, Mask = 0x10, Others = 0x20;
    private const uint Nobody = uint.MaxValue;

    [PosixFact]
    public void A_named_user_may_what_his_entry_and_the_mask_allow()
    {
        string path = NewFile("f", 600);
        Assert.Equal(Errno.EACCES, User.Anna.Does(() => Sys.TryOpen(Two("f"), Sys.ReadOnly)));
        Sys.Check(Sys.SetXattr(path, Access, List((Owner, 6, Nobody), (Named, 6, User.Anna.Uid), (Group, 0, Nobody), (Mask, 4, Nobody), (Others, 0, Nobody))));
        Assert.Equal(0, User.Anna.Does(() => Sys.TryOpen(Two("f"), Sys.ReadOnly)));
        Assert.Equal(Errno.EACCES, User.Anna.Does(() => Sys.TryOpen(Two("f"), Sys.ReadWrite)));
        Assert.Equal(Errno.EACCES, User.Bert.Does(() => Sys.TryOpen(One("f"), Sys.ReadOnly)));
        // The group bits are the mask now.
        Assert.Equal(640, Sys.Stat(Two("f")).Mode);
        Sys.Check(Sys.Chmod(path, Sys.Octal(660)));
        Assert.Equal(0, User.Anna.Does(() => Sys.TryOpen(Two("f"), Sys.ReadWrite)));
    }

    [PosixFact]
    public void A_named_group_counts_among_the_callers_groups()
    {
        string path = NewFile("f", 600);
        Sys.Check(Sys.SetXattr(path, Access, List((Owner, 6, Nobody), (Group, 0, Nobody), (NamedGroup, 4, 4010), (Mask, 7, Nobody), (Others, 0, Nobody))));
        Assert.Equal(0, new User(2005, 4010).Does(() => Sys.TryOpen(path, Sys.ReadOnly)));
        Assert.Equal(Errno.EACCES, new User(2005, 4011).Does(() => Sys.TryOpen(path, Sys.ReadOnly)));
    }

    [PosixFact]
    public void What_is_made_below_inherits_the_default()
    {
        string directory = NewDirectory("d", 777);
        byte[] list = List((Owner, 7, Nobody), (Named, 6, User.Anna.Uid), (Group, 5, Nobody), (Mask, 7, Nobody), (Others, 0, Nobody));
        Sys.Check(Sys.SetXattr(directory, Default, list));
        Assert.Equal(777, Sys.Stat(directory).Mode);
        Assert.Equal(0, Sys.TryOpen(Two("d/f"), Sys.WriteOnly | Sys.Create, 666));
        Assert.Equal(0, Sys.Mkdir(Two("d/e"), 777));
        // The umask does not count; the mode asked for limits the list.
        Assert.Equal((660, 770), (Sys.Stat(One("d/f")).Mode, Sys.Stat(One("d/e")).Mode));
        Assert.Equal(0, User.Anna.Does(() => Sys.TryOpen(One("d/f"), Sys.ReadWrite)));
        Assert.Equal(0, Sys.TryGetXattr(One("d/e"), Default, out byte[] inherited));
        Assert.Equal(list, inherited);
    }

    [PosixFact]
    public void A_list_that_says_no_more_than_the_mode_becomes_it()
    {
        string path = NewFile("f", 600);
        Sys.Check(Sys.SetXattr(path, Access, List((Owner, 7, Nobody), (Group, 5, Nobody), (Others, 1, Nobody))));
        Assert.Equal(751, Sys.Stat(Two("f")).Mode);
        Assert.Equal(Errno.ENODATA, Sys.TryGetXattr(Two("f"), Access, out _));
    }

    [PosixFact]
    public void What_is_no_list_is_refused()
    {
        string path = NewFile("f");
        Assert.Equal(Errno.EINVAL, Sys.SetXattr(path, Access, [1, 2, 3]));
        Assert.Equal(Errno.EINVAL, Sys.SetXattr(path, Access, List((Owner, 7, Nobody), (Named, 7, 5), (Group, 5, Nobody), (Others, 1, Nobody))));
        Assert.Equal(Errno.EPERM, User.Bert.Does(() => Sys.SetXattr(path, Access, List((Owner, 7, Nobody), (Group, 5, Nobody), (Others, 1, Nobody)))));
        Assert.Equal(Errno.EACCES, Sys.SetXattr(path, Default, List((Owner, 7, Nobody), (Group, 5, Nobody), (Others, 1, Nobody))));
    }

    private static byte[] List(params (ushort Tag, ushort Rights, uint Id)[] entries)
    {
        const int version = 2, entrySize = 8;
        byte[] list = new byte[4 + (entrySize * entries.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(list, version);
        for (int i = 0; i < entries.Length; i++)
        {
            var entry = list.AsSpan(4 + (entrySize * i));
            BinaryPrimitives.WriteUInt16LittleEndian(entry, entries[i].Tag);
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], entries[i].Rights);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], entries[i].Id);
        }

        return list;
    }
}
