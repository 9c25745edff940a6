using Nacre.Ldlm.Client;

namespace Nacre.Client.Osc;

/// <summary>Bounds and habits of the data path of a mount.</summary>
internal sealed record DataOptions
{
    /// <summary>Bytes of file data kept in memory, clean and dirty; at least 4 MiB.</summary>
    public long CacheBytes { get; init; } = 256L << 20;

    /// <summary>Bytes written but not sent yet, of each OST.</summary>
    public long DirtyBytesPerTarget { get; init; } = 32L << 20;

    /// <summary>Reads, and as many writes, under way at one OST.</summary>
    public int RequestsInFlight { get; init; } = 8;

    /// <summary>Bytes read ahead of a sequential reader; 0 switches read-ahead off.</summary>
    public long ReadAheadBytes { get; init; } = 8L << 20;

    /// <summary>Age at which dirty data is written without being asked.</summary>
    public TimeSpan WriteBackDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest wait for an OST that a layout names before the configuration does; that comes within 10 s (04 section 8.4).</summary>
    public TimeSpan TargetPatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Checksums over bulk data (06 section 4.8).</summary>
    public bool Checksums { get; init; } = true;

    /// <summary>Name of the job requests belong to.</summary>
    public string? JobId { get; init; }

    public ClientNamespaceOptions Locks { get; init; } = new();

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
