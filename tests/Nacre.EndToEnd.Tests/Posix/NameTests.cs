using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Posix;

/// <summary>Names: how long they may be, and of what.</summary>
public class NameTests(PosixMounts mounts) : PosixTests(mounts)
{
    [PosixFact]
    public void Names_have_255_bytes_at_most()
    {
        string longest = new('n', 255), tooLong = new('n', 256);
        NewFile(longest, content: "content");
        Assert.Equal(7, Sys.Stat(Two(longest)).Size);
        Assert.Equal(longest, Path.GetFileName(Assert.Single(Directory.GetFiles(Two()))));
        Sys.Check(Sys.Rename(Two(longest), Two($"{longest[1..]}m")));
        Assert.Equal(Errno.ENAMETOOLONG, Sys.TryStat(One(tooLong)));
        Assert.Equal(Errno.ENAMETOOLONG, Sys.TryOpen(One(tooLong), Sys.WriteOnly | Sys.Create));
        Assert.Equal(Errno.ENAMETOOLONG, Sys.Mkdir(One(tooLong)));
        Assert.Equal(Errno.ENAMETOOLONG, Sys.Symlink("target", One(tooLong)));
        Assert.Equal(Errno.ENAMETOOLONG, Sys.Rename(One($"{longest[1..]}m"), One(tooLong)));
    }

    [PosixTheory]
    [InlineData("with blanks ")]
    [InlineData("ünïcödé 漢字 🐚")]
    [InlineData("a\nb\tc\u0001\"'\\")]
    [InlineData("...")]
    [InlineData(".hidden")]
    [InlineData("-rf")]
    public void Any_bytes_make_a_name(string name)
    {
        NewFile(name, content: "content");
        Assert.Equal(name, Path.GetFileName(Assert.Single(Directory.GetFiles(Two()))));
        using var file = Sys.Open(Two(name), Sys.ReadOnly);
        Assert.Equal("content", file.Text);
    }

    [PosixFact]
    public void Case_counts()
    {
        NewFile("name", content: "small");
        Assert.Equal(Errno.ENOENT, Sys.TryStat(One("Name")));
        NewFile("Name", content: "large");
        using var file = Sys.Open(Two("name"), Sys.ReadOnly);
        Assert.Equal("small", file.Text);
    }

    [PosixFact]
    public void Paths_may_be_deep()
    {
        string path = "d";
        for (int depth = 0; depth < 100; depth++, path += "/d") Sys.Check(Sys.Mkdir(One(path)));
        string back = path[..^2] + string.Concat(Enumerable.Repeat("/..", 99));
        Assert.Equal(Sys.Stat(One("d")).Inode, Sys.Stat(Two(back)).Inode);
    }
}
