using System.CommandLine;
using System.Net.Sockets;
using Nacre.Bench.Floor;
using Nacre.Bench.Loads;
using Nacre.Bench.Measurement;

namespace Nacre.Bench.Commands;

/// <summary><c>load</c>: drives a server and prints each figure beside the floor of the same run.</summary>
internal static class LoadCommand
{
    private static readonly Argument<string[]> Names = new("loads")
    {
        Description = "Which loads: names, or their beginnings (getattr, read-1m, write). Default: all.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<int?> Concurrency = new("--concurrency") { Description = "Operations in flight, instead of each load's own." };
    private static readonly Option<int?> SizeKib = new("--size") { Description = "KiB an I/O moves, instead of the load's own: a multiple of 4; above 1024, of 1024." };
    private static readonly Option<int> Clients = new("--clients") { Description = "Clients (LNet nodes), one thread each.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Runs = new("--runs") { Description = "Runs of each load and each floor; medians are shown.", DefaultValueFactory = _ => 5 };
    private static readonly Option<double> Seconds = new("--seconds") { Description = "Length of a run.", DefaultValueFactory = _ => 2 };
    private static readonly Option<double> WarmUp = new("--warm-up") { Description = "Seconds each load runs before it counts.", DefaultValueFactory = _ => 4 };
    private static readonly Option<int> Files = new("--files") { Description = "Files that getattr and stat go through.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<int> WorkingSet = new("--working-set") { Description = "MiB that a client's reads and writes go through.", DefaultValueFactory = _ => 256 };
    private static readonly Option<string?> JsonFile = new("--json") { Description = "Also write the report to this file, as JSON." };
    private static readonly Option<string?> MarkdownFile = new("--markdown") { Description = "Also write the report to this file, as Markdown." };

    public static Command Make()
    {
        var command = new Command("load", "Drives a server with RPCs and prints what it reaches beside the floor of the same run.")
        {
            Names, Concurrency, SizeKib, Clients, Runs, Seconds, WarmUp, Files, WorkingSet, JsonFile, MarkdownFile,
        };
        ServerOptions.AddTo(command);
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult options)
    {
        try
        {
            var specs = Select(options);
            using var server = ServerOptions.Open(options);
            Measure(options, specs, server);
            return 0;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or SocketException or TimeoutException or ArgumentException)
        {
            Console.Error.WriteLine($"nacre-bench: {e.Message}");
            return 1;
        }
    }

    private static void Measure(ParseResult options, IReadOnlyList<LoadSpec> specs, OpenedServer server)
    {
        var settings = new RunSettings(
            options.GetValue(Runs), TimeSpan.FromSeconds(options.GetValue(Seconds)), TimeSpan.FromSeconds(options.GetValue(WarmUp)));
        var sizes = new LoadSettings(options.GetValue(Files), (long)options.GetValue(WorkingSet) << 20);
        using var floor = FloorProcess.Start();
        var clients = new List<ClientSession>();
        try
        {
            for (var i = 0; i < options.GetValue(Clients); i++) clients.Add(new ClientSession(server.Address, i, server.Osts));
            var runner = new LoadRunner(clients, floor, settings, server.ProcessId);
            Console.Out.WriteLine(ReportWriter.Machine());
            Console.Out.WriteLine();
            Console.Out.WriteLine(ReportWriter.TableHead);
            var reports = new List<LoadReport>();
            foreach (var spec in specs)
            {
                reports.Add(runner.Run(spec, sizes));
                Console.Out.WriteLine(ReportWriter.Row(reports[^1]));
            }

            if (options.GetValue(JsonFile) is { } json) File.WriteAllText(json, ReportWriter.ToJson(reports, settings));
            if (options.GetValue(MarkdownFile) is { } markdown) File.WriteAllText(markdown, ReportWriter.ToMarkdown(reports));
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    /// <exception cref="ArgumentException">A name that no load has, or a size that no I/O can have.</exception>
    private static List<LoadSpec> Select(ParseResult options)
    {
        var names = options.GetValue(Names) ?? [];
        foreach (var name in names)
        {
            if (!LoadSpec.Suite.Any(spec => spec.Name.StartsWith(name, StringComparison.Ordinal)))
            {
                var known = string.Join(", ", LoadSpec.Suite.Select(spec => spec.Name).Distinct());
                throw new ArgumentException($"no load is called '{name}'; there are {known}");
            }
        }

        var size = options.GetValue(SizeKib) * 1024;
        if (size is { } bytes && (bytes <= 0 || bytes % (bytes > 1 << 20 ? 1 << 20 : 4096) != 0 || bytes > 64 << 20))
        {
            throw new ArgumentException("--size is a multiple of 4, or above 1024 a multiple of 1024, and at most 65536");
        }

        var selected = LoadSpec.Suite
            .Where(spec => names.Length == 0 || names.Any(name => spec.Name.StartsWith(name, StringComparison.Ordinal)))
            .Select(spec => Adapt(spec, options.GetValue(Concurrency), size))
            // Where rows become the same, the one that was meant so has the target.
            .GroupBy(spec => (spec.Name, spec.Concurrency))
            .Select(same => same.FirstOrDefault(spec => spec.Target is not null) ?? same.First());
        return [.. selected];
    }

    /// <summary>A target holds for the concurrency and size it was set for, and for no other.</summary>
    private static LoadSpec Adapt(LoadSpec spec, int? concurrency, int? size)
    {
        var adapted = spec with { Concurrency = concurrency ?? spec.Concurrency, Size = spec.Size > 0 ? size ?? spec.Size : 0 };
        return adapted == spec ? spec : adapted with { Target = null };
    }
}
