namespace Nacre.ControlPlane.Shapes;

/// <summary>What DescribeDataRepositoryTasks answers of one task.</summary>
public sealed record DataRepositoryTask
{
    public required string TaskId { get; init; }

    public required string Lifecycle { get; init; }

    public required string Type { get; init; }

    public required double CreationTime { get; init; }

    public double? StartTime { get; init; }

    public double? EndTime { get; init; }

    public string? ResourceARN { get; init; }

    public IReadOnlyList<Tag> Tags { get; init; } = [];

    public required string FileSystemId { get; init; }

    public IReadOnlyList<string>? Paths { get; init; }

    public FailureDetails? FailureDetails { get; init; }

    public DataRepositoryTaskStatus? Status { get; init; }

    public CompletionReport? Report { get; init; }

    public ReleaseConfiguration? ReleaseConfiguration { get; init; }
}

public sealed record DataRepositoryTaskStatus
{
    public long? TotalCount { get; init; }

    public long? SucceededCount { get; init; }

    public long? FailedCount { get; init; }

    public double? LastUpdatedTime { get; init; }

    /// <summary>GiB.</summary>
    public long? ReleasedCapacity { get; init; }
}

public sealed record CompletionReport
{
    public bool? Enabled { get; init; }

    public string? Path { get; init; }

    public string? Format { get; init; }

    public string? Scope { get; init; }
}

public sealed record ReleaseConfiguration
{
    public DurationSinceLastAccess? DurationSinceLastAccess { get; init; }
}

public sealed record DurationSinceLastAccess
{
    /// <summary><c>DAYS</c>.</summary>
    public string? Unit { get; init; }

    public long? Value { get; init; }
}

public sealed record CreateDataRepositoryTaskRequest
{
    public string? Type { get; init; }

    public IReadOnlyList<string?>? Paths { get; init; }

    public string? FileSystemId { get; init; }

    public CompletionReport? Report { get; init; }

    public string? ClientRequestToken { get; init; }

    public IReadOnlyList<Tag?>? Tags { get; init; }

    public long? CapacityToRelease { get; init; }

    public ReleaseConfiguration? ReleaseConfiguration { get; init; }
}

public sealed record DataRepositoryTaskResponse(DataRepositoryTask DataRepositoryTask);

public sealed record CancelDataRepositoryTaskRequest
{
    public string? TaskId { get; init; }
}

public sealed record CancelDataRepositoryTaskResponse(string TaskId, string Lifecycle);

public sealed record DescribeDataRepositoryTasksRequest
{
    public IReadOnlyList<string?>? TaskIds { get; init; }

    public IReadOnlyList<Filter?>? Filters { get; init; }

    public int? MaxResults { get; init; }

    public string? NextToken { get; init; }
}

public sealed record DescribeDataRepositoryTasksResponse(IReadOnlyList<DataRepositoryTask> DataRepositoryTasks, string? NextToken);
