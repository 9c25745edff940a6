namespace Nacre.PtlRpc;

/// <summary>How an <see cref="RpcServer"/> behaves. Every bound on what clients can make it hold is here.</summary>
public sealed record RpcServerOptions
{
    /// <summary>Clients of one target; further ones are told to try again (-EAGAIN).</summary>
    public int MaxExportsPerTarget { get; init; } = 10_000;

    /// <summary>
    /// Requests of one export in progress; beyond it they are dropped and the client resends. Cancels and closes, which others wait
    /// for, may be as many again.
    /// </summary>
    public int MaxRequestsPerExport { get; init; } = 256;

    /// <summary>Longest request, bytes; longer ones are dropped.</summary>
    public int MaxRequestBytes { get; init; } = (1 << 20) + (64 << 10);

    /// <summary>
    /// Bytes of all requests that wait for something. A client node may have as many waiting as are left of it; beyond that its
    /// requests are dropped and resent.
    /// </summary>
    public long MaxWaitingBytes { get; init; } = 256L << 20;

    /// <summary>Size of the pool that bulk data passes through, bytes; shared as told at <see cref="BulkBufferPool"/>.</summary>
    public long BulkPoolBytes { get; init; } = 256L << 20;

    /// <summary>Silence after which an export is suspicious (six ping intervals, 02 section 9.7).</summary>
    public TimeSpan SuspectAfter { get; init; } = TimeSpan.FromSeconds(150);

    /// <summary>Further silence after which it is evicted.</summary>
    public TimeSpan EvictAfterSuspicion { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>
    /// Silence after which an export is evicted when another run of its node has connected from its address. A client that lives
    /// pings every 25 s.
    /// </summary>
    public TimeSpan EvictOrphanAfter { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>
    /// Seconds: least estimate told to clients. They wait estimate * 1.25 + 5, so 5 gives them 11 s before they suspect the
    /// server, where an idle genuine one gives 6.
    /// </summary>
    public int MinimumEstimate { get; init; } = 5;

    /// <summary>Seconds: largest estimate, and longest a request may be drawn out by early replies (<c>at_max</c>).</summary>
    public int MaximumEstimate { get; init; } = 600;

    /// <summary>Seconds before a deadline at which the early reply leaves (<c>at_early_margin</c>).</summary>
    public int EarlyMargin { get; init; } = 5;

    /// <summary>Seconds an early reply asks for (<c>at_extra</c>).</summary>
    public int EarlyExtra { get; init; } = 30;

    /// <summary>
    /// Whether a target of this UUID was here and is gone for good: its clients are told to give up (-EACCES, 02 section 9.5) instead of
    /// trying again. Asked only about targets that are not served.
    /// </summary>
    public Func<string, bool>? IsRemoved { get; init; }

    /// <summary>Longest bulk transfer, and deadline of requests without adaptive timeouts (<c>obd_timeout</c>).</summary>
    public TimeSpan BulkTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>Time one copy of a request to a client has before it is sent again.</summary>
    public TimeSpan CallbackResendAfter { get; init; } = TimeSpan.FromSeconds(7);
}
