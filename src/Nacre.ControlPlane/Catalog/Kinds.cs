using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Catalog;

/// <summary>The kinds of resources the catalog keeps.</summary>
internal static class Kinds
{
    public static readonly ResourceKind<FileSystemEntry> FileSystem = new()
    {
        Table = CatalogSchema.FileSystems,
        Json = ShapesJson.Default.FileSystemEntry,
        Id = entry => entry.Description.FileSystemId,
        Account = entry => entry.Description.OwnerId,
        // One node serves a mount name once.
        Name = entry => entry.Description.LustreConfiguration.MountName,
        Usage = entry => UsageOf(entry.Description),
        IsUnsettled = entry => entry.Description.Lifecycle is FileSystemLifecycle.Creating or FileSystemLifecycle.Deleting
            || (entry.Description.AdministrativeActions ?? []).Any(Actions.IsUnsettled),
    };

    public static readonly ResourceKind<BackupEntry> Backup = new()
    {
        Table = CatalogSchema.Backups,
        Json = ShapesJson.Default.BackupEntry,
        Id = entry => entry.Description.BackupId,
        Account = entry => entry.Description.OwnerId ?? "",
        Parent = entry => entry.Description.FileSystem.FileSystemId,
        IsUnsettled = entry => entry.Description.Lifecycle is not ("AVAILABLE" or "FAILED"),
    };

    public static readonly ResourceKind<AssociationEntry> Association = new()
    {
        Table = CatalogSchema.Associations,
        Json = ShapesJson.Default.AssociationEntry,
        Id = entry => entry.Description.AssociationId,
        Account = entry => entry.OwnerId,
        Parent = entry => entry.Description.FileSystemId,
        IsUnsettled = entry => entry.Description.Lifecycle is not ("AVAILABLE" or "FAILED"),
    };

    public static readonly ResourceKind<TaskEntry> Task = new()
    {
        Table = CatalogSchema.Tasks,
        Json = ShapesJson.Default.TaskEntry,
        Id = entry => entry.Description.TaskId,
        Account = entry => entry.OwnerId,
        Parent = entry => entry.Description.FileSystemId,
        IsUnsettled = entry => entry.Description.Lifecycle is "PENDING" or "EXECUTING" or "CANCELING",
    };

    // Growth that is under way counts from the request on.
    private static Usage UsageOf(FileSystem fileSystem)
    {
        var targets = (fileSystem.AdministrativeActions ?? []).Where(Actions.IsUnsettled).Select(action => action.TargetFileSystemValues);
        return new Usage(
            FileSystemClass.Of(fileSystem.LustreConfiguration.DeploymentType ?? ""),
            Math.Max(fileSystem.StorageCapacity ?? 0, targets.Max(target => target?.StorageCapacity) ?? 0),
            Math.Max(
                fileSystem.LustreConfiguration.ThroughputCapacity ?? 0,
                targets.Max(target => target?.LustreConfiguration?.ThroughputCapacity) ?? 0));
    }
}

/// <summary>Quotas are kept apart for scratch, PERSISTENT_1 and PERSISTENT_2 file systems.</summary>
internal static class FileSystemClass
{
    public static string Of(string deploymentType) => DeploymentType.IsScratch(deploymentType) ? "SCRATCH" : deploymentType;
}
