namespace Nacre.ControlPlane.Shapes;

/// <summary>Values of <c>FileSystem.Lifecycle</c>.</summary>
public static class FileSystemLifecycle
{
    public const string Creating = "CREATING";
    public const string Available = "AVAILABLE";
    public const string Updating = "UPDATING";
    public const string Misconfigured = "MISCONFIGURED";
    public const string Deleting = "DELETING";
    public const string Failed = "FAILED";
}

/// <summary>Values of <c>AdministrativeAction.Status</c>.</summary>
public static class ActionStatus
{
    public const string Pending = "PENDING";
    public const string InProgress = "IN_PROGRESS";
    public const string UpdatedOptimizing = "UPDATED_OPTIMIZING";
    public const string Completed = "COMPLETED";
    public const string Failed = "FAILED";
}

/// <summary>Values of <c>AdministrativeAction.AdministrativeActionType</c> that Lustre file systems have.</summary>
public static class ActionType
{
    public const string FileSystemUpdate = "FILE_SYSTEM_UPDATE";
    public const string StorageOptimization = "STORAGE_OPTIMIZATION";
}
