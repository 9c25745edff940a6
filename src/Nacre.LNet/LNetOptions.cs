namespace Nacre.LNet;

/// <summary>How an <see cref="LNetNode"/> behaves. Every bound on what a peer can make the node hold is here.</summary>
public sealed record LNetOptions
{
    public const int DefaultPort = 988;

    /// <summary>The NID served, which clients name in their mount command.</summary>
    public required Nid LocalNid { get; init; }

    /// <summary>Port peers are dialled at when the caller names none.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>Process id shown to peers; kernels accept only 12345 (01 section 2.4).</summary>
    public uint LocalPid { get; init; } = PeerId.LustrePid;

    /// <summary>
    /// Identifies this run of the node; 0 takes the wall clock in nanoseconds at construction. It must differ after a
    /// restart and never change before (01 section 4.7).
    /// </summary>
    public ulong Incarnation { get; init; }

    /// <summary>
    /// Accept callers whose source port is above 1023 (a kernel's <c>accept=all</c>, but their HELLO is trusted).
    /// </summary>
    public bool AcceptUnprivilegedPorts { get; init; } = true;

    /// <summary>
    /// Dial from source ports 1023 downwards to 512, as kernel acceptors demand by default (01 section 3.1).
    /// </summary>
    public bool DialFromPrivilegedPorts { get; init; }

    /// <summary>HELLO version offered when dialling: 3, or 2 for old peers.</summary>
    public int HelloVersion { get; init; } = 3;

    /// <summary>
    /// Largest buffer a connection parses messages in, bytes. Idle connections hold a sixteenth of it or less.
    /// </summary>
    public int ReceiveBufferBytes { get; init; } = 256 << 10;

    /// <summary>
    /// Longest PUT taken on a served portal, bytes; longer ones are dropped as by a kernel whose request buffers are
    /// smaller.
    /// </summary>
    public int MaxRequestBytes { get; init; } = 1 << 20;

    /// <summary>
    /// Connections of one peer; a kernel opens 1 + 2 * <c>conns_per_peer</c> (at most 11). Beyond it, the peer's oldest of
    /// the same type is closed.
    /// </summary>
    public int MaxConnectionsPerPeer { get; init; } = 32;

    /// <summary>Peers at a time; connections of further ones are closed.</summary>
    public int MaxPeers { get; init; } = 4096;

    /// <summary>Connections that have not finished their HELLO; beyond it the oldest is closed.</summary>
    public int MaxHandshakes { get; init; } = 256;

    /// <summary>
    /// Copied bytes waiting for one connection; a peer that lets them grow further is disconnected. Bulk payloads, which
    /// stay where they are, do not count.
    /// </summary>
    public long MaxQueuedBytesPerConnection { get; init; } = 8 << 20;

    /// <summary>Bulk transfers and pings under way at a time; further ones fail at once.</summary>
    public int MaxPendingOperations { get; init; } = 1 << 16;

    /// <summary>Time for the acceptor request, and again for the HELLO (<c>accept_timeout</c>).</summary>
    public TimeSpan AcceptTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// No byte of a message begun, no byte of queued output taken, no answer to our HELLO for this long: the connection is
    /// dead.
    /// </summary>
    public TimeSpan LndTimeout { get; init; } = TimeSpan.FromSeconds(50);

    /// <summary>
    /// After this much silence a keepalive NOOP leaves on version 3 connections; null sends none (01 section 8.3).
    /// </summary>
    public TimeSpan? Keepalive { get; init; }

    /// <summary>How often timeouts are looked for; they are late by up to this much.</summary>
    public TimeSpan TimerResolution { get; init; } = TimeSpan.FromMilliseconds(100);
}
