using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Posix;

/// <summary>rename(2): every kind of thing onto every other.</summary>
public class RenameTests(PosixMounts mounts) : PosixTests(mounts)
{
    [PosixTheory]
    [InlineData("file", "nothing", 0)]
    [InlineData("file", "file", 0)]
    [InlineData("file", "symlink", 0)]
    [InlineData("file", "empty", Errno.EISDIR)]
    [InlineData("file", "full", Errno.EISDIR)]
    [InlineData("symlink", "nothing", 0)]
    [InlineData("symlink", "file", 0)]
    [InlineData("symlink", "empty", Errno.EISDIR)]
    [InlineData("empty", "nothing", 0)]
    [InlineData("empty", "empty", 0)]
    [InlineData("empty", "full", Errno.ENOTEMPTY)]
    [InlineData("empty", "file", Errno.ENOTDIR)]
    [InlineData("empty", "symlink", Errno.ENOTDIR)]
    [InlineData("full", "nothing", 0)]
    [InlineData("full", "empty", 0)]
    [InlineData("full", "full", Errno.ENOTEMPTY)]
    [InlineData("full", "file", Errno.ENOTDIR)]
    [InlineData("nothing", "file", Errno.ENOENT)]
    public void One_thing_moves_onto_another(string what, string onto, int expected)
    {
        NewDirectory("a");
        NewDirectory("b");
        Make("a/x", what);
        Make("b/y", onto);
        ulong moved = what == "nothing" ? 0 : Sys.Stat(One("a/x")).Inode;
        // The other mount knows both names before.
        Assert.Equal(onto == "nothing" ? Errno.ENOENT : 0, Sys.TryStat(Two("b/y")));
        Assert.Equal(what == "nothing" ? Errno.ENOENT : 0, Sys.TryStat(Two("a/x")));
        Assert.Equal(expected, Sys.Rename(One("a/x"), One("b/y")));
        if (expected != 0) return;
        foreach (var at in (Func<string, string>[])[One, Two])
        {
            Assert.Equal(Errno.ENOENT, Sys.TryStat(at("a/x")));
            Assert.Equal(moved, Sys.Stat(at("b/y")).Inode);
        }
    }

    [PosixFact]
    public void A_directory_takes_its_parents_count_along()
    {
        NewDirectory("a");
        NewDirectory("b");
        NewDirectory("a/d");
        Assert.Equal((3u, 2u), (Sys.Stat(Two("a")).Links, Sys.Stat(Two("b")).Links));
        Sys.Check(Sys.Rename(One("a/d"), One("b/d")));
        Assert.Equal((2u, 3u), (Sys.Stat(Two("a")).Links, Sys.Stat(Two("b")).Links));
        Assert.Equal(Sys.Stat(One("b")).Inode, Sys.Stat(Two("b/d/..")).Inode);
    }

    [PosixFact]
    public void Nothing_moves_into_itself()
    {
        NewDirectory("d");
        NewDirectory("d/e");
        Assert.Equal(Errno.EINVAL, Sys.Rename(One("d"), One("d/e/f")));
        Assert.Equal(Errno.ENOTEMPTY, Sys.Rename(One("d/e"), One("d")));
        Assert.Equal(0, Sys.Rename(One("d"), One("d")));
    }

    [PosixFact]
    public void Two_names_of_one_file_both_stay()
    {
        NewFile("f");
        Sys.Check(Sys.Link(One("f"), One("g")));
        Assert.Equal(0, Sys.Rename(One("f"), One("g")));
        Assert.Equal((2u, 2u), (Sys.Stat(One("f")).Links, Sys.Stat(Two("g")).Links));
    }

    [PosixFact]
    public void A_file_moved_over_is_there_for_who_has_it_open()
    {
        NewFile("old", content: "old");
        NewFile("new", content: "new");
        using var old = Sys.Open(One("old"), Sys.ReadOnly);
        Sys.Check(Sys.Rename(One("new"), One("old")));
        using var now = Sys.Open(One("old"), Sys.ReadOnly);
        Assert.Equal(("old", "new"), (old.Text, now.Text));
    }

    [PosixFact]
    public void Nothing_is_replaced_when_that_is_forbidden()
    {
        NewFile("f");
        NewFile("g");
        Assert.Equal(Errno.EEXIST, Sys.Rename(One("f"), One("g"), Sys.NoReplace));
        Assert.Equal(0, Sys.Rename(One("f"), One("h"), Sys.NoReplace));
        Assert.Equal(Errno.EINVAL, Sys.Rename(One("g"), One("h"), Sys.ExchangeNames));
    }

    private void Make(string name, string what)
    {
        switch (what)
        {
            case "file":
                NewFile(name);
                break;
            case "symlink":
                Sys.Check(Sys.Symlink("/dev/null", One(name)));
                break;
            case "empty":
            case "full":
                NewDirectory(name);
                if (what == "full") NewFile($"{name}/inside");
                break;
        }
    }
}
