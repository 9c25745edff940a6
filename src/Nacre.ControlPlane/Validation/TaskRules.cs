using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>A task that is asked for, and the file system it is asked for.</summary>
internal sealed record TaskOrder(CreateDataRepositoryTaskRequest Request, FileSystem FileSystem);

/// <summary>Which data repository tasks there can be.</summary>
internal static class TaskRules
{
    public static readonly IReadOnlyList<Rule<TaskOrder>> All =
    [
        new(
            o => o.Request.Type == TaskTypes.AutoRelease || o.Request.CapacityToRelease is not null,
            "AUTO_RELEASE_DATA and CapacityToRelease are for file caches.")
        {
            Code = ErrorCode.UnsupportedOperation,
        },
        new(
            o => o.Request.Type == TaskTypes.Release && o.FileSystem.FileSystemTypeVersion == "2.10",
            "RELEASE_DATA_FROM_FILESYSTEM needs FileSystemTypeVersion 2.12 or 2.15; this file system has 2.10.")
        {
            Code = ErrorCode.UnsupportedOperation,
        },
        new(
            o => o.Request.Report is { Enabled: true, Path: null } or { Enabled: true, Format: null } or { Enabled: true, Scope: null },
            "Report with Enabled true needs Path, Format REPORT_CSV_20191124 and Scope FAILED_FILES_ONLY."),
        new(
            o => o.Request.ReleaseConfiguration is not null && o.Request.Type != TaskTypes.Release,
            o => $"ReleaseConfiguration is allowed with Type RELEASE_DATA_FROM_FILESYSTEM only; Type is {o.Request.Type}."),
        new(
            o => o.FileSystem.Lifecycle is not (FileSystemLifecycle.Available or FileSystemLifecycle.Updating),
            o => $"Cannot create a data repository task while file system {o.FileSystem.FileSystemId} is in "
                + $"{o.FileSystem.Lifecycle} state."),
        new(
            o => o.FileSystem.LustreConfiguration.DataRepositoryConfiguration is null,
            o => $"File system {o.FileSystem.FileSystemId} is not linked to a data repository."),
    ];
}
