using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Posix;

/// <summary>link(2) and unlink(2).</summary>
public class LinkTests(PosixMounts mounts) : PosixTests(mounts)
{
    [PosixFact]
    public void Names_of_a_file_are_equals()
    {
        string path = NewFile("f", content: "content");
        NewDirectory("d");
        Sys.Check(Sys.Link(path, One("d/g")));
        Assert.Equal((2u, Sys.Stat(path).Inode), (Sys.Stat(Two("f")).Links, Sys.Stat(Two("d/g")).Inode));
        Sys.Check(Sys.Unlink(path));
        Assert.Equal(1u, Sys.Stat(Two("d/g")).Links);
        using var file = Sys.Open(Two("d/g"), Sys.ReadOnly);
        Assert.Equal("content", file.Text);
    }

    [PosixFact]
    public void What_cannot_be_linked_or_removed_is_said()
    {
        NewFile("f");
        NewFile("g");
        NewDirectory("d");
        Assert.Equal(Errno.EEXIST, Sys.Link(One("f"), One("g")));
        Assert.Equal(Errno.EPERM, Sys.Link(One("d"), One("e")));
        Assert.Equal(Errno.ENOENT, Sys.Link(One("missing"), One("e")));
        Assert.Equal(Errno.ENOTDIR, Sys.Link(One("f"), One("g/e")));
        Assert.Equal(Errno.EXDEV, Sys.Link(One("f"), Two("e")));
        Assert.Equal(Errno.ENOENT, Sys.Unlink(One("missing")));
        Assert.Equal(Errno.EISDIR, Sys.Unlink(One("d")));
        Assert.Equal(Errno.ENOTDIR, Sys.Rmdir(One("f")));
        Assert.Equal(Errno.ENOENT, Sys.Rmdir(One("missing")));
    }

    [PosixFact]
    public void A_directory_counts_those_below_it()
    {
        NewDirectory("d");
        Assert.Equal(2u, Sys.Stat(Two("d")).Links);
        NewDirectory("d/e");
        Assert.Equal(3u, Sys.Stat(Two("d")).Links);
        Assert.Equal(Errno.ENOTEMPTY, Sys.Rmdir(Two("d")));
        Sys.Check(Sys.Rmdir(Two("d/e")));
        Assert.Equal(2u, Sys.Stat(One("d")).Links);
        Sys.Check(Sys.Rmdir(One("d")));
    }

    [PosixFact]
    public void Special_files_are_made_with_their_numbers()
    {
        Sys.Check(Sys.Mknod(One("fifo"), Sys.Fifo));
        Sys.Check(Sys.Mknod(One("socket"), Sys.Socket));
        Sys.Check(Sys.Mknod(One("null"), Sys.CharacterDevice, (1 << 8) + 3));
        Assert.Equal((Sys.Fifo, Sys.Socket), (Sys.Stat(Two("fifo")).Type, Sys.Stat(Two("socket")).Type));
        var device = Sys.Stat(Two("null"));
        Assert.Equal((Sys.CharacterDevice, 1u, 3u), (device.Type, device.Major, device.Minor));
        Assert.Equal(Errno.EPERM, User.Anna.Does(() => Sys.Mknod(One("forbidden"), Sys.CharacterDevice, 1)));
        Assert.Equal(Errno.ENXIO, Sys.TryOpen(One("socket"), Sys.ReadOnly));
    }
}
