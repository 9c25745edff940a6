namespace Nacre.ControlPlane.Shapes;

/// <summary>What DescribeDataRepositoryAssociations answers of one association.</summary>
public sealed record DataRepositoryAssociation
{
    public required string AssociationId { get; init; }

    public required string ResourceARN { get; init; }

    public required string FileSystemId { get; init; }

    public required string Lifecycle { get; init; }

    public FailureDetails? FailureDetails { get; init; }

    /// <summary>As it was given.</summary>
    public required string FileSystemPath { get; init; }

    /// <summary>As it was given.</summary>
    public required string DataRepositoryPath { get; init; }

    public bool BatchImportMetaDataOnCreate { get; init; }

    /// <summary>MiB.</summary>
    public int ImportedFileChunkSize { get; init; }

    public S3DataRepositoryConfiguration? S3 { get; init; }

    public IReadOnlyList<Tag> Tags { get; init; } = [];

    public required double CreationTime { get; init; }
}

public sealed record S3DataRepositoryConfiguration
{
    public RepositoryPolicy? AutoImportPolicy { get; init; }

    public RepositoryPolicy? AutoExportPolicy { get; init; }
}

/// <summary>AutoImportPolicy and AutoExportPolicy, which have the same members.</summary>
public sealed record RepositoryPolicy
{
    /// <summary>Of <c>NEW</c>, <c>CHANGED</c>, <c>DELETED</c>, in the order given.</summary>
    public IReadOnlyList<string?>? Events { get; init; }
}

public sealed record CreateDataRepositoryAssociationRequest
{
    public string? FileSystemId { get; init; }

    public string? FileSystemPath { get; init; }

    public string? DataRepositoryPath { get; init; }

    public bool? BatchImportMetaDataOnCreate { get; init; }

    public int? ImportedFileChunkSize { get; init; }

    public S3DataRepositoryConfiguration? S3 { get; init; }

    public string? ClientRequestToken { get; init; }

    public IReadOnlyList<Tag?>? Tags { get; init; }
}

public sealed record UpdateDataRepositoryAssociationRequest
{
    public string? AssociationId { get; init; }

    public string? ClientRequestToken { get; init; }

    public int? ImportedFileChunkSize { get; init; }

    public S3DataRepositoryConfiguration? S3 { get; init; }
}

public sealed record AssociationResponse(DataRepositoryAssociation Association);

public sealed record DeleteDataRepositoryAssociationRequest
{
    public string? AssociationId { get; init; }

    public string? ClientRequestToken { get; init; }

    public bool? DeleteDataInFileSystem { get; init; }
}

public sealed record DeleteDataRepositoryAssociationResponse(string AssociationId, string Lifecycle, bool DeleteDataInFileSystem);

public sealed record DescribeDataRepositoryAssociationsRequest
{
    public IReadOnlyList<string?>? AssociationIds { get; init; }

    public IReadOnlyList<Filter?>? Filters { get; init; }

    public int? MaxResults { get; init; }

    public string? NextToken { get; init; }
}

public sealed record DescribeDataRepositoryAssociationsResponse(IReadOnlyList<DataRepositoryAssociation> Associations, string? NextToken);
