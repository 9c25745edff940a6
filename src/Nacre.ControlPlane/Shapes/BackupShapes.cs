namespace Nacre.ControlPlane.Shapes;

/// <summary>A condition of a Describe operation: the named property has one of the values.</summary>
public sealed record Filter
{
    public string? Name { get; init; }

    public IReadOnlyList<string?>? Values { get; init; }
}

/// <summary>What DescribeBackups answers of one backup.</summary>
public sealed record Backup
{
    public required string BackupId { get; init; }

    public required string Lifecycle { get; init; }

    public FailureDetails? FailureDetails { get; init; }

    /// <summary><c>AUTOMATIC</c> or <c>USER_INITIATED</c>.</summary>
    public required string Type { get; init; }

    public int? ProgressPercent { get; init; }

    public required double CreationTime { get; init; }

    public string? KmsKeyId { get; init; }

    public string? ResourceARN { get; init; }

    public IReadOnlyList<Tag> Tags { get; init; } = [];

    /// <summary>The source as it was; stays when the source is gone.</summary>
    public required FileSystem FileSystem { get; init; }

    public string? OwnerId { get; init; }

    public string? SourceBackupId { get; init; }

    public string? SourceBackupRegion { get; init; }

    public string ResourceType { get; init; } = "FILE_SYSTEM";

    public long? SizeInBytes { get; init; }
}

public sealed record CreateBackupRequest
{
    public string? FileSystemId { get; init; }

    public string? VolumeId { get; init; }

    public string? ClientRequestToken { get; init; }

    public IReadOnlyList<Tag?>? Tags { get; init; }
}

public sealed record CopyBackupRequest
{
    public string? ClientRequestToken { get; init; }

    public string? SourceBackupId { get; init; }

    public string? SourceRegion { get; init; }

    public string? KmsKeyId { get; init; }

    public bool? CopyTags { get; init; }

    public IReadOnlyList<Tag?>? Tags { get; init; }
}

public sealed record BackupResponse(Backup Backup);

public sealed record DeleteBackupRequest
{
    public string? BackupId { get; init; }

    public string? ClientRequestToken { get; init; }
}

public sealed record DeleteBackupResponse(string BackupId, string Lifecycle);

public sealed record DescribeBackupsRequest
{
    public IReadOnlyList<string?>? BackupIds { get; init; }

    public IReadOnlyList<Filter?>? Filters { get; init; }

    public int? MaxResults { get; init; }

    public string? NextToken { get; init; }
}

public sealed record DescribeBackupsResponse(IReadOnlyList<Backup> Backups, string? NextToken);
