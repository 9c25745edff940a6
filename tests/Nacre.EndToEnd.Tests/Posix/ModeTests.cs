using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Posix;

/// <summary>chmod(2), and what modes allow.</summary>
public class ModeTests(PosixMounts mounts) : PosixTests(mounts)
{
    [PosixTheory]
    [InlineData(0)]
    [InlineData(644)]
    [InlineData(7777)]
    public void Every_bit_of_a_mode_is_kept(int mode)
    {
        Sys.Check(Sys.Chmod(NewFile("f"), Sys.Octal(mode)));
        Sys.Check(Sys.Chmod(NewDirectory("d"), Sys.Octal(mode)));
        Assert.Equal((mode, mode), (Sys.Stat(One("f")).Mode, Sys.Stat(One("d")).Mode));
        Assert.Equal((mode, mode), (Sys.Stat(Two("f")).Mode, Sys.Stat(Two("d")).Mode));
    }

    [PosixTheory]
    // Owner, group, others: the first that fits decides, also when it allows less than the next.
    [InlineData(400, 0, Errno.EACCES, Errno.EACCES)]
    [InlineData(40, Errno.EACCES, 0, Errno.EACCES)]
    [InlineData(4, Errno.EACCES, Errno.EACCES, 0)]
    [InlineData(444, 0, 0, 0)]
    public void Reading_is_for_those_the_mode_names(int mode, int owner, int member, int other)
    {
        string path = NewFile("f", mode, uid: User.Anna.Uid, gid: User.Anna.Gid);
        var inGroup = new User(2005, 3005, User.Anna.Gid);
        foreach (string f in (string[])[path, Two("f")])
        {
            Assert.Equal(
                (owner, member, other),
                (User.Anna.Does(() => Sys.TryOpen(f, Sys.ReadOnly)), inGroup.Does(() => Sys.TryOpen(f, Sys.ReadOnly)), User.Bert.Does(() => Sys.TryOpen(f, Sys.ReadOnly))));
        }
    }

    [PosixFact]
    public void Writing_needs_the_right_to_write()
    {
        string path = NewFile("f", 646, uid: User.Anna.Uid);
        Assert.Equal(0, User.Bert.Does(() => Sys.TryOpen(path, Sys.ReadWrite)));
        Sys.Check(Sys.Chmod(Two("f"), Sys.Octal(644)));
        Assert.Equal(Errno.EACCES, User.Bert.Does(() => Sys.TryOpen(path, Sys.ReadWrite)));
        Assert.Equal(Errno.EACCES, User.Bert.Does(() => Sys.Truncated(path, 0)));
        Assert.Equal(0, Sys.TryOpen(path, Sys.ReadWrite));
    }

    [PosixFact]
    public void A_directory_without_x_hides_what_is_below()
    {
        string directory = NewDirectory("d", 755, User.Anna.Uid);
        NewFile("d/f", 666);
        Assert.Equal(0, User.Bert.Does(() => Sys.TryStat(One("d/f"))));
        Sys.Check(Sys.Chmod(directory, Sys.Octal(744)));
        Assert.Equal(Errno.EACCES, User.Bert.Does(() => Sys.TryStat(One("d/f"))));
        Assert.Equal(Errno.EACCES, User.Bert.Does(() => Sys.TryStat(Two("d/f"))));
        Assert.Equal(0, User.Bert.Does(() => Sys.TryOpen(directory, Sys.ReadOnly | Sys.Directory)));
        Assert.Equal(0, User.Anna.Does(() => Sys.TryStat(One("d/f"))));
    }

    [PosixFact]
    public void Names_are_made_and_removed_by_those_who_may_write_to_the_directory()
    {
        NewDirectory("d", 755, User.Anna.Uid);
        NewFile("d/f", 666);
        Assert.Equal(Errno.EACCES, User.Bert.Does(() => Sys.Unlink(One("d/f"))));
        Assert.Equal(Errno.EACCES, User.Bert.Does(() => Sys.Mkdir(One("d/g"))));
        Assert.Equal(Errno.EACCES, User.Bert.Does(() => Sys.TryOpen(One("d/g"), Sys.WriteOnly | Sys.Create)));
        Assert.Equal(0, User.Anna.Does(() => Sys.Unlink(One("d/f"))));
        Assert.Equal(0, User.Anna.Does(() => Sys.TryOpen(One("d/g"), Sys.WriteOnly | Sys.Create)));
    }

    [PosixFact]
    public void A_file_made_read_only_can_be_written_to_by_who_makes_it()
    {
        using var file = User.Anna.Does(() => Sys.Open(One("f"), Sys.WriteOnly | Sys.Create | Sys.Exclusive, 400));
        file.Write("content", 0);
        Assert.Equal(Errno.EACCES, User.Anna.Does(() => Sys.TryOpen(One("f"), Sys.WriteOnly)));
    }

    [PosixFact]
    public void Only_the_owner_changes_the_mode()
    {
        string path = NewFile("f", 666, uid: User.Anna.Uid);
        Assert.Equal(Errno.EPERM, User.Bert.Does(() => Sys.Chmod(path, Sys.Octal(777))));
        Assert.Equal(0, User.Anna.Does(() => Sys.Chmod(path, Sys.Octal(600))));
        Assert.Equal(Errno.ENOENT, Sys.Chmod(One("missing"), Sys.Octal(600)));
        Assert.Equal(Errno.ENOTDIR, Sys.Chmod(One("f/g"), Sys.Octal(600)));
    }
}
