using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Posix;

/// <summary>symlink(2) and readlink(2).</summary>
public class SymlinkTests(PosixMounts mounts) : PosixTests(mounts)
{
    [PosixFact]
    public void A_symlink_tells_its_target_and_leads_there()
    {
        NewDirectory("d");
        NewFile("d/f", content: "content");
        Sys.Check(Sys.Symlink("d/f", One("relative")));
        Sys.Check(Sys.Symlink(One("d"), One("absolute")));
        Assert.Equal("d/f", Sys.ReadLink(Two("relative")));
        Assert.Equal((0xA000u, 777, 3), (Sys.Stat(Two("relative")).Type, Sys.Stat(Two("relative")).Mode, Sys.Stat(Two("relative")).Size));
        using var first = Sys.Open(Two("relative"), Sys.ReadOnly);
        using var second = Sys.Open(Two("absolute/f"), Sys.ReadOnly);
        Assert.Equal(("content", "content"), (first.Text, second.Text));
    }

    [PosixFact]
    public void Targets_have_4095_bytes_at_most_and_need_not_exist()
    {
        string longest = new('t', 4095);
        Sys.Check(Sys.Symlink(longest, One("s")));
        Assert.Equal((longest, 4095), (Sys.ReadLink(Two("s")), Sys.Stat(Two("s")).Size));
        Assert.Equal(Errno.ENAMETOOLONG, Sys.Symlink($"{longest}t", One("t")));
        Assert.Equal(Errno.ENOENT, Sys.Symlink("", One("t")));
        Assert.Equal(Errno.EEXIST, Sys.Symlink("other", One("s")));
    }

    [PosixFact]
    public void A_symlink_made_anew_leads_elsewhere_at_once()
    {
        Sys.Check(Sys.Symlink("first", One("s")));
        Assert.Equal("first", Sys.ReadLink(Two("s")));
        Sys.Check(Sys.Symlink("second", One("new")));
        Sys.Check(Sys.Rename(One("new"), One("s")));
        Assert.Equal("second", Sys.ReadLink(Two("s")));
    }
}
