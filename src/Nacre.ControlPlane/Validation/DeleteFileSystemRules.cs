using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>A file system that is to go, and what was asked for it.</summary>
internal sealed record FileSystemDeletion(FileSystem FileSystem, DeleteFileSystemRequest Request);

internal static class DeleteFileSystemRules
{
    public static readonly IReadOnlyList<Rule<FileSystemDeletion>> All =
    [
        new(
            d => FamilyRules.Foreign(d.Request) is not null,
            d => $"{FamilyRules.Foreign(d.Request)} cannot be applied to delete a LUSTRE file system."),
        new(
            d => d.Request.LustreConfiguration is not null && DeploymentType.IsScratch(d.FileSystem.LustreConfiguration.DeploymentType!),
            d => "LustreConfiguration cannot be applied to delete a file system with DeploymentType "
                + $"{d.FileSystem.LustreConfiguration.DeploymentType}."),
        // Removing the data without the backup that was asked for would lose it.
        new(
            d => d.Request.LustreConfiguration?.SkipFinalBackup == false,
            "SkipFinalBackup false is not available: this version of Nacre has no backups yet. Nothing was deleted."),
    ];
}
