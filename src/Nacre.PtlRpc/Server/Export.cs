using System.Diagnostics.CodeAnalysis;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>The server's record of one client of one target (02 section 9.10).</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "The token sources have neither timers nor wait handles; without those there is nothing to dispose.")]
public sealed partial class Export
{
    private readonly CancellationTokenSource _closed = new();
    private CancellationTokenSource _connection = new();
    private ObdConnectData _connectData;
    private ulong[] _newestByTag = [];
    private RpcPeer _client = new(default);
    private bool _isOrphan;
    private int _closing;

    internal Export(RpcServer server, RpcTargetState state, string clientUuid, ulong handle)
    {
        Server = server;
        State = state;
        ClientUuid = clientUuid;
        Handle = handle;
    }

    /// <summary>The client's UUID: one for all targets of a mount.</summary>
    public string ClientUuid { get; }

    /// <summary>What the client puts into pb_handle. Random; never used twice.</summary>
    public ulong Handle { get; }

    /// <summary>What this server puts into pb_handle of its requests to the client.</summary>
    public ulong ClientHandle { get; private set; }

    /// <summary>Where the last connect came from, and where requests to the client go.</summary>
    public PeerId Peer { get; private set; }

    /// <summary>Local NID the client talks to.</summary>
    public Nid Self { get; private set; }

    public IRpcTarget Target => State.Target;

    /// <summary>The client's connection counter at its last connect.</summary>
    public uint ConnCount { get; private set; }

    /// <summary>What was granted at the last connect.</summary>
    public ref readonly ObdConnectData ConnectData => ref _connectData;

    /// <summary>The client's release as of its last connect, ocd_version; 0 when it did not say. What was granted carries the server's.</summary>
    public uint ClientVersion { get; internal set; }

    /// <summary>True when all these flags were granted.</summary>
    public bool Has(ConnectFlags flags) => _connectData.Has(flags);

    /// <summary>True when all these flags of word 2 were granted.</summary>
    public bool Has(ConnectFlags2 flags) => _connectData.Has(flags);

    /// <summary>For the lock manager.</summary>
    public object? LockState { get; set; }

    /// <summary>For the target: open handles, grants.</summary>
    public object? ServiceState { get; set; }

    /// <summary>Replies kept for resends.</summary>
    public ReplyRecords Replies { get; } = new();

    /// <summary>Fires when the export is closed, for whatever reason.</summary>
    public CancellationToken Closed => _closed.Token;

    public bool IsClosed => Volatile.Read(ref _closing) != 0;

    /// <summary>Number of requests in progress.</summary>
    public int RequestsInProgress
    {
        get
        {
            lock (Gate)
            {
                return InProgress.Count;
            }
        }
    }

    public override string ToString() => $"{ClientUuid} at {Peer.Nid} on {Target.Uuid}";

    /// <summary>The node it has connected from. Before the first connect is complete, one of its own.</summary>
    internal RpcPeer Client
    {
        get => Volatile.Read(ref _client);
        set => Volatile.Write(ref _client, value);
    }

    /// <summary>The run of the node that made the last connect (01 section 4.7); guarded by <see cref="Client"/>.</summary>
    internal ulong Incarnation { get; set; }

    /// <summary>Another run of the node has connected since this client was heard of.</summary>
    internal bool IsOrphan
    {
        get => Volatile.Read(ref _isOrphan);
        set => Volatile.Write(ref _isOrphan, value);
    }

    /// <summary>Milliseconds at which it became an orphan.</summary>
    internal long OrphanedAt { get; set; }

    internal RpcServer Server { get; }

    internal RpcTargetState State { get; }

    /// <summary>Guards everything below. Inside it only the states of requests and leaves (wheel, records) are locked.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Requests being executed, for duplicates and for -EBUSY at a reconnect.</summary>
    internal Dictionary<ulong, RpcRequest> InProgress { get; } = [];

    /// <summary>A connect of this client is being worked on (guarded by the target state's gate).</summary>
    internal bool Connecting { get; set; }

    /// <summary>The sender part of lm_secflvr, which must not change (02 section 2.6).</summary>
    internal byte SecurityPart { get; private set; }

    /// <summary>Highest pb_last_xid since the last connect.</summary>
    internal ulong HighestLastXid { get; set; }

    /// <summary>Milliseconds of the last request. Read by the ping evictor without a lock.</summary>
    internal long LastHeard;

    internal bool IsSuspected { get; set; }

    /// <summary>Fires when the client reconnects or the export is closed: bulk of the old connection is worthless.</summary>
    internal CancellationToken Connection => _connection.Token;

    /// <summary>Takes over what a successful connect brought. Returns the source to cancel once no lock is held.</summary>
    internal CancellationTokenSource Adopt(in ConnectRequest request, in ObdConnectData granted, long now)
    {
        lock (Gate)
        {
            var old = _connection;
            _connection = new CancellationTokenSource();
            Peer = request.Peer;
            Self = request.Self;
            ClientHandle = request.ClientHandle;
            ConnCount = request.ConnectionCount;
            SecurityPart = request.SecurityPart;
            HighestLastXid = 0;
            LastHeard = now;
            IsSuspected = false;
            IsOrphan = false;
            _connectData = granted;
            ResizeTags();
            foreach (var running in InProgress.Values)
            {
                running.OnReconnect();
            }

            return old;
        }
    }

    /// <summary>
    /// The address belongs to another run of the node now. Returns the source to cancel once no lock is held: it ends transfers, and
    /// makes callbacks go out again, which that other run answers at once.
    /// </summary>
    internal CancellationTokenSource Orphan(long now)
    {
        lock (Gate)
        {
            var old = _connection;
            _connection = new CancellationTokenSource();
            OrphanedAt = now;
            IsOrphan = true;
            foreach (var running in InProgress.Values)
            {
                running.OnReconnect();
            }

            return old;
        }
    }

    /// <summary>
    /// Lets a target build its answer before the client's data is final, in <see cref="IRpcTarget.Negotiate"/>: peer and identity of a
    /// new export are known there.
    /// </summary>
    internal void Introduce(in ConnectRequest request)
    {
        Peer = request.Peer;
        Self = request.Self;
        ClientHandle = request.ClientHandle;
    }

    /// <summary>True the first time. Callbacks of the tokens run here, so no lock may be held.</summary>
    internal bool TryClose()
    {
        if (Interlocked.Exchange(ref _closing, 1) != 0)
        {
            return false;
        }

        CancellationTokenSource connection;
        lock (Gate)
        {
            connection = _connection;
        }

        _closed.Cancel();
        connection.Cancel();
        return true;
    }

    /// <summary>
    /// Notes a modifying request in its slot (02 section 12.5). False when the slot has seen a newer request already, which with
    /// INC_XID is an error of the client. Called under the gate.
    /// </summary>
    internal bool TryUseTag(ushort tag, ulong xid, bool repeated)
    {
        if (tag == 0 || tag >= _newestByTag.Length)
        {
            return true;
        }

        var newest = _newestByTag[tag];
        var increasing = Has(ConnectFlags2.IncXid);
        if (increasing && xid < newest)
        {
            return false;
        }

        if (increasing && xid > newest && InProgress.TryGetValue(newest, out var obsolete))
        {
            obsolete.Supersede();
        }

        _newestByTag[tag] = Math.Max(newest, xid);
        if (!repeated)
        {
            Replies.ReleaseTag(tag, xid);
        }

        return true;
    }

    private void ResizeTags()
    {
        // One slot more than granted: a close may come in addition. Index 0 is unused.
        var wanted = Has(ConnectFlags.Multimodrpcs) ? _connectData.MaxModRpcs + 2 : 0;
        if (wanted > _newestByTag.Length)
        {
            Array.Resize(ref _newestByTag, wanted);
        }
    }
}
