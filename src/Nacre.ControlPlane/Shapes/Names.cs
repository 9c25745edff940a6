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

/// <summary>Values of <c>DeploymentType</c>.</summary>
public static class DeploymentType
{
    public const string Scratch1 = "SCRATCH_1";
    public const string Scratch2 = "SCRATCH_2";
    public const string Persistent1 = "PERSISTENT_1";
    public const string Persistent2 = "PERSISTENT_2";

    public static bool IsScratch(string type) => type is Scratch1 or Scratch2;
}

/// <summary>Values of <c>StorageType</c>.</summary>
public static class StorageType
{
    public const string Ssd = "SSD";
    public const string Hdd = "HDD";
    public const string IntelligentTiering = "INTELLIGENT_TIERING";
}

/// <summary>Values of <c>MetadataConfiguration.Mode</c>.</summary>
public static class MetadataMode
{
    public const string Automatic = "AUTOMATIC";
    public const string UserProvisioned = "USER_PROVISIONED";
}

/// <summary>Values of <c>DataReadCacheConfiguration.SizingMode</c>.</summary>
public static class ReadCacheSizing
{
    public const string None = "NO_CACHE";
    public const string UserProvisioned = "USER_PROVISIONED";
    public const string Proportional = "PROPORTIONAL_TO_THROUGHPUT_CAPACITY";
}

/// <summary>Values of <c>LogConfiguration.Level</c>.</summary>
public static class LogLevels
{
    public const string Disabled = "DISABLED";
    public const string WarnOnly = "WARN_ONLY";
    public const string ErrorOnly = "ERROR_ONLY";
    public const string WarnError = "WARN_ERROR";
}

/// <summary>Codes of refusals: the bare names of the error shapes.</summary>
public static class ErrorCode
{
    public const string BadRequest = "BadRequest";
    public const string BackupNotFound = "BackupNotFound";
    public const string AssociationNotFound = "DataRepositoryAssociationNotFound";
    public const string TaskNotFound = "DataRepositoryTaskNotFound";
    public const string FileCacheNotFound = "FileCacheNotFound";
    public const string FileSystemNotFound = "FileSystemNotFound";
    public const string IncompatibleParameter = "IncompatibleParameterError";
    public const string InvalidDataRepositoryType = "InvalidDataRepositoryType";
    public const string InvalidExportPath = "InvalidExportPath";
    public const string InvalidImportPath = "InvalidImportPath";
    public const string InvalidNetworkSettings = "InvalidNetworkSettings";
    public const string InvalidPerUnitStorageThroughput = "InvalidPerUnitStorageThroughput";
    public const string NotServiceResource = "NotServiceResourceError";
    public const string ResourceNotFound = "ResourceNotFound";
    public const string ServiceLimitExceeded = "ServiceLimitExceeded";
    public const string UnsupportedOperation = "UnsupportedOperation";
    public const string VolumeNotFound = "VolumeNotFound";
}
