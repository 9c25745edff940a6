namespace Nacre.Server.Storage.Objects;

/// <summary>Configuration of an <see cref="ObjectStore"/>.</summary>
public sealed record ObjectStoreOptions
{
    /// <summary>Bytes the target may use. Nothing is reserved for them: the store is thin-provisioned.</summary>
    public required long CapacityBytes { get; init; }

    /// <summary>Objects kept open when nobody uses them. More are open while in use or not flushed yet.</summary>
    public int MaxOpenObjects { get; init; } = 1024;

    /// <summary>Bytes of free space that belong to others, asked for whenever space is counted; null for none.</summary>
    public Func<long>? Withheld { get; init; }

    /// <summary>How long completed changes may stay in the page cache only: what a power cut can take.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(1);
}
