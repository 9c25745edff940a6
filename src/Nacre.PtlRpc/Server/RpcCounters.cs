namespace Nacre.PtlRpc;

/// <summary>Running totals of one target.</summary>
public sealed class RpcCounters
{
    private long _requests;
    private long _replies;
    private long _errors;
    private long _dropped;
    private long _earlyReplies;
    private long _resendsAnswered;
    private long _duplicates;
    private long _bulkRead;
    private long _bulkWritten;
    private long _evictions;

    /// <summary>Requests given to a handler.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    public long Replies => Interlocked.Read(ref _replies);

    /// <summary>Replies at the level of the RPC (02 section 3.2); a file that does not exist is not one.</summary>
    public long Errors => Interlocked.Read(ref _errors);

    /// <summary>Requests left without an answer.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    public long EarlyReplies => Interlocked.Read(ref _earlyReplies);

    /// <summary>Resent requests answered from the kept reply.</summary>
    public long ResendsAnswered => Interlocked.Read(ref _resendsAnswered);

    /// <summary>Copies of requests that were still running.</summary>
    public long Duplicates => Interlocked.Read(ref _duplicates);

    /// <summary>Bytes moved to clients.</summary>
    public long BulkRead => Interlocked.Read(ref _bulkRead);

    /// <summary>Bytes moved from clients.</summary>
    public long BulkWritten => Interlocked.Read(ref _bulkWritten);

    public long Evictions => Interlocked.Read(ref _evictions);

    internal void CountRequest() => Interlocked.Increment(ref _requests);

    internal void CountReply(bool error)
    {
        Interlocked.Increment(ref _replies);
        if (error)
        {
            Interlocked.Increment(ref _errors);
        }
    }

    internal void CountDropped() => Interlocked.Increment(ref _dropped);

    internal void CountEarlyReply() => Interlocked.Increment(ref _earlyReplies);

    internal void CountResendAnswered() => Interlocked.Increment(ref _resendsAnswered);

    internal void CountDuplicate() => Interlocked.Increment(ref _duplicates);

    internal void CountBulkRead(long bytes) => Interlocked.Add(ref _bulkRead, bytes);

    internal void CountBulkWritten(long bytes) => Interlocked.Add(ref _bulkWritten, bytes);

    internal void CountEviction() => Interlocked.Increment(ref _evictions);
}
