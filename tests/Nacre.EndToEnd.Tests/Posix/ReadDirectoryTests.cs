using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Posix;

/// <summary>Listing directories, also while they change.</summary>
public class ReadDirectoryTests(PosixMounts mounts) : PosixTests(mounts)
{
    [PosixFact]
    public void All_names_come_once_with_their_types()
    {
        string[] names = [.. Enumerable.Range(0, 1500).Select(i => $"name-{i:D5}-{new string('x', i % 60)}")];
        foreach (string name in names) NewName(name);
        Sys.Check(Sys.Symlink("nowhere", One("symlink")));
        NewDirectory("directory");
        foreach (string folder in (string[])[One(), Two()])
        {
            var found = new DirectoryInfo(folder).GetFileSystemInfos();
            Assert.Equal(names.Append("symlink").Append("directory").Order(StringComparer.Ordinal), found.Select(f => f.Name).Order(StringComparer.Ordinal));
            Assert.Equal("directory", Assert.Single(found.OfType<DirectoryInfo>()).Name);
            Assert.Equal("nowhere", Assert.Single(found, f => f.LinkTarget is not null).LinkTarget);
        }
    }

    [PosixTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Names_that_stay_are_listed_once_while_others_come_and_go(bool listedElsewhere)
    {
        for (int i = 0; i < 800; i++)
        {
            NewName($"stays{i}");
            NewName($"goes{i}");
        }

        // The kernel reads some dozens of names at a time: what follows is asked for after the changes.
        int step = 0;
        List<string> seen = [];
        foreach (string path in Directory.EnumerateFileSystemEntries(listedElsewhere ? Two() : One()))
        {
            seen.Add(Path.GetFileName(path));
            if (step++ % 4 != 0 || step / 4 >= 800) continue;
            Sys.Check(Sys.Unlink(One($"goes{step / 4}")));
            NewName($"comes{step / 4}");
        }

        Assert.Equal(Enumerable.Range(0, 800).Select(i => $"stays{i}").Order(), seen.Where(name => name.StartsWith("stays")).Order());
        Assert.Equal(seen.Count, seen.Distinct().Count());
    }

    [PosixFact]
    public void Everything_can_be_removed_while_it_is_listed()
    {
        for (int i = 0; i < 1000; i++) NewName($"f{i}");
        foreach (string path in Directory.EnumerateFileSystemEntries(Two())) Sys.Check(Sys.Unlink(path));
        Assert.Empty(Directory.GetFileSystemEntries(One()));
    }

    [PosixFact]
    public void A_directory_nobody_may_read_is_not_listed()
    {
        NewDirectory("d", 711, User.Anna.Uid);
        Assert.Equal(Errno.EACCES, User.Bert.Does(() => Sys.TryOpen(One("d"), Sys.ReadOnly | Sys.Directory)));
        Assert.Equal(0, User.Anna.Does(() => Sys.TryOpen(One("d"), Sys.ReadOnly | Sys.Directory)));
    }

    private void NewName(string name) => Sys.Check(Sys.TryOpen(One(name), Sys.WriteOnly | Sys.Create | Sys.Exclusive));
}
