using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Posix;

/// <summary>Extended attributes.</summary>
public class XattrTests(PosixMounts mounts) : PosixTests(mounts)
{
    [PosixFact]
    public void An_attribute_is_set_read_listed_and_removed()
    {
        string path = NewFile("f");
        Assert.Equal(Errno.ENODATA, Sys.TryGetXattr(Two("f"), "user.a", out _));
        Sys.Check(Sys.SetXattr(path, "user.a", "first"u8.ToArray()));
        Sys.Check(Sys.SetXattr(path, "user.empty", []));
        Sys.Check(Sys.SetXattr(path, "trusted.b", [0, 1, 2]));
        Assert.Equal(0, Sys.TryGetXattr(Two("f"), "user.a", out byte[] value));
        Assert.Equal("first"u8, value);
        Assert.Equal(0, Sys.TryGetXattr(Two("f"), "user.empty", out value));
        Assert.Empty(value);
        // And nothing that programs which copy attributes would put on the copy.
        Assert.Equal(["trusted.b", "user.a", "user.empty"], Sys.ListXattrs(Two("f")).Order(StringComparer.Ordinal));
        Assert.Equal(0, Sys.TryGetXattr(path, "trusted.link", out value));
        Assert.NotEmpty(value);
        Assert.DoesNotContain("trusted.b", User.Anna.Does(() => Sys.ListXattrs(path)));
        Sys.Check(Sys.RemoveXattr(Two("f"), "user.a"));
        Assert.Equal(Errno.ENODATA, Sys.TryGetXattr(path, "user.a", out _));
        Assert.Equal(Errno.ENODATA, Sys.RemoveXattr(path, "user.a"));
    }

    [PosixFact]
    public void Making_and_replacing_are_told_apart()
    {
        string path = NewDirectory("d");
        Assert.Equal(Errno.ENODATA, Sys.SetXattr(path, "user.a", [1], Sys.ReplaceXattr));
        Assert.Equal(0, Sys.SetXattr(path, "user.a", [1], Sys.CreateXattr));
        Assert.Equal(Errno.EEXIST, Sys.SetXattr(path, "user.a", [2], Sys.CreateXattr));
        Assert.Equal(0, Sys.SetXattr(path, "user.a", [2], Sys.ReplaceXattr));
        Assert.Equal(0, Sys.TryGetXattr(Two("d"), "user.a", out byte[] value));
        Assert.Equal([2], value);
    }

    [PosixTheory]
    [InlineData(4096)]
    [InlineData(65536)]
    public void Values_may_be_large(int length)
    {
        string path = NewFile("f");
        byte[] value = new byte[length];
        new Random(length).NextBytes(value);
        Sys.Check(Sys.SetXattr(path, "user.large", value));
        Assert.Equal(0, Sys.TryGetXattr(Two("f"), "user.large", out byte[] read));
        Assert.Equal(value, read);
    }

    [PosixFact]
    public void Who_may_not_write_changes_no_attribute()
    {
        string path = NewFile("f", 644, uid: User.Anna.Uid);
        Assert.Equal(Errno.EACCES, User.Bert.Does(() => Sys.SetXattr(path, "user.a", [1])));
        Assert.Equal(Errno.EPERM, User.Anna.Does(() => Sys.SetXattr(path, "trusted.a", [1])));
        Assert.Equal(0, User.Anna.Does(() => Sys.SetXattr(path, "user.a", [1])));
        Assert.Equal(0, User.Bert.Does(() => Sys.TryGetXattr(path, "user.a", out _)));
        Sys.Check(Sys.Symlink("f", One("s")));
        Assert.Equal(Errno.EPERM, Sys.SetXattr(One("s"), "user.a", [1]));
    }
}
