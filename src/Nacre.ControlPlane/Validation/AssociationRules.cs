using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>An association that is asked for, and the file system it is asked for.</summary>
internal sealed record AssociationOrder(CreateDataRepositoryAssociationRequest Request, FileSystem FileSystem);

/// <summary>Which file systems can be associated with a data repository, and how.</summary>
internal static class AssociationRules
{
    public static readonly IReadOnlyList<Rule<AssociationOrder>> All =
    [
        new(
            o => o.FileSystem.LustreConfiguration.DeploymentType == DeploymentType.Scratch1,
            "Data repository associations are unsupported for file systems with DeploymentType SCRATCH_1.")
        {
            Code = ErrorCode.UnsupportedOperation,
        },
        new(
            o => o.FileSystem.StorageType == StorageType.IntelligentTiering,
            "Data repository associations are unsupported for file systems with StorageType INTELLIGENT_TIERING.")
        {
            Code = ErrorCode.UnsupportedOperation,
        },
        new(
            o => o.FileSystem.FileSystemTypeVersion == "2.10",
            "Data repository associations need FileSystemTypeVersion 2.12 or 2.15; this file system has 2.10.")
        {
            Code = ErrorCode.UnsupportedOperation,
        },
        new(
            o => o.FileSystem.LustreConfiguration.DataRepositoryConfiguration is not null,
            "Data repository associations are not allowed on a file system that was created with an ImportPath."),
        new(
            o => o.FileSystem.LustreConfiguration.AutomaticBackupRetentionDays > 0,
            "Data repository associations are not allowed on a file system with automatic backups: set AutomaticBackupRetentionDays to 0 first."),
        new(
            o => o.FileSystem.Lifecycle is FileSystemLifecycle.Deleting or FileSystemLifecycle.Failed,
            o => $"Cannot associate file system {o.FileSystem.FileSystemId} while in {o.FileSystem.Lifecycle} state."),
        new(
            o => o.Request.FileSystemPath is { } path && !path.StartsWith('/'),
            o => $"Invalid FileSystemPath: {o.Request.FileSystemPath}. It must begin with /."),
        new(
            o => RepositoryRules.Bucket(o.Request.DataRepositoryPath!) is null,
            o => $"Invalid DataRepositoryPath: {o.Request.DataRepositoryPath}. Must be s3://bucket or s3://bucket/prefix."),
    ];

    public static readonly IReadOnlyList<Rule<DescribeDataRepositoryAssociationsRequest>> OfListing =
    [
        new(
            r => WrongType(r) is not null,
            r => $"Invalid data-repository-type: {WrongType(r)}. Allowed: S3, NFS.")
        {
            Code = ErrorCode.InvalidDataRepositoryType,
        },
    ];

    private static string? WrongType(DescribeDataRepositoryAssociationsRequest request) => (request.Filters ?? [])
        .Where(filter => filter!.Name == "data-repository-type")
        .SelectMany(filter => filter!.Values ?? [])
        .FirstOrDefault(value => value is not ("S3" or "NFS"));
}
