using System.Globalization;
using System.Text;

namespace Nacre.FilesystemBench.Workloads;

/// <summary>
/// Generates a tree of C sources like that of a program: folders of 20 files of 1 to 16 KiB, a header a folder, and a Makefile that compiles one file of each folder
/// and links them. The same tree for the same number of folders.
/// </summary>
internal static class SourceTree
{
    public const int FilesInFolder = 20;

    /// <summary>A word that one file has.</summary>
    public const string Needle = "needle_in_the_haystack";

    /// <summary>What the Makefile makes.</summary>
    public const string Program = "program";

    private const int ShortestFile = 1 << 10;
    private const int LongestFile = 16 << 10;

    public static void Generate(string root, int folders)
    {
        var random = new Random(folders);
        for (var folder = 0; folder < folders; folder++)
        {
            var path = Directory.CreateDirectory(Path.Combine(root, $"src{folder:D3}")).FullName;
            File.WriteAllText(Path.Combine(path, "part.h"), Header(folder));
            for (var file = 1; file < FilesInFolder; file++) File.WriteAllText(Path.Combine(path, $"part{file:D2}.c"), Source(folder, file, random));
        }

        File.AppendAllText(Path.Combine(root, $"src{folders / 2:D3}", "part07.c"), $"/* {Needle} */\n");
        File.WriteAllText(Path.Combine(root, "main.c"), MainFile(folders));
        File.WriteAllText(Path.Combine(root, "Makefile"), Makefile);
    }

    private const string Makefile =
        $"""
        OBJECTS := main.o $(patsubst %.c,%.o,$(wildcard src*/part01.c))
        {Program}: $(OBJECTS)
        	$(CC) -o $@ $(OBJECTS)
        %.o: %.c $(wildcard src*/part.h)
        	$(CC) -O0 -c -o $@ $<

        """;

    private static string Header(int folder)
    {
        var text = new StringBuilder();
        for (var file = 1; file < FilesInFolder; file++) text.Append(CultureInfo.InvariantCulture, $"int part_{folder}_{file}(int x);\n");
        return text.ToString();
    }

    private static string Source(int folder, int file, Random random)
    {
        var text = new StringBuilder("#include <stdio.h>\n#include \"part.h\"\n");
        text.Append(CultureInfo.InvariantCulture, $"int part_{folder}_{file}(int x)\n{{\n");
        var length = random.Next(ShortestFile, LongestFile);
        while (text.Length < length)
        {
            text.Append(CultureInfo.InvariantCulture, $"    x = x * {random.Next(3, 1000)} + (x >> {random.Next(1, 8)}); /* step of part {file} */\n");
        }

        return text.Append("    return x;\n}\n").ToString();
    }

    private static string MainFile(int folders)
    {
        var text = new StringBuilder("#include <stdio.h>\n");
        for (var folder = 0; folder < folders; folder++) text.Append(CultureInfo.InvariantCulture, $"int part_{folder}_1(int x);\n");
        text.Append("int main(void)\n{\n    int x = 1;\n");
        for (var folder = 0; folder < folders; folder++) text.Append(CultureInfo.InvariantCulture, $"    x = part_{folder}_1(x);\n");
        return text.Append("    printf(\"%d\\n\", x);\n    return 0;\n}\n").ToString();
    }
}
