using System.Globalization;
using System.Text.Json;
using Nacre.ControlPlane.Client;
using Nacre.ControlPlane.Shapes;
using Spectre.Console;

namespace Nacre.Cli.Fs;

/// <summary>Shows what the API answers, as tables or as its own JSON.</summary>
internal static class FsOutput
{
    public static void Json(FileSystem one) => Console.WriteLine(JsonSerializer.Serialize(one, Indented.FileSystem));

    public static void Json(IEnumerable<FileSystem> all) => Console.WriteLine(JsonSerializer.Serialize([.. all], Indented.FileSystemArray));

    public static void Json(IEnumerable<Tag> tags) => Console.WriteLine(JsonSerializer.Serialize([.. tags], Indented.TagArray));

    public static void Table(IReadOnlyList<FileSystem> all)
    {
        var table = Plain("ID", "NAME", "STATE", "TYPE", "GIB", "MOUNT NAME", "DNS NAME");
        foreach (var one in all)
        {
            table.AddRow(Row(
                one.FileSystemId,
                one.Tags.FirstOrDefault(tag => tag.Key == "Name")?.Value ?? "",
                one.Lifecycle,
                Kind(one),
                Number(one.StorageCapacity),
                one.LustreConfiguration.MountName ?? "",
                one.DNSName));
        }

        Write(table);
    }

    public static void Table(IReadOnlyList<Tag> tags)
    {
        var table = Plain("KEY", "VALUE");
        foreach (var tag in tags)
        {
            table.AddRow(Row(tag.Key, tag.Value));
        }

        Write(table);
    }

    /// <summary>All that is worth knowing of one, with the lines to mount it.</summary>
    public static void Details(FileSystem one)
    {
        var table = Plain("", "");
        table.HideHeaders();
        foreach (var (name, value) in Facts(one).Where(fact => !string.IsNullOrEmpty(fact.Value)))
        {
            table.AddRow(Row(name, value!));
        }

        Write(table);
        foreach (var action in one.AdministrativeActions ?? [])
        {
            Console.WriteLine($"  {Describe(action)}");
        }

        if (one.Lifecycle is FileSystemLifecycle.Available or FileSystemLifecycle.Updating)
        {
            Console.WriteLine();
            foreach (var line in MountLines.Of(one))
            {
                Console.WriteLine(line);
            }
        }
    }

    public static string Describe(AdministrativeAction action)
    {
        var progress = action.ProgressPercent is { } percent ? $" {percent.ToString(CultureInfo.InvariantCulture)} %" : "";
        var why = action.FailureDetails is { } failure ? $": {failure.Message}" : "";
        return $"{action.AdministrativeActionType} {action.Status}{progress}{why}";
    }

    private static IEnumerable<(string Name, string? Value)> Facts(FileSystem one)
    {
        var lustre = one.LustreConfiguration;
        yield return ("id", one.FileSystemId);
        yield return ("state", one.FailureDetails is { } failure ? $"{one.Lifecycle}: {failure.Message}" : one.Lifecycle);
        yield return ("type", Kind(one));
        yield return ("capacity", one.StorageCapacity is { } gib ? $"{Number(gib)} GiB" : null);
        yield return ("Lustre version", one.FileSystemTypeVersion);
        yield return ("mount name", lustre.MountName);
        yield return ("DNS name", one.DNSName);
        yield return ("interfaces", one.NetworkInterfaceIds is { } ids ? string.Join(' ', ids) : null);
        yield return ("compression", lustre.DataCompressionType);
        yield return ("metadata IOPS", lustre.MetadataConfiguration is { } metadata ? $"{Number(metadata.Iops)} ({metadata.Mode})" : null);
        yield return ("root squash", lustre.RootSquashConfiguration is { } squash
            ? $"{squash.RootSquash} {string.Join(' ', squash.NoSquashNids?.Select(nid => $"except {nid}") ?? [])}".TrimEnd()
            : null);
        yield return ("maintenance", lustre.WeeklyMaintenanceStartTime);
        yield return ("tags", string.Join(' ', one.Tags.Select(tag => $"{tag.Key}={tag.Value}")));
        yield return ("ARN", one.ResourceARN);
    }

    private static string Kind(FileSystem one)
    {
        var throughput = one.LustreConfiguration.PerUnitStorageThroughput is { } perTib ? $" {Number(perTib)}" : "";
        return $"{one.LustreConfiguration.DeploymentType} {one.StorageType}{throughput}";
    }

    private static string Number(int? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static Table Plain(params string[] columns)
    {
        var table = new Table { Border = TableBorder.None };
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(Markup.Escape(column)).NoWrap());
        }

        return table;
    }

    private static Text[] Row(params string[] cells) => [.. cells.Select(cell => new Text(cell))];

    /// <summary>Where the output is no terminal, a line may be as long as it has to: programs read it.</summary>
    private static void Write(Table table)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = Console.IsOutputRedirected ? short.MaxValue : AnsiConsole.Profile.Width;
        console.Write(table);
        foreach (var line in text.ToString().TrimEnd('\n').Split('\n'))
        {
            // Columns are filled up with blanks, the last one too.
            Console.WriteLine(line.TrimEnd());
        }
    }

    private static readonly ClientJson Indented = new(new JsonSerializerOptions(ClientJson.Default.Options) { WriteIndented = true });
}
