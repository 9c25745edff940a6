using Microsoft.Extensions.Logging;

namespace Nacre.Server.Storage;

/// <summary>Cannot open a store: wrong format, in use, damaged. The message is one line for the operator.</summary>
public sealed class MetadataStoreException(string message, Exception? inner = null) : Exception(message, inner);

public sealed record MetadataStoreOptions
{
    /// <summary>Stored in a new database, compared with an old one; also the fsname.</summary>
    public string FileSystemName { get; init; } = "";
    /// <summary>Bound of the cache of inodes and directory entries, in bytes.</summary>
    public long CacheBytes { get; init; } = 128L << 20;
    /// <summary>SQLite page cache in bytes.</summary>
    public long PageCacheBytes { get; init; } = 64L << 20;
    /// <summary>Longest time changes stay uncommitted when nobody waits.</summary>
    public TimeSpan CommitInterval { get; init; } = TimeSpan.FromMilliseconds(5);
    /// <summary>How often committed changes go to the disk when nobody syncs.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(1);
    /// <summary>WAL size in bytes from which a checkpoint runs in the background; at four times that it holds up new operations.</summary>
    public long CheckpointBytes { get; init; } = 64L << 20;
}

/// <summary>
/// The transactional store of one MDT: a SQLite database in WAL mode with group commit. Operations run under
/// <see cref="Gate"/> inside one open transaction; a committer commits it when someone waits or after a few milliseconds.
/// </summary>
public sealed partial class MetadataStore : IDisposable
{
    /// <summary>Guards the store and every <c>MdtFileSystem</c> on it. Never held over an await.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Opens or creates the database file at <paramref name="path"/>. Removes orphans of the last run.</summary>
    /// <exception cref="MetadataStoreException">In use, newer format, other file system, damaged.</exception>
    public static MetadataStore Open(string path, MetadataStoreOptions options, TimeProvider time, ILogger log)
        => throw new NotImplementedException();

    public string FileSystemName => throw new NotImplementedException();

    /// <summary>Number of the transaction now collecting changes.</summary>
    public ulong OpenTransaction => throw new NotImplementedException();
    /// <summary>The open transaction if it holds changes, else 0.</summary>
    public ulong PendingTransaction => throw new NotImplementedException();
    public ulong CommittedTransaction => throw new NotImplementedException();
    /// <summary>Highest transno such that it and all before it are committed: pb_last_committed.</summary>
    public ulong CommittedTransno => throw new NotImplementedException();

    /// <summary>Next transaction number for a reply: epoch in the high 32 bits (grows at every start), counter in the low.
    /// Under <see cref="Gate"/>.</summary>
    public ulong NextTransno() => throw new NotImplementedException();

    /// <summary>Completes after COMMIT of the transaction (survives kill -9); at once for 0 and committed ones. Fails with
    /// FsException ENOSPC or EIO when the transaction was rolled back. Call without the gate.</summary>
    public ValueTask WhenCommitted(ulong transaction) => throw new NotImplementedException();

    /// <summary>Commits and waits for the disk: everything done before the call survives a power cut.</summary>
    public ValueTask SyncAsync() => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
