using Microsoft.Extensions.Logging;
using Nacre.Ldlm.Client;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Osc;

/// <summary>Bounds and habits of the data path of a mount.</summary>
internal sealed record DataOptions
{
    /// <summary>Bytes of file data kept in memory, clean and dirty.</summary>
    public long CacheBytes { get; init; } = 256L << 20;

    /// <summary>Bytes written but not sent yet, of each OST.</summary>
    public long DirtyBytesPerTarget { get; init; } = 32L << 20;

    /// <summary>Reads and writes under way at one OST.</summary>
    public int RequestsInFlight { get; init; } = 8;

    /// <summary>Bytes read ahead of a sequential reader.</summary>
    public long ReadAheadBytes { get; init; } = 32L << 20;

    /// <summary>Age at which dirty data is written without being asked.</summary>
    public TimeSpan WriteBackDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Checksums over bulk data (06 section 4.8).</summary>
    public bool Checksums { get; init; } = true;

    /// <summary>Name of the job requests belong to.</summary>
    public string? JobId { get; init; }

    public ClientNamespaceOptions Locks { get; init; } = new();

    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>The object side of a mount: its OSTs, and the memory their data is cached in.</summary>
internal sealed class DataClient : IAsyncDisposable
{
    public DataClient(DataOptions options, ILoggerFactory logging)
    {
    }

    /// <summary>What to ask an OST for at connect, by the options.</summary>
    public ObdConnectData Wanted => throw new NotImplementedException();

    /// <summary>
    /// An OST of the configuration. The import's <see cref="ImportOptions.Callbacks"/> must lead to <see cref="ObjectTarget.Locks"/>,
    /// its OnEvicted to <see cref="ObjectTarget.OnEvicted"/> and MayIdle to <see cref="ObjectTarget.MayIdle"/>.
    /// </summary>
    /// <param name="index">The number layouts know it by.</param>
    public ObjectTarget AddTarget(int index, Import import) => throw new NotImplementedException();

    public ObjectTarget? FindTarget(int index) => throw new NotImplementedException();

    /// <summary>Writes everything back: sync, unmount.</summary>
    public ValueTask FlushAsync(CancellationToken ct) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
