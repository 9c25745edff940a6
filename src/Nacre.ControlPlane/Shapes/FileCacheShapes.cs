namespace Nacre.ControlPlane.Shapes;

/// <summary>UpdateFileCache and DeleteFileCache, as far as it matters while there are no file caches.</summary>
public sealed record FileCacheRequest
{
    public string? FileCacheId { get; init; }
}
