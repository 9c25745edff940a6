using System.Text.Json;

namespace Nacre.ControlPlane.Shapes;

// Requests are as the client sent them: any member may be absent, and lists may hold nulls.

/// <summary>Configurations of the other families of file systems: known only to be refused.</summary>
public abstract record FamilyRequest
{
    public JsonElement? WindowsConfiguration { get; init; }

    public JsonElement? OntapConfiguration { get; init; }

    public JsonElement? OpenZFSConfiguration { get; init; }
}

public sealed record CreateFileSystemRequest : FamilyRequest
{
    public string? ClientRequestToken { get; init; }

    public string? FileSystemType { get; init; }

    /// <summary>GiB.</summary>
    public int? StorageCapacity { get; init; }

    public string? StorageType { get; init; }

    public IReadOnlyList<string?>? SubnetIds { get; init; }

    public IReadOnlyList<string?>? SecurityGroupIds { get; init; }

    public IReadOnlyList<Tag?>? Tags { get; init; }

    public string? KmsKeyId { get; init; }

    public string? NetworkType { get; init; }

    public string? FileSystemTypeVersion { get; init; }

    public CreateLustreConfiguration? LustreConfiguration { get; init; }
}

public sealed record CreateLustreConfiguration
{
    public string? WeeklyMaintenanceStartTime { get; init; }

    public string? ImportPath { get; init; }

    public string? ExportPath { get; init; }

    /// <summary>MiB.</summary>
    public int? ImportedFileChunkSize { get; init; }

    public string? DeploymentType { get; init; }

    public string? AutoImportPolicy { get; init; }

    public int? PerUnitStorageThroughput { get; init; }

    public string? DailyAutomaticBackupStartTime { get; init; }

    public int? AutomaticBackupRetentionDays { get; init; }

    public bool? CopyTagsToBackups { get; init; }

    public string? DriveCacheType { get; init; }

    public string? DataCompressionType { get; init; }

    public bool? EfaEnabled { get; init; }

    public LogConfiguration? LogConfiguration { get; init; }

    public RootSquashConfiguration? RootSquashConfiguration { get; init; }

    public MetadataConfiguration? MetadataConfiguration { get; init; }

    public int? ThroughputCapacity { get; init; }

    public DataReadCacheConfiguration? DataReadCacheConfiguration { get; init; }
}

public sealed record CreateFileSystemFromBackupRequest : FamilyRequest
{
    public string? BackupId { get; init; }

    public string? ClientRequestToken { get; init; }

    public IReadOnlyList<string?>? SubnetIds { get; init; }

    public IReadOnlyList<string?>? SecurityGroupIds { get; init; }

    public IReadOnlyList<Tag?>? Tags { get; init; }

    public string? KmsKeyId { get; init; }

    public string? NetworkType { get; init; }

    public string? FileSystemTypeVersion { get; init; }

    public string? StorageType { get; init; }

    public int? StorageCapacity { get; init; }

    public CreateLustreConfiguration? LustreConfiguration { get; init; }
}

/// <summary>Answer of every operation about one file system.</summary>
public sealed record FileSystemResponse(FileSystem FileSystem);

public sealed record DescribeFileSystemsRequest
{
    public IReadOnlyList<string?>? FileSystemIds { get; init; }

    public int? MaxResults { get; init; }

    public string? NextToken { get; init; }
}

public sealed record DescribeFileSystemsResponse(IReadOnlyList<FileSystem> FileSystems, string? NextToken);

public sealed record UpdateFileSystemRequest : FamilyRequest
{
    public string? FileSystemId { get; init; }

    public string? ClientRequestToken { get; init; }

    public int? StorageCapacity { get; init; }

    public string? StorageType { get; init; }

    public string? NetworkType { get; init; }

    public string? FileSystemTypeVersion { get; init; }

    public UpdateLustreConfiguration? LustreConfiguration { get; init; }
}

public sealed record UpdateLustreConfiguration
{
    public string? WeeklyMaintenanceStartTime { get; init; }

    public string? DailyAutomaticBackupStartTime { get; init; }

    public int? AutomaticBackupRetentionDays { get; init; }

    public string? AutoImportPolicy { get; init; }

    public string? DataCompressionType { get; init; }

    public LogConfiguration? LogConfiguration { get; init; }

    public RootSquashConfiguration? RootSquashConfiguration { get; init; }

    public int? PerUnitStorageThroughput { get; init; }

    public MetadataConfiguration? MetadataConfiguration { get; init; }

    public int? ThroughputCapacity { get; init; }

    public DataReadCacheConfiguration? DataReadCacheConfiguration { get; init; }
}

public sealed record DeleteFileSystemRequest : FamilyRequest
{
    public string? FileSystemId { get; init; }

    public string? ClientRequestToken { get; init; }

    public DeleteLustreConfiguration? LustreConfiguration { get; init; }
}

public sealed record DeleteLustreConfiguration
{
    public bool? SkipFinalBackup { get; init; }

    public IReadOnlyList<Tag?>? FinalBackupTags { get; init; }
}

public sealed record DeleteFileSystemResponse(string FileSystemId, string Lifecycle);
