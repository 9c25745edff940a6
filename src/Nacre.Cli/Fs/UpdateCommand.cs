using System.CommandLine;
using Nacre.ControlPlane.Client;

namespace Nacre.Cli.Fs;

/// <summary><c>nacre fs update</c>.</summary>
internal static class UpdateCommand
{
    public static Command Create(Connection connection, Option<string> output)
    {
        var id = FsCommand.IdArgument();
        var options = Members();
        var wait = WaitOptions.Create();
        var command = new Command("update", "Change a file system, and wait until it is done.") { id };
        foreach (var option in options.All.Concat(wait.All))
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, ct) => FsCommand.RunAsync(connection, parsed, async client =>
        {
            var request = options.Request(parsed);
            if (request.Count == 0)
            {
                throw new FsxException(null, "nothing is to be changed: see nacre fs update --help");
            }

            request["FileSystemId"] = parsed.GetRequiredValue(id);
            var changed = await client.UpdateAsync(request, ct);
            if (wait.IsWanted(parsed))
            {
                changed = await wait.Waiting(parsed, client).UntilUpdatedAsync(changed.FileSystemId, ct);
            }

            if (FsCommand.IsJson(parsed, output)) FsOutput.Json(changed);
            else FsOutput.Details(changed);
        }));
        return command;
    }

    private static RequestOptions Members() => new RequestOptions()
        .Number("--storage-capacity", "StorageCapacity", "GiB; it can only grow.", "GIB")
        .Number("--throughput", "LustreConfiguration/PerUnitStorageThroughput", "MB/s for each TiB.", "MBPS")
        .Text("--compression", "LustreConfiguration/DataCompressionType", "NONE or LZ4; for what is written from now on.", "TYPE")
        .Text("--lustre-version", "FileSystemTypeVersion", "2.12 or 2.15.", "VERSION")
        .Text("--metadata-mode", "LustreConfiguration/MetadataConfiguration/Mode", "AUTOMATIC or USER_PROVISIONED.", "MODE")
        .Number("--metadata-iops", "LustreConfiguration/MetadataConfiguration/Iops", "Metadata operations a second.", "IOPS")
        .Text("--root-squash", "LustreConfiguration/RootSquashConfiguration/RootSquash", "Whom root of a client becomes; 0:0 for nobody.", "UID:GID")
        .Texts("--no-squash-nid", "LustreConfiguration/RootSquashConfiguration/NoSquashNids", "Clients whose root stays root; may be repeated.", "NIDS")
        .Text("--weekly-maintenance", "LustreConfiguration/WeeklyMaintenanceStartTime", "d:HH:MM, 1 is Monday, UTC.", "TIME")
        .Number("--backup-retention-days", "LustreConfiguration/AutomaticBackupRetentionDays", "0 for no automatic backups.", "DAYS")
        .Text("--backup-time", "LustreConfiguration/DailyAutomaticBackupStartTime", "HH:MM, UTC.", "TIME")
        .Text("--token", "ClientRequestToken", "Calls with the same token change it once.", "TOKEN");
}
