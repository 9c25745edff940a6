namespace Nacre.ControlPlane.Shapes;

public sealed record TagResourceRequest
{
    public string? ResourceARN { get; init; }

    public IReadOnlyList<Tag?>? Tags { get; init; }
}

public sealed record UntagResourceRequest
{
    public string? ResourceARN { get; init; }

    public IReadOnlyList<string?>? TagKeys { get; init; }
}

public sealed record ListTagsForResourceRequest
{
    public string? ResourceARN { get; init; }

    public int? MaxResults { get; init; }

    public string? NextToken { get; init; }
}

public sealed record ListTagsForResourceResponse(IReadOnlyList<Tag> Tags, string? NextToken);

/// <summary>The answer of operations that have nothing to say: <c>{}</c>.</summary>
public sealed record EmptyResponse;
