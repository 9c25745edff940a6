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
        IsUnsettled = IsUnsettled,
    };

    private static bool IsUnsettled(FileSystemEntry entry) =>
        entry.Description.Lifecycle is FileSystemLifecycle.Creating or FileSystemLifecycle.Deleting
        || (entry.Description.AdministrativeActions ?? []).Any(action =>
            action.Status is ActionStatus.Pending or ActionStatus.InProgress or ActionStatus.UpdatedOptimizing);
}
