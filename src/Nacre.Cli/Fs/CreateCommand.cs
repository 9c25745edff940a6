using System.CommandLine;

namespace Nacre.Cli.Fs;

/// <summary><c>nacre fs create</c>.</summary>
internal static class CreateCommand
{
    /// <summary>A node has no subnets, but every file system is in one.</summary>
    private const string AnySubnet = "subnet-0123456789abcdef0";

    public static Command Create(Connection connection, Option<string> output)
    {
        var options = Members();
        var wait = WaitOptions.Create();
        var command = new Command("create", "Make a file system, wait until it can be used, and show how to mount it.");
        foreach (var option in options.All.Concat(wait.All))
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, ct) => FsCommand.RunAsync(connection, parsed, async client =>
        {
            var request = options.Request(parsed);
            request["FileSystemType"] = "LUSTRE";
            var made = await client.CreateAsync(request, ct);
            if (wait.IsWanted(parsed))
            {
                made = await wait.Waiting(parsed, client).UntilAvailableAsync(made.FileSystemId, ct);
            }

            if (FsCommand.IsJson(parsed, output)) FsOutput.Json(made);
            else FsOutput.Details(made);
        }));
        return command;
    }

    private static RequestOptions Members() => new RequestOptions()
        .Number("--storage-capacity", "StorageCapacity", "GiB.", "GIB", otherwise: 1200)
        .Text("--deployment-type", "LustreConfiguration/DeploymentType", "SCRATCH_1, SCRATCH_2, PERSISTENT_1 or PERSISTENT_2.", "TYPE", otherwise: "SCRATCH_2")
        .Text("--storage-type", "StorageType", "SSD or HDD.", "TYPE")
        .Number("--throughput", "LustreConfiguration/PerUnitStorageThroughput", "MB/s for each TiB; persistent types need it.", "MBPS")
        .Text("--drive-cache", "LustreConfiguration/DriveCacheType", "NONE or READ; HDD needs it.", "TYPE")
        .Text("--compression", "LustreConfiguration/DataCompressionType", "NONE or LZ4.", "TYPE")
        .Text("--lustre-version", "FileSystemTypeVersion", "2.10, 2.12 or 2.15.", "VERSION", otherwise: "2.15")
        .Text("--metadata-mode", "LustreConfiguration/MetadataConfiguration/Mode", "AUTOMATIC or USER_PROVISIONED.", "MODE")
        .Number("--metadata-iops", "LustreConfiguration/MetadataConfiguration/Iops", "Metadata operations a second.", "IOPS")
        .Text("--root-squash", "LustreConfiguration/RootSquashConfiguration/RootSquash", "Whom root of a client becomes.", "UID:GID")
        .Texts("--no-squash-nid", "LustreConfiguration/RootSquashConfiguration/NoSquashNids", "Clients whose root stays root; may be repeated.", "NIDS")
        .Text("--weekly-maintenance", "LustreConfiguration/WeeklyMaintenanceStartTime", "d:HH:MM, 1 is Monday, UTC.", "TIME")
        .Number("--backup-retention-days", "LustreConfiguration/AutomaticBackupRetentionDays", "0 for no automatic backups.", "DAYS")
        .Text("--kms-key", "KmsKeyId", "Key that encrypts it; persistent types only.", "KEY")
        .Texts("--subnet", "SubnetIds", "Subnet it is in; a node takes any.", "ID", AnySubnet)
        .Texts("--security-group", "SecurityGroupIds", "May be repeated.", "ID")
        .Text("--token", "ClientRequestToken", "Calls with the same token make one file system.", "TOKEN")
        .Tags();
}
