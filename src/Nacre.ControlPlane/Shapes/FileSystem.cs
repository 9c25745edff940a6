namespace Nacre.ControlPlane.Shapes;

/// <summary>
/// What DescribeFileSystems answers of one file system, members as in the service model. Immutable: the catalog keeps it as it is answered.
/// Null members are left out of the JSON. Times are epoch seconds with a fraction (Go clients refuse anything else).
/// </summary>
public sealed record FileSystem
{
    public required string OwnerId { get; init; }

    public required double CreationTime { get; init; }

    public required string FileSystemId { get; init; }

    /// <summary>Always <c>LUSTRE</c>.</summary>
    public string FileSystemType { get; init; } = "LUSTRE";

    public required string Lifecycle { get; init; }

    public FailureDetails? FailureDetails { get; init; }

    /// <summary>GiB; absent for INTELLIGENT_TIERING.</summary>
    public int? StorageCapacity { get; init; }

    public required string StorageType { get; init; }

    public string? VpcId { get; init; }

    public IReadOnlyList<string>? SubnetIds { get; init; }

    /// <summary>One entry a server, the first being the one to mount; absent while CREATING.</summary>
    public IReadOnlyList<string>? NetworkInterfaceIds { get; init; }

    // CSI drivers read it from the create answer without a null check.
    public required string DNSName { get; init; }

    public string? KmsKeyId { get; init; }

    public required string ResourceARN { get; init; }

    public IReadOnlyList<Tag> Tags { get; init; } = [];

    public required LustreFileSystemConfiguration LustreConfiguration { get; init; }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<AdministrativeAction>? AdministrativeActions { get; init; }

    public required string FileSystemTypeVersion { get; init; }
}

public sealed record FailureDetails(string Message);

public sealed record Tag(string Key, string Value);

/// <summary>The Lustre part of a file system, as answered.</summary>
public sealed record LustreFileSystemConfiguration
{
    /// <summary><c>d:HH:MM</c>, 1 = Monday, UTC.</summary>
    public string? WeeklyMaintenanceStartTime { get; init; }

    public DataRepositoryConfiguration? DataRepositoryConfiguration { get; init; }

    public string? DeploymentType { get; init; }

    /// <summary>MB/s per TiB.</summary>
    public int? PerUnitStorageThroughput { get; init; }

    public string? MountName { get; init; }

    /// <summary><c>HH:MM</c>, UTC.</summary>
    public string? DailyAutomaticBackupStartTime { get; init; }

    /// <summary>Days; 0 for none.</summary>
    public int? AutomaticBackupRetentionDays { get; init; }

    public bool? CopyTagsToBackups { get; init; }

    public string? DriveCacheType { get; init; }

    public string? DataCompressionType { get; init; }

    public LogConfiguration? LogConfiguration { get; init; }

    public RootSquashConfiguration? RootSquashConfiguration { get; init; }

    public MetadataConfiguration? MetadataConfiguration { get; init; }

    public bool? EfaEnabled { get; init; }

    /// <summary>MB/s; INTELLIGENT_TIERING only.</summary>
    public int? ThroughputCapacity { get; init; }

    public DataReadCacheConfiguration? DataReadCacheConfiguration { get; init; }
}

public sealed record DataRepositoryConfiguration
{
    public string? Lifecycle { get; init; }

    public string? ImportPath { get; init; }

    public string? ExportPath { get; init; }

    /// <summary>MiB.</summary>
    public int? ImportedFileChunkSize { get; init; }

    public string? AutoImportPolicy { get; init; }

    public FailureDetails? FailureDetails { get; init; }
}

public sealed record LogConfiguration
{
    public string? Level { get; init; }

    public string? Destination { get; init; }
}

public sealed record RootSquashConfiguration
{
    /// <summary><c>uid:gid</c>.</summary>
    public string? RootSquash { get; init; }

    public IReadOnlyList<string>? NoSquashNids { get; init; }
}

public sealed record MetadataConfiguration
{
    public int? Iops { get; init; }

    public string? Mode { get; init; }
}

public sealed record DataReadCacheConfiguration
{
    public string? SizingMode { get; init; }

    public int? SizeGiB { get; init; }
}

/// <summary>A change under way or done, as FSx reports it.</summary>
public sealed record AdministrativeAction
{
    public required string AdministrativeActionType { get; init; }

    /// <summary>STORAGE_OPTIMIZATION only.</summary>
    public int? ProgressPercent { get; init; }

    public required double RequestTime { get; init; }

    public required string Status { get; init; }

    /// <summary>The changed members only; present on every FILE_SYSTEM_UPDATE, as CSI drivers read it without a null check.</summary>
    public TargetFileSystemValues? TargetFileSystemValues { get; init; }

    public FailureDetails? FailureDetails { get; init; }
}

/// <summary>What an update changes: a file system with the changed members only.</summary>
public sealed record TargetFileSystemValues
{
    public int? StorageCapacity { get; init; }

    public string? FileSystemTypeVersion { get; init; }

    public LustreFileSystemConfiguration? LustreConfiguration { get; init; }
}
