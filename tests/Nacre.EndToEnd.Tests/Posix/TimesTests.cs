using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Posix;

/// <summary>utimensat(2), and the times that operations leave.</summary>
public class TimesTests(PosixMounts mounts) : PosixTests(mounts)
{
    private const long Past = 1_000_000_000;

    [PosixFact]
    public void Times_are_set_to_any_second()
    {
        string path = NewFile("f");
        Sys.Check(Sys.SetTimes(path, [(Past, 0), (Past + 1, 0)]));
        var status = Sys.Stat(Two("f"));
        Assert.Equal((Past, Past + 1), (status.AccessTime, status.ModifyTime));
        Assert.InRange(status.ChangeTime, Now - 60, Now + 60);
        Sys.Check(Sys.SetTimes(path, [(5, 0), (6, 0)]));
        Assert.Equal((5, 6), (Sys.Stat(path).AccessTime, Sys.Stat(path).ModifyTime));
    }

    [PosixFact]
    public void Now_is_for_writers_and_any_time_for_owners()
    {
        string path = NewFile("f", 666, uid: User.Anna.Uid);
        Assert.Equal(Errno.EPERM, User.Bert.Does(() => Sys.SetTimes(path, [(Past, 0), (Past, 0)])));
        Assert.Equal(0, User.Anna.Does(() => Sys.SetTimes(path, [(Past, 0), (Past, 0)])));
        Assert.Equal(0, User.Bert.Does(() => Sys.SetTimes(path, null)));
        Assert.InRange(Sys.Stat(path).ModifyTime, Now - 60, Now + 60);
        Sys.Check(Sys.Chmod(path, Sys.Octal(644)));
        Assert.Equal(Errno.EACCES, User.Bert.Does(() => Sys.SetTimes(path, null)));
    }

    [PosixFact]
    public void Writing_moves_the_time_of_modification_and_reading_leaves_it()
    {
        string path = NewFile("f", content: "content");
        Sys.Check(Sys.SetTimes(path, [(Past, 0), (Past, 0)]));
        using (var file = Sys.Open(path, Sys.ReadOnly)) Assert.Equal("content", file.Text);
        Assert.Equal(Past, Sys.Stat(Two("f")).ModifyTime);
        using (var file = Sys.Open(path, Sys.WriteOnly)) file.Write("x", 0);
        Assert.InRange(Sys.Stat(path).ModifyTime, Now - 60, Now + 60);
        Assert.InRange(Sys.Stat(Two("f")).ModifyTime, Now - 60, Now + 60);
    }

    [PosixFact]
    public void Times_of_the_past_hold_also_against_data_another_mount_has_not_written_yet()
    {
        using var writer = Sys.Open(Two("f"), Sys.ReadWrite | Sys.Create);
        writer.Write("content", 0);
        Sys.Check(Sys.SetTimes(One("f"), [(Past, 0), (Past + 1, 0)]));
        foreach (string seen in (string[])[One("f"), Two("f")]) Assert.Equal((Past, Past + 1), TimesOf(seen));
        writer.Sync();
        foreach (string seen in (string[])[One("f"), Two("f")]) Assert.Equal((Past, Past + 1), TimesOf(seen));
        writer.Dispose();
        foreach (string seen in (string[])[One("f"), Two("f")]) Assert.Equal((Past, Past + 1), TimesOf(seen));

        static (long, long) TimesOf(string path) => (Sys.Stat(path).AccessTime, Sys.Stat(path).ModifyTime);
    }

    [PosixFact]
    public async Task Reading_moves_the_time_of_access_when_it_is_no_later_than_that_of_the_last_change()
    {
        string path = NewFile("f", content: "content");
        Sys.Check(Sys.SetTimes(path, [(Past, 0), (Past, 0)]));
        using (var file = Sys.Open(path, Sys.ReadOnly | Sys.NoAccessTime)) Assert.Equal("content", file.Text);
        Assert.Equal(Past, Sys.Stat(path).AccessTime);

        // Of the kernel's pages, so that the file system sees the close alone; then of the servers.
        foreach (string read in (string[])[path, Two("f")])
        {
            Sys.Check(Sys.SetTimes(path, [(Past, 0), (Past, 0)]));
            using (var file = Sys.Open(read, Sys.ReadOnly)) Assert.Equal("content", file.Text);
            Assert.InRange(Sys.Stat(read).AccessTime, Now - 60, Now + 60);
            // The server is told by the close, for which close(2) does not wait.
            string other = read == path ? Two("f") : path;
            await Wait.UntilAsync(() => Sys.Stat(other).AccessTime > Past, "the other mount sees that the file was read");
            Assert.Equal(Past, Sys.Stat(read).ModifyTime);
        }

        // What a mount remembers of its own reads does not hide what another one sets.
        Sys.Check(Sys.SetTimes(path, [(Past, 0), (Past, 0)]));
        Assert.Equal(Past, Sys.Stat(Two("f")).AccessTime);
    }

    [PosixFact]
    public void Reading_leaves_a_time_of_access_that_is_later_than_the_last_change()
    {
        string path = NewFile("f", content: "content");
        long hoursAgo = Now - (2 * 60 * 60), future = Now + (2 * 60 * 60);
        Sys.Check(Sys.SetTimes(path, [(future, 0), (hoursAgo, 0)]));
        using (var file = Sys.Open(path, Sys.ReadOnly)) Assert.Equal("content", file.Text);
        Assert.Equal(future, Sys.Stat(path).AccessTime);
    }

    [PosixTheory]
    [InlineData("create")]
    [InlineData("unlink")]
    [InlineData("mkdir")]
    [InlineData("rmdir")]
    [InlineData("link")]
    [InlineData("symlink")]
    [InlineData("rename")]
    public void A_directory_is_modified_when_its_names_change(string operation)
    {
        string directory = NewDirectory("d");
        NewFile("d/f");
        NewDirectory("d/e");
        Sys.Check(Sys.SetTimes(directory, [(Past, 0), (Past, 0)]));
        Assert.Equal(Past, Sys.Stat(Two("d")).ModifyTime);
        Sys.Check(operation switch
        {
            "create" => Sys.TryOpen(One("d/new"), Sys.WriteOnly | Sys.Create),
            "unlink" => Sys.Unlink(One("d/f")),
            "mkdir" => Sys.Mkdir(One("d/new")),
            "rmdir" => Sys.Rmdir(One("d/e")),
            "link" => Sys.Link(One("d/f"), One("d/new")),
            "symlink" => Sys.Symlink("f", One("d/new")),
            _ => Sys.Rename(One("d/f"), One("d/new")),
        });
        foreach (string seen in (string[])[directory, Two("d")]) Assert.InRange(Sys.Stat(seen).ModifyTime, Now - 60, Now + 60);
    }

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeSeconds();
}
