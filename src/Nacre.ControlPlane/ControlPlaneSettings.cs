namespace Nacre.ControlPlane;

/// <summary>What whoever runs the node decides about the API.</summary>
public sealed record ControlPlaneSettings
{
    /// <summary>The region of ARNs. Clients may sign for another one.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>The first part of ARNs behind <c>arn:</c>.</summary>
    public string Partition { get; init; } = "aws";

    /// <summary>File systems are called <c>fs-ID.SUFFIX</c>, which a name service has to know; null: they are called by the node's address.</summary>
    public string? DnsSuffix { get; init; }

    /// <summary>
    /// Time that has to pass between two requests to change capacity, throughput, metadata IOPS or read cache. FSx: 6 hours, because it
    /// copies data meanwhile; here nothing is copied.
    /// </summary>
    public TimeSpan ScalingInterval { get; init; } = TimeSpan.Zero;

    public Quotas Quotas { get; init; } = new();
}

/// <summary>Bounds an account, ten times those FSx begins with. Scratch, PERSISTENT_1 and PERSISTENT_2 count apart.</summary>
public sealed record Quotas
{
    /// <summary>File systems of each of the three.</summary>
    public int FileSystems { get; init; } = 1_000;

    /// <summary>GiB of all file systems of one of the three together.</summary>
    public long StorageGib { get; init; } = 1_008_000;

    /// <summary>MB/s of all INTELLIGENT_TIERING file systems together.</summary>
    public long ThroughputCapacity { get; init; } = 1_000_000;
}
