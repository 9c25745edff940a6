using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Posix;

/// <summary>chown(2).</summary>
public class OwnershipTests(PosixMounts mounts) : PosixTests(mounts)
{
    [PosixFact]
    public void A_new_file_belongs_to_who_makes_it()
    {
        Assert.Equal(0, User.Anna.Does(() => Sys.Mkdir(One("d"))));
        Assert.Equal(0, User.Anna.Does(() => Sys.TryOpen(One("f"), Sys.WriteOnly | Sys.Create)));
        Assert.Equal(0, User.Anna.Does(() => Sys.Symlink("f", One("s"))));
        foreach (string name in (string[])["d", "f", "s"])
        {
            var status = Sys.Stat(Two(name));
            Assert.Equal((User.Anna.Uid, User.Anna.Gid), (status.Uid, status.Gid));
        }
    }

    [PosixFact]
    public void Only_root_gives_files_away()
    {
        string path = NewFile("f", uid: User.Anna.Uid);
        Assert.Equal(Errno.EPERM, User.Anna.Does(() => Sys.Chown(path, User.Bert.Uid, Sys.Unchanged)));
        Assert.Equal(Errno.EPERM, User.Bert.Does(() => Sys.Chown(path, User.Bert.Uid, Sys.Unchanged)));
        Assert.Equal(0, Sys.Chown(path, User.Bert.Uid, Sys.Unchanged));
        Assert.Equal((User.Bert.Uid, 0u), (Sys.Stat(Two("f")).Uid, Sys.Stat(Two("f")).Gid));
    }

    [PosixFact]
    public void An_owner_chooses_among_all_groups_of_his()
    {
        string path = NewFile("f", uid: User.Anna.Uid, gid: User.Anna.Gid);
        var anna = User.Anna with { Groups = [4001, 4002, 4003] };
        foreach (uint group in anna.Groups) Assert.Equal(0, anna.Does(() => Sys.Chown(path, Sys.Unchanged, group)));
        Assert.Equal(4003u, Sys.Stat(Two("f")).Gid);
        Assert.Equal(Errno.EPERM, anna.Does(() => Sys.Chown(path, Sys.Unchanged, 4004)));
        Assert.Equal(Errno.EPERM, new User(2005, 4003).Does(() => Sys.Chown(path, Sys.Unchanged, 4003)));
    }

    [PosixFact]
    public void Giving_a_file_away_takes_its_set_id_bits()
    {
        Sys.Check(Sys.Chown(NewFile("f", 6755), User.Anna.Uid, User.Anna.Gid));
        Assert.Equal(755, Sys.Stat(Two("f")).Mode);
        // On a directory the bit means something else.
        Sys.Check(Sys.Chown(NewDirectory("d", 2755), User.Anna.Uid, User.Anna.Gid));
        Assert.Equal(2755, Sys.Stat(Two("d")).Mode);
    }

    [PosixFact]
    public void A_symlink_has_an_owner_of_its_own()
    {
        NewFile("f");
        Sys.Check(Sys.Symlink("f", One("s")));
        Sys.Check(Sys.Chown(One("s"), 77, 88));
        Assert.Equal((77u, 88u, 0u), (Sys.Stat(Two("s")).Uid, Sys.Stat(Two("s")).Gid, Sys.Stat(Two("f")).Uid));
    }
}
