using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Posix;

/// <summary>Directories such as /tmp: names go only with the consent of the owner of the directory or of the file.</summary>
public class StickyTests(PosixMounts mounts) : PosixTests(mounts)
{
    private static readonly User Owner = new(2009, 3009);

    [PosixFact]
    public void Only_its_owner_removes_or_moves_a_file()
    {
        NewDirectory("d", 1777, Owner.Uid);
        NewFile("d/f", 666, uid: User.Anna.Uid);
        Assert.Equal(Errno.EPERM, User.Bert.Does(() => Sys.Unlink(One("d/f"))));
        Assert.Equal(Errno.EPERM, User.Bert.Does(() => Sys.Unlink(Two("d/f"))));
        Assert.Equal(Errno.EPERM, User.Bert.Does(() => Sys.Rename(One("d/f"), One("d/g"))));
        Assert.Equal(0, User.Anna.Does(() => Sys.Rename(One("d/f"), One("d/g"))));
        Assert.Equal(0, User.Anna.Does(() => Sys.Unlink(Two("d/g"))));
    }

    [PosixFact]
    public void Nobody_else_is_replaced()
    {
        NewDirectory("d", 1777, Owner.Uid);
        NewFile("d/mine", 666, uid: User.Bert.Uid);
        NewFile("d/f", 666, uid: User.Anna.Uid);
        Assert.Equal(Errno.EPERM, User.Bert.Does(() => Sys.Rename(One("d/mine"), One("d/f"))));
        Sys.Check(Sys.Chmod(One("d"), Sys.Octal(777)));
        Assert.Equal(0, User.Bert.Does(() => Sys.Rename(One("d/mine"), One("d/f"))));
    }

    [PosixFact]
    public void The_owner_of_the_directory_rules_in_it()
    {
        NewDirectory("d", 1777, Owner.Uid);
        NewDirectory("d/e", 755, User.Anna.Uid);
        NewFile("d/f", uid: User.Anna.Uid);
        Assert.Equal(Errno.EPERM, User.Bert.Does(() => Sys.Rmdir(One("d/e"))));
        Assert.Equal(0, Owner.Does(() => Sys.Rmdir(One("d/e"))));
        Assert.Equal(0, Owner.Does(() => Sys.Unlink(One("d/f"))));
    }
}
