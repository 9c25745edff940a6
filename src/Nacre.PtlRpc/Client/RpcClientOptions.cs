using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>How an <see cref="RpcClient"/> behaves.</summary>
public sealed record RpcClientOptions
{
    /// <summary>
    /// Opens LNet connections to a peer; called before each connect of an import, so that it may find them there already. Null: the
    /// caller keeps the node connected.
    /// </summary>
    public Func<PeerId, CancellationToken, ValueTask>? Dial { get; init; }

    /// <summary>
    /// Continue awaiting callers on the receive loop that brought the reply. Fast, for callers that never block; others keep the loop
    /// from receiving anything else.
    /// </summary>
    public bool InlineContinuations { get; init; }

    /// <summary>Silence after which an import pings (02 section 9.7).</summary>
    public TimeSpan PingAfter { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>Timeout of requests on connections without adaptive timeouts.</summary>
    public TimeSpan FixedTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>Time the first connect attempt has; each further one has 5 s more, up to 50 s (02 section 9.5).</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pause after a failed connect.</summary>
    public TimeSpan ReconnectDelay { get; init; } = TimeSpan.FromSeconds(1);
}

/// <summary>What an <see cref="Import"/> connects to, and as whom.</summary>
public sealed record ImportOptions
{
    /// <summary>Target to connect to, such as <c>demo01-MDT0000_UUID</c> or <c>MGS</c>.</summary>
    public required string TargetUuid { get; init; }

    public required TargetKind Kind { get; init; }

    public required PeerId Peer { get; init; }

    /// <summary>Other nodes the target may be on, tried in turn after a connect that failed (04 section 6.2, ADD_CONN).</summary>
    public IReadOnlyList<PeerId> FailoverPeers { get; init; } = [];

    /// <summary>Name of this client at the target; one for all targets of a mount, random (02 section 9.1).</summary>
    public required string ClientUuid { get; init; }

    /// <summary>Flags and values asked for at every connect.</summary>
    public required ObdConnectData Wanted { get; init; }

    /// <summary>Answers the server's requests; without it they are refused.</summary>
    public ICallbackHandler? Callbacks { get; init; }

    /// <summary>After this long without a request the import disconnects until the next one (02 section 9.8). Null: never.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Asked before an idle disconnect: false keeps the connection, as long as locks or dirty data are held.</summary>
    public Func<bool>? MayIdle { get; init; }

    /// <summary>
    /// Called when the server has forgotten this client: all locks, opens and requests under way are lost (02 section 9.9). The import
    /// goes on with a new connection afterwards.
    /// </summary>
    public Action<Import>? OnEvicted { get; init; }

    /// <summary>Word 1 and 2 a 2.15 mount asks an MDT for, less the obsolete ones (02 section 10.4).</summary>
    public static ObdConnectData MdtWanted => new()
    {
        Flags = (ConnectFlags)0xAE7E5E7BE344D3B8,
        Flags2 = (ConnectFlags2)0xC1EFFBD,
        Version = ObdConnectData.Version2158,
        BrwSize = 1 << 20,
        IbitsKnown = 0x7F,
        ChecksumTypes = 0xF7,
        Grant = 128 << 20,
        GrantBlkBits = 12,
    };

    /// <summary>Word 1 and 2 a 2.15 mount asks an OST for, less the obsolete ones (02 section 10.4).</summary>
    public static ObdConnectData OstWanted => new()
    {
        Flags = (ConnectFlags)0xA0465AF2E3440078,
        Flags2 = (ConnectFlags2)0x148202,
        Version = ObdConnectData.Version2158,
        BrwSize = 64 << 20,
        ChecksumTypes = 0xF7,
        Grant = 128 << 20,
        GrantBlkBits = 12,
    };

    /// <summary>What a 2.15 MGC asks the MGS for (02 section 10.4).</summary>
    public static ObdConnectData MgsWanted => new()
    {
        Flags = (ConnectFlags)0xA000411001002020,
        Flags2 = ConnectFlags2.RepMbits,
        Version = ObdConnectData.Version2158,
    };
}

/// <summary>States of 02 section 15. Replay is not implemented, so its states do not occur.</summary>
public enum ImportState
{
    Closed = 1,
    New = 2,
    Disconnected = 3,
    Connecting = 4,
    ReplayWait = 7,
    Recover = 8,
    Full = 9,
    Evicted = 10,
    Idle = 11,
}
