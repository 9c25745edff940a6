using System.Text;
using Nacre.Client;
using Nacre.Tests;

namespace Nacre.Cli.Tests;

/// <summary>The example of the README compiles, and does what it says. What stands between the two markers is the README's, letter for letter.</summary>
public class ReadmeExampleTests
{
    [Fact]
    public void The_README_has_this_very_code()
    {
        var here = Example(File.ReadAllText(Path.Combine(RepositoryFiles.Root, "tests/Nacre.Cli.Tests/ReadmeExampleTests.cs")));
        Assert.Contains("LustreFileSystem.MountAsync", here, StringComparison.Ordinal);
        Assert.Contains(here, File.ReadAllText(Path.Combine(RepositoryFiles.Root, "README.md")), StringComparison.Ordinal);
    }

    /// <summary>Called by nobody: it needs a server at that address. The tests of the library do the same with one in memory.</summary>
    internal static async Task RunAsync()
    {
        // example
        await using var fs = await LustreFileSystem.MountAsync("10.0.0.5@tcp:/demo01");
        await fs.MakeDirectoryAsync("/results");
        await fs.WriteAllBytesAsync("/results/one", "42\n"u8.ToArray());
        await foreach (var item in fs.ListAsync("/results"))
        {
            Console.WriteLine($"{item.Name}: {Encoding.UTF8.GetString(await fs.ReadAllBytesAsync("/results/" + item.Name))}");
        }
        // end
    }

    private static string Example(string source)
    {
        var lines = source.Split('\n').SkipWhile(static line => line.Trim() != "// example").Skip(1).TakeWhile(static line => line.Trim() != "// end");
        return string.Join('\n', lines.Select(static line => line.Length > 8 ? line[8..] : ""));
    }
}
