using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Catalog;

/// <summary>
/// What the catalog keeps of a file system: what is answered, and what only the servers' side needs. The desired state is the description
/// together with its pending actions; the reconciler makes the servers follow it.
/// </summary>
public sealed record FileSystemEntry
{
    public required FileSystem Description { get; init; }

    /// <summary>Checked at creation, never answered (as FSx does).</summary>
    public IReadOnlyList<string> SecurityGroupIds { get; init; } = [];

    /// <summary>OSTs the servers have been given; 0 before the first.</summary>
    public int OstCount { get; init; }

    /// <summary>When the last growth of capacity was asked for, epoch seconds; the next has to wait (6 hours on FSx).</summary>
    public double? LastCapacityRequest { get; init; }

    /// <summary>Likewise for throughput, of either kind.</summary>
    public double? LastThroughputRequest { get; init; }

    /// <summary>Likewise for metadata IOPS.</summary>
    public double? LastMetadataRequest { get; init; }

    /// <summary>Likewise for the read cache.</summary>
    public double? LastReadCacheRequest { get; init; }
}
