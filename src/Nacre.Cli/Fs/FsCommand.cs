using System.CommandLine;
using Nacre.ControlPlane.Client;

namespace Nacre.Cli.Fs;

/// <summary><c>nacre fs</c>: file systems by the FSx API, of a node or of AWS.</summary>
internal static class FsCommand
{
    private const int Failed = 1;

    public static Command Create()
    {
        var connection = new Connection();
        var output = OutputOption();
        var command = new Command("fs", "File systems: make, list, show, change and delete them by the FSx API.")
        {
            CreateCommand.Create(connection, output),
            List(connection, output),
            Show(connection, output),
            UpdateCommand.Create(connection, output),
            DeleteCommand.Create(connection),
        };
        AddTo(command, connection, output);
        return command;
    }

    public static Option<string> OutputOption()
    {
        var output = new Option<string>("--output") { Description = "table or json.", DefaultValueFactory = _ => "table", Recursive = true };
        output.AcceptOnlyFromAmong("table", "json");
        return output;
    }

    public static void AddTo(Command command, Connection connection, Option output)
    {
        foreach (var option in connection.Options)
        {
            command.Options.Add(option);
        }

        command.Options.Add(output);
    }

    public static bool IsJson(ParseResult parsed, Option<string> output) => parsed.GetValue(output) == "json";

    /// <summary>Runs a call; why it fails goes to standard error, in one line.</summary>
    public static async Task<int> RunAsync(Connection connection, ParseResult parsed, Func<FsxClient, Task> call)
    {
        try
        {
            await call(connection.Open(parsed));
            return 0;
        }
        catch (FsxException e)
        {
            await Console.Error.WriteLineAsync($"nacre: {e.Message}");
            return Failed;
        }
    }

    private static Command List(Connection connection, Option<string> output)
    {
        var command = new Command("list", "All Lustre file systems.");
        command.SetAction((parsed, ct) => RunAsync(connection, parsed, async client =>
        {
            var all = await client.ListAsync(ct);
            if (IsJson(parsed, output)) FsOutput.Json(all);
            else FsOutput.Table(all);
        }));
        return command;
    }

    private static Command Show(Connection connection, Option<string> output)
    {
        var id = IdArgument();
        var command = new Command("show", "One file system, with the lines to mount it.") { id };
        command.SetAction((parsed, ct) => RunAsync(connection, parsed, async client =>
        {
            var one = await client.DescribeAsync(parsed.GetRequiredValue(id), ct);
            if (IsJson(parsed, output)) FsOutput.Json(one);
            else FsOutput.Details(one);
        }));
        return command;
    }

    public static Argument<string> IdArgument() => new("ID") { Description = "For instance fs-0123456789abcdef0." };
}
