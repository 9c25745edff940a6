using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>The shape of requests about backups, data repository associations and tasks, and file caches.</summary>
internal static class RepositoryShape
{
    private const int MaxFilters = 10;
    private const int MaxTaskFilters = 3;
    private const int MaxPaths = 100;

    public static void Check(CreateBackupRequest request) => new ShapeCheck()
        .Text("fileSystemId", request.FileSystemId, Constraints.FileSystemId)
        .Text("volumeId", request.VolumeId, Constraints.VolumeId)
        .Token(request.ClientRequestToken)
        .Tags("tags", request.Tags)
        .ThrowIfBroken();

    public static void Check(CopyBackupRequest request) => new ShapeCheck()
        .RequiredText("sourceBackupId", request.SourceBackupId, Constraints.BackupId)
        .Text("sourceRegion", request.SourceRegion, Constraints.Region)
        .Text("kmsKeyId", request.KmsKeyId, Constraints.KmsKeyId)
        .Token(request.ClientRequestToken)
        .Tags("tags", request.Tags)
        .ThrowIfBroken();

    public static void Check(DeleteBackupRequest request) => new ShapeCheck()
        .RequiredText("backupId", request.BackupId, Constraints.BackupId)
        .Token(request.ClientRequestToken)
        .ThrowIfBroken();

    public static void Check(DescribeBackupsRequest request) => new ShapeCheck()
        .Ids("backupIds", request.BackupIds, Constraints.BackupId)
        .Filters(request.Filters, MaxFilters, [.. Filters.OfBackups.Keys])
        .Page(request.MaxResults, request.NextToken)
        .ThrowIfBroken();

    public static void Check(CreateDataRepositoryAssociationRequest request) => new ShapeCheck()
        .RequiredText("fileSystemId", request.FileSystemId, Constraints.FileSystemId)
        .Text("fileSystemPath", request.FileSystemPath, Constraints.Namespace)
        .RequiredText("dataRepositoryPath", request.DataRepositoryPath, Constraints.ArchivePath)
        .Number("importedFileChunkSize", request.ImportedFileChunkSize, Constraints.Megabytes)
        .S3(request.S3)
        .Token(request.ClientRequestToken)
        .Tags("tags", request.Tags)
        .ThrowIfBroken();

    public static void Check(UpdateDataRepositoryAssociationRequest request) => new ShapeCheck()
        .RequiredText("associationId", request.AssociationId, Constraints.AssociationId)
        .Number("importedFileChunkSize", request.ImportedFileChunkSize, Constraints.Megabytes)
        .S3(request.S3)
        .Token(request.ClientRequestToken)
        .ThrowIfBroken();

    public static void Check(DeleteDataRepositoryAssociationRequest request) => new ShapeCheck()
        .RequiredText("associationId", request.AssociationId, Constraints.AssociationId)
        .Token(request.ClientRequestToken)
        .ThrowIfBroken();

    public static void Check(DescribeDataRepositoryAssociationsRequest request) => new ShapeCheck()
        .Ids("associationIds", request.AssociationIds, Constraints.AssociationId)
        .Filters(request.Filters, MaxFilters, [.. Filters.OfAssociations.Keys])
        .Page(request.MaxResults, request.NextToken)
        .ThrowIfBroken();

    public static void Check(CreateDataRepositoryTaskRequest request)
    {
        var check = new ShapeCheck();
        check.Required("type", request.Type)
            .OneOf("type", request.Type, TaskTypes.Export, TaskTypes.Import, TaskTypes.Release, TaskTypes.AutoRelease)
            .List("paths", request.Paths, 0, MaxPaths, (item, path) => check.Text(item, path, Constraints.TaskPath))
            .RequiredText("fileSystemId", request.FileSystemId, Constraints.FileSystemId)
            .Required("report", request.Report)
            .OneOf("report.format", request.Report?.Format, "REPORT_CSV_20191124")
            .OneOf("report.scope", request.Report?.Scope, "FAILED_FILES_ONLY")
            .Text("report.path", request.Report?.Path, Constraints.ArchivePath)
            .OneOf("releaseConfiguration.durationSinceLastAccess.unit", request.ReleaseConfiguration?.DurationSinceLastAccess?.Unit, "DAYS")
            .Number(
                "releaseConfiguration.durationSinceLastAccess.value", request.ReleaseConfiguration?.DurationSinceLastAccess?.Value,
                Constraints.LastAccessDays)
            .Token(request.ClientRequestToken)
            .Tags("tags", request.Tags);
        if (request.Report is not null)
        {
            check.Required("report.enabled", request.Report.Enabled);
        }
        check.ThrowIfBroken();
    }

    public static void Check(CancelDataRepositoryTaskRequest request) =>
        new ShapeCheck().RequiredText("taskId", request.TaskId, Constraints.TaskId).ThrowIfBroken();

    public static void Check(DescribeDataRepositoryTasksRequest request) => new ShapeCheck()
        .Ids("taskIds", request.TaskIds, Constraints.TaskId)
        .Filters(request.Filters, MaxTaskFilters, [.. Filters.OfTasks.Keys])
        .Page(request.MaxResults, request.NextToken)
        .ThrowIfBroken();

    public static void Check(FileCacheRequest request) =>
        new ShapeCheck().RequiredText("fileCacheId", request.FileCacheId, Constraints.FileCacheId).ThrowIfBroken();

    private static ShapeCheck S3(this ShapeCheck check, S3DataRepositoryConfiguration? s3) => check
        .Events("s3.autoImportPolicy.events", s3?.AutoImportPolicy)
        .Events("s3.autoExportPolicy.events", s3?.AutoExportPolicy);

    private static ShapeCheck Events(this ShapeCheck check, string member, RepositoryPolicy? policy) =>
        check.List(member, policy?.Events, 0, 3, (item, text) => check.OneOf(item, text, "NEW", "CHANGED", "DELETED"));
}

/// <summary>Values of <c>DataRepositoryTask.Type</c>.</summary>
internal static class TaskTypes
{
    public const string Export = "EXPORT_TO_REPOSITORY";
    public const string Import = "IMPORT_METADATA_FROM_REPOSITORY";
    public const string Release = "RELEASE_DATA_FROM_FILESYSTEM";

    /// <summary>Of file caches only.</summary>
    public const string AutoRelease = "AUTO_RELEASE_DATA";
}
