using System.CommandLine;
using Nacre.FilesystemBench.Isolation;
using Nacre.FilesystemBench.Processes;

namespace Nacre.FilesystemBench;

/// <summary>The command line.</summary>
internal static class RunCommand
{
    private const int FullRounds = 5;

    private static readonly Option<string[]> Only = new("--only")
    {
        Description = "Which workloads: names, or their beginnings (read-seq, metadata, source). Default: all.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string[]> On = new("--on")
    {
        Description = "Which file systems: local, bindfs, nacre, glusterfs, moosefs, ceph-fuse. Default: all that are installed.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<int?> Rounds = new("--rounds") { Description = $"Rounds; medians are shown. Default: {FullRounds}, and 1 with --quick." };
    private static readonly Option<bool> Quick = new("--quick") { Description = "Little data and no warm-up: shows that everything works." };
    private static readonly Option<string> Folder = new("--folder") { Description = "Where all data is kept: choose the disk by it.", DefaultValueFactory = _ => Path.GetTempPath() };

    private static readonly Option<int> Memory = new("--memory-disk")
    {
        Description = "GiB of an ext4 in memory to keep all data on instead, where the disk is slow or not one's own; 0 for none.",
    };

    private static readonly Option<string?> Nacre = new("--nacre") { Description = "The nacre command. Default: that of the source tree." };
    private static readonly Option<int> Osts = new("--osts") { Description = "OSTs of Nacre's file system.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string> MountOptions = new("--mount-options") { Description = "-o of nacre mount.", DefaultValueFactory = _ => "" };
    private static readonly Option<string?> JsonFile = new("--json") { Description = "Also write every value to this file, as JSON." };
    private static readonly Option<string?> MarkdownFile = new("--markdown") { Description = "Also write the report to this file." };

    public static Command Make()
    {
        var command = new RootCommand("Measures Nacre mounted through FUSE beside the local file system, bare FUSE and other network file systems.")
        {
            Only, On, Rounds, Quick, Folder, Memory, Nacre, Osts, MountOptions, JsonFile, MarkdownFile,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken ct)
    {
        try
        {
            var options = Read(parsed);
            if (OwnNamespaces.Folder is { } folder) return await BenchRun.RunAsync(options, folder);
            // Outside, where there is a network, for it may have to be built.
            if (Measures(options, "nacre")) await Tool.RunAsync(options.Launcher, ["--version"], TimeSpan.FromMinutes(15), ct);
            return OwnNamespaces.RunInside(Environment.GetCommandLineArgs()[1..], parsed.GetRequiredValue(Folder));
        }
        catch (Exception e) when (e is ToolException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"nacre-fsbench: {e.Message}");
            return 1;
        }
    }

    private static bool Measures(RunOptions options, string fileSystem) => options.On.Count == 0 || options.On.Contains(fileSystem);

    private static RunOptions Read(ParseResult parsed)
    {
        var quick = parsed.GetValue(Quick);
        var rounds = parsed.GetValue(Rounds) ?? (quick ? 1 : FullRounds);
        if (rounds < 1) throw new ToolException("--rounds is at least 1");
        return new RunOptions
        {
            Only = parsed.GetValue(Only) ?? [],
            On = parsed.GetValue(On) ?? [],
            Settings = quick ? Settings.Quick(rounds) : Settings.Full(rounds),
            MemoryGib = parsed.GetValue(Memory),
            Launcher = parsed.GetValue(Nacre) is { } launcher ? Path.GetFullPath(launcher) : FindLauncher(),
            Osts = parsed.GetValue(Osts),
            MountOptions = parsed.GetValue(MountOptions) ?? "",
            JsonFile = FullPath(parsed.GetValue(JsonFile)),
            MarkdownFile = FullPath(parsed.GetValue(MarkdownFile)),
        };
    }

    private static string? FullPath(string? path) => path is null ? null : Path.GetFullPath(path);

    private static string FindLauncher()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var launcher = Path.Combine(folder.FullName, "nacre");
            if (File.Exists(launcher) && File.Exists(Path.Combine(folder.FullName, "Nacre.slnx"))) return launcher;
        }

        return "nacre";
    }
}

/// <summary>What the command line says.</summary>
internal sealed record RunOptions
{
    /// <summary>Beginnings of workloads' names; all when empty.</summary>
    public required IReadOnlyList<string> Only { get; init; }

    /// <summary>Names of file systems; all when empty.</summary>
    public required IReadOnlyList<string> On { get; init; }

    public required Settings Settings { get; init; }

    /// <summary>GiB; 0 for the folder's own disk.</summary>
    public required int MemoryGib { get; init; }

    /// <summary>The <c>nacre</c> command.</summary>
    public required string Launcher { get; init; }

    public required int Osts { get; init; }

    public required string MountOptions { get; init; }

    public required string? JsonFile { get; init; }

    public required string? MarkdownFile { get; init; }
}
