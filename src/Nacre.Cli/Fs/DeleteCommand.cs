using System.CommandLine;
using System.Text.Json.Nodes;

namespace Nacre.Cli.Fs;

/// <summary><c>nacre fs delete</c>.</summary>
internal static class DeleteCommand
{
    public static Command Create(Connection connection)
    {
        var id = FsCommand.IdArgument();
        var finalBackup = new Option<bool>("--final-backup") { Description = "Take a backup first; persistent types only." };
        var wait = WaitOptions.Create();
        var command = new Command("delete", "Delete a file system with all its files, and wait until it is gone.") { id, finalBackup };
        foreach (var option in wait.All)
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, ct) => FsCommand.RunAsync(connection, parsed, async client =>
        {
            var request = new JsonObject { ["FileSystemId"] = parsed.GetRequiredValue(id) };
            if (parsed.GetValue(finalBackup))
            {
                request["LustreConfiguration"] = new JsonObject { ["SkipFinalBackup"] = false };
            }

            await client.DeleteAsync(request, ct);
            if (wait.IsWanted(parsed))
            {
                await wait.Waiting(parsed, client).UntilGoneAsync(parsed.GetRequiredValue(id), ct);
            }
        }));
        return command;
    }
}
