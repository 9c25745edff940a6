using Nacre.LNet;
using Nacre.PtlRpc.Timing;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>
/// A request of a client in the hands of a handler. Pooled: valid until the handler's task completes.
/// <para>The bulk operations are in RpcRequest.Bulk.cs, the timing in RpcRequest.Timing.cs.</para>
/// </summary>
public sealed partial class RpcRequest : IncomingRpc
{
    private readonly RpcServer _server;

    /// <summary>
    /// Guards what another thread may touch while the handler runs: deadline, match bits, peer, and the three states below.
    /// Taken inside <see cref="Export.Gate"/>, never around it.
    /// </summary>
    private readonly Lock _state = new();
    private RpcService _service = null!;

    /// <summary>Counts the uses of this object, so that a late deadline of an earlier use is recognised.</summary>
    private int _version;

    /// <summary>The handler is done: nothing must be sent any more but the final reply.</summary>
    private bool _finished;

    /// <summary>Bulk descriptors of the client were or are being used; a resent copy needs its own transfer (02 section 6.6).</summary>
    private bool _bulkStarted;

    /// <summary>A newer copy is executed instead; this one must not be answered.</summary>
    private bool _superseded;

    private ulong _matchBits;
    private uint _connectionCount;
    private bool _adaptive;

    /// <summary>Whom the bytes of this request are counted against while it waits.</summary>
    private RpcPeer? _waitsFor;

    internal RpcRequest(RpcServer server)
    {
        _server = server;
        _deadlineNode = new DeadlineNode(this);
        _onHandlerDone = OnHandlerDone;
    }

    public Export Export { get; private set; } = null!;

    public IRpcTarget Target => Export.Target;

    /// <summary>
    /// Transaction number given to the operation; 0 when it changed nothing or failed. It is never sent together with a negative
    /// status: on an open that crashes a kernel client (02 section 19).
    /// </summary>
    public ulong Transno { get; set; }

    /// <summary>Versions of the touched objects before the change (02 section 13.7), else zeros.</summary>
    public ref PtlrpcBody.PreVersionArray PreVersions => ref _preVersions;

    private PtlrpcBody.PreVersionArray _preVersions;

    /// <summary>
    /// Whether the packed reply is kept to answer a resend. Null lets the engine decide: an MDT keeps those with a transno; OST
    /// operations may be executed again (02 section 12.4).
    /// </summary>
    public bool? KeepReply { get; set; }

    /// <summary>
    /// A newer copy of the request is executed instead, or will be: this one must not change anything any more, for what it
    /// brings may be older than what the client has sent since.
    /// </summary>
    public bool IsSuperseded
    {
        get
        {
            lock (_state)
            {
                return _superseded;
            }
        }
    }

    /// <summary>Fires when the export is closed. A mere reconnect does not fire it: the request goes on and answers the resent copy.</summary>
    public CancellationToken Aborted => Export.Closed;

    /// <summary>The client's part of the bulk pool.</summary>
    public BulkShare BulkShare => Export.Client.Bulk;

    internal RpcService Service => _service;

    internal bool IsDropped => Dropped;

    internal int Bytes => MessageSize;

    internal void Begin(RpcService service, Export export, in IncomingPut put, LustreMessage message, in PtlrpcBody body, long now)
    {
        Load(message, body);
        _service = service;
        Export = export;
        Xid = put.MatchBits;
        Peer = put.Source;
        Self = put.Self;
        Portal = put.Portal;
        _matchBits = body.MatchBits;
        _connectionCount = body.ConnectionCount;
        _adaptive = (message.Header.Flags & MessageFlags.AdaptiveTimeouts) != 0;
        BeginTiming(body.Timeout, now);
    }

    /// <summary>
    /// Makes this running request answer a resent copy: its deadline, match bits and origin from now on (02 section 6.6). False when
    /// the copy has to be executed itself, because this one has used up the bulk descriptors of an earlier copy.
    /// </summary>
    internal bool TryAdopt(in IncomingPut put, in PtlrpcBody copy, bool adaptive, long now)
    {
        lock (_state)
        {
            if (_bulkStarted)
            {
                _superseded = true;
                return false;
            }

            _matchBits = copy.MatchBits;
            _connectionCount = copy.ConnectionCount;
            _adaptive = adaptive;
            Peer = put.Source;
            Self = put.Self;
            RenewDeadline(copy.Timeout, now);
            return true;
        }
    }

    /// <summary>The client has gone on to another connection: transfers of the old one are worthless.</summary>
    internal void OnReconnect()
    {
        lock (_state)
        {
            _superseded |= _bulkStarted;
        }
    }

    /// <summary>A newer request uses the same slot: nobody waits for this one any more (INC_XID, 02 section 12.5).</summary>
    internal void Supersede()
    {
        lock (_state)
        {
            _superseded = true;
        }
    }

    /// <summary>Ends the use of everything a timer might do. True when the reply is to be sent.</summary>
    internal bool Finish()
    {
        lock (_state)
        {
            _finished = true;
            return !Dropped && !_superseded;
        }
    }

    /// <summary>Where the reply goes (02 section 6.3).</summary>
    internal ulong ReplyMatchBits => Export.Has(ConnectFlags2.RepMbits) && _matchBits != 0 ? _matchBits : Xid;

    /// <summary>The rule of 02 section 6.4, by the flags of the request itself.</summary>
    internal uint ReplyOffset => _adaptive ? MessageLayout.EarlyReplySize : 0u;

    /// <summary>Packs the reply. Valid until the request is given back.</summary>
    internal ReadOnlyMemory<byte> BuildReply(long now)
    {
        var error = EndsAsError();
        if (ReplyBuilder.BufferCount == 0)
        {
            ReplyBuilder.Start([]);
        }

        ref var body = ref ReplyBuilder.Body;
        body.Type = error ? MessageType.Error : MessageType.Reply;
        body.Version = ServiceVersion.Message;
        body.Opcode = Opcode;
        body.Status = Status;
        body.Transno = Status < 0 ? 0 : Transno;
        body.PreVersions = _preVersions;
        body.Timeout = (uint)_service.Estimate.Current(now);
        body.ServiceTime = (uint)ServiceSeconds(now);
        _server.FillTargetState(ref body, Export, _service, error);
        return ReplyBuilder.FinishMemory();
    }

    /// <summary>Whether the reply has to be remembered, once it is built.</summary>
    internal bool ShouldKeepReply => KeepReply ?? (Transno != 0 && Status >= 0 && Target.Kind == TargetKind.Mdt);

    internal bool EndsAsError() => FailedAsRpc && !(Status is -Errno.ENOSPC or -Errno.EACCES or -Errno.EPERM or -Errno.ENOENT
        or -Errno.EINPROGRESS or -Errno.EDQUOT);

    internal void End()
    {
        lock (_state)
        {
            _version++;
            _finished = false;
            _bulkStarted = false;
            _superseded = false;
        }

        Clear();
        Export = null!;
        Transno = 0;
        KeepReply = null;
        _preVersions = default;
        _suspended = false;
        _waitsFor = null;
    }
}
