namespace Nacre.EndToEnd.Posix;

/// <summary>The setuid and setgid bits.</summary>
public class SetGroupIdTests(PosixMounts mounts) : PosixTests(mounts)
{
    [PosixFact]
    public void What_is_made_in_a_setgid_directory_takes_its_group()
    {
        NewDirectory("d", 2777, gid: 4009);
        Assert.Equal(0, User.Anna.Does(() => Sys.TryOpen(One("d/f"), Sys.WriteOnly | Sys.Create)));
        Assert.Equal(0, User.Anna.Does(() => Sys.Mkdir(One("d/e"))));
        Assert.Equal((4009u, 644), (Sys.Stat(Two("d/f")).Gid, Sys.Stat(Two("d/f")).Mode));
        // A directory hands the bit on.
        Assert.Equal((4009u, 2755), (Sys.Stat(Two("d/e")).Gid, Sys.Stat(Two("d/e")).Mode));
    }

    [PosixFact]
    public void Nobody_sets_the_bit_for_a_group_he_is_not_in()
    {
        string path = NewFile("f", 755, uid: User.Anna.Uid, gid: 4009);
        Assert.Equal(0, User.Anna.Does(() => Sys.Chmod(path, Sys.Octal(2755))));
        Assert.Equal(755, Sys.Stat(path).Mode);
        var member = User.Anna with { Groups = [4009] };
        Assert.Equal(0, member.Does(() => Sys.Chmod(path, Sys.Octal(2755))));
        Assert.Equal(2755, Sys.Stat(path).Mode);
    }

    [PosixFact]
    public void Writing_takes_the_bits_unless_root_writes()
    {
        string path = NewFile("f", 6777);
        using (var file = Sys.Open(path, Sys.WriteOnly)) file.Write("root", 0);
        Assert.Equal(6777, Sys.Stat(path).Mode);
        Assert.Equal(0, User.Bert.Does(() =>
        {
            using var file = Sys.Open(path, Sys.WriteOnly);
            return file.TryWrite([1]);
        }));
        Assert.Equal((777, 777), (Sys.Stat(path).Mode, Sys.Stat(Two("f")).Mode));
    }

    [PosixFact]
    public void Truncating_takes_them_too()
    {
        string path = NewFile("f", 6777, "content");
        Assert.Equal(0, User.Bert.Does(() => Sys.Truncated(path, 3)));
        Assert.Equal((777, 3), (Sys.Stat(Two("f")).Mode, Sys.Stat(Two("f")).Size));
    }
}
