using System.Globalization;
using Nacre.Cli.Lfs;
using Nacre.Cli.Tests.Harness;

namespace Nacre.Cli.Tests.Lfs;

/// <summary>Each command of <c>lfs</c> on a file system mounted through FUSE by another process.</summary>
public sealed class MountedTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nacre-lfs-");
    private DemoProcess? _demo;

    private string Mount => Path.Combine(_folder.FullName, "demo-mount");

    /// <summary>The file system's name, as the kernel shows it.</summary>
    private string FileSystem =>
        File.ReadLines("/proc/self/mounts").Select(line => line.Split(' ')).Single(mount => mount[1] == Mount)[0].Split(":/")[1];

    private string In(string name) => Path.Combine(Mount, name);

    public async Task InitializeAsync()
    {
        if (new FuseFactAttribute().Skip is null) _demo = await DemoProcess.StartAsync(Mount);
    }

    public async Task DisposeAsync()
    {
        if (_demo is { } demo) await demo.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [FuseFact]
    public async Task Layouts_are_set_and_shown()
    {
        Assert.Equal("", Run("setstripe", "-c", "2", "-S", "64K", "-i", "3", In("plain")));
        Assert.StartsWith(
            $"{In("plain")}\nlmm_stripe_count:  2\nlmm_stripe_size:   65536\nlmm_pattern:       raid0\nlmm_layout_gen:    0\nlmm_stripe_offset: 3\n",
            Run("getstripe", In("plain")),
            StringComparison.Ordinal);
        var data = new byte[300_000];
        Random.Shared.NextBytes(data);
        await File.WriteAllBytesAsync(In("plain"), data);
        Assert.Equal(data, await File.ReadAllBytesAsync(In("plain")));
        Assert.Equal((1, $"nacre lfs setstripe: {In("plain")}: stripe already set\n"), Fail("setstripe", "-c", "1", In("plain")));

        Run("setstripe", "-o", "1,3", In("chosen"));
        Assert.Equal("1\n", Run("getstripe", "-i", In("chosen")));
        Assert.Equal(1, Fail("setstripe", "-i", "9", In("nowhere")).Status);
        Assert.False(File.Exists(In("nowhere")));
    }

    [FuseFact]
    public async Task Components_get_their_objects_when_they_are_written()
    {
        Run("setstripe", "-E", "64K", "-c", "1", "-E", "-1", "-c", "2", In("pfl"));
        Assert.Equal("1\n", Run("getstripe", "-c", In("pfl")));
        await File.WriteAllBytesAsync(In("pfl"), new byte[131072]);
        Assert.Equal("2\n", Run("getstripe", "-c", In("pfl")));
        Assert.Equal(2, Run("getstripe", In("pfl")).Split("lcme_flags:          init").Length - 1);
    }

    [FuseFact]
    public void A_directory_hands_its_default_down()
    {
        Directory.CreateDirectory(In("d"));
        Run("setstripe", "-c", "-1", "-S", "2M", In("d"));
        Assert.Equal("stripe_count:  -1 stripe_size:   2097152 pattern:       raid0 stripe_offset: -1\n\n", Run("getstripe", "-d", In("d")));
        Directory.CreateDirectory(In("e"));
        Run("setstripe", "-c", "3", In("e"));
        Assert.Equal("stripe_count:  3 stripe_size:   1048576 pattern:       raid0 stripe_offset: -1\n\n", Run("getstripe", "-d", In("e")));
        File.WriteAllText(In("d/f"), "");
        Assert.Equal("4\n", Run("getstripe", "-c", In("d/f")));
        Assert.StartsWith($"{In("d")}\nstripe_count:  -1 ", Run("getstripe", In("d")), StringComparison.Ordinal);
        Assert.Contains($"\n{In("d/f")}\nlmm_stripe_count:  4\n", Run("getstripe", In("d")), StringComparison.Ordinal);
        Run("setstripe", "-d", In("d"));
        Assert.Equal(Run("getstripe", "-d", Mount), Run("getstripe", "-d", In("d")));
    }

    [FuseFact]
    public void Targets_are_listed_with_their_space()
    {
        Assert.Equal("OBDS:\n" + string.Concat(Enumerable.Range(0, 4).Select(i => $"{i}: {FileSystem}-OST000{i}_UUID ACTIVE\n")), Run("osts", Mount));
        Assert.Equal($"MDTS:\n0: {FileSystem}-MDT0000_UUID ACTIVE\n", Run("mdts", Mount));
        Assert.Equal(5, Run("check", "servers", Mount).Split(" active.\n").Length - 1);
        Assert.Equal($"{FileSystem} {Mount}\n", Run("getname", Mount));
        var lines = Run("df", Mount).Split('\n');
        Assert.Equal(10, lines.Length);
        Assert.Contains((4800L << 20).ToString(CultureInfo.InvariantCulture), lines[7], StringComparison.Ordinal);
    }

    [FuseFact]
    public void A_file_is_found_by_its_FID_under_all_its_names()
    {
        Directory.CreateDirectory(In("names"));
        File.WriteAllText(In("names/one"), "");
        File.CreateSymbolicLink(In("link"), "names");
        var fid = Run("path2fid", In("names/one")).Trim();
        Assert.Matches(@"^\[0x[0-9a-f]+:0x[0-9a-f]+:0x0\]$", fid);
        Assert.Equal(fid, Run("path2fid", In("link/one")).Trim());
        Assert.Equal($"{In("names/one")}\n", Run("fid2path", Mount, fid));
        Assert.Equal(1, Fail("fid2path", Mount, "[0x200000401:0xffffff:0x0]").Status);
        Assert.Equal((1, "nacre lfs path2fid: /etc/passwd is not on a Lustre file system\n"), Fail("path2fid", "/etc/passwd"));
    }

    [FuseFact]
    public void Find_selects_by_name_kind_size_age_owner_and_layout()
    {
        Run("setstripe", "-o", "2", In("small/on-two"));
        Assert.Equal($"{In("big.bin")}\n", Run("find", Mount, "-type", "f", "-size", "+1M"));
        Assert.Equal($"{In("small/on-two")}\n", Run("find", Mount, "-name", "on-*", "-ost", $"{FileSystem}-OST0002_UUID", "-stripe-count", "1"));
        Assert.Equal($"{Mount}\n{In("small")}\n", Run("find", Mount, "!", "-type", "f"));
        Assert.Equal(10, Run("find", Mount, "-name", "file00?", "-print0").Split('\0').Length - 1);
        Assert.Equal("", Run("find", Mount, "-mtime", "+1"));
        Assert.Equal($"{In("README.txt")}\n{In("big.bin")}\n", Sorted(Run("find", Mount, "-maxdepth", "1", "-type", "f", "-mtime", "-1", "-user", "root")));
        Assert.Equal((1, "nacre lfs find: there is no test -colour\n"), Fail("find", Mount, "-colour", "red"));
    }

    private static string Sorted(string lines) => string.Concat(lines.Split('\n')[..^1].Order(StringComparer.Ordinal).Select(static line => line + "\n"));

    private static string Run(params string[] arguments)
    {
        var (status, output, error) = Do(arguments);
        Assert.Equal((0, ""), (status, error));
        return output;
    }

    private static (int Status, string Error) Fail(params string[] arguments)
    {
        var (status, _, error) = Do(arguments);
        return (status, error);
    }

    private static (int Status, string Output, string Error) Do(string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter { NewLine = "\n" };
        return (LfsCommand.Run(arguments, output, error), output.ToString(), error.ToString());
    }
}
