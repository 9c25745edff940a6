using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>Which file systems can be backed up.</summary>
internal static class BackupRules
{
    public static readonly IReadOnlyList<Rule<FileSystem>> All =
    [
        new(
            fs => DeploymentType.IsScratch(fs.LustreConfiguration.DeploymentType!),
            fs => $"Backups of file systems with DeploymentType {fs.LustreConfiguration.DeploymentType} are "
                + "unsupported. Allowed: PERSISTENT_1, PERSISTENT_2.")
        {
            Code = ErrorCode.UnsupportedOperation,
        },
        new(fs => fs.LustreConfiguration.DataRepositoryConfiguration is not null, "Backups of file systems linked to S3 are unsupported.")
        {
            Code = ErrorCode.UnsupportedOperation,
        },
        new(
            fs => fs.Lifecycle == FileSystemLifecycle.Failed,
            fs => $"Cannot take backup while {fs.FileSystemId} is in FAILED and the file system storage is unhealthy"),
        new(
            fs => fs.Lifecycle is FileSystemLifecycle.Creating or FileSystemLifecycle.Deleting,
            fs => $"Cannot take backup while {fs.FileSystemId} is in {fs.Lifecycle}"),
    ];
}
