using Microsoft.Extensions.Logging;
using Nacre.Ldlm;
using Nacre.Ldlm.Wire;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Ost;

/// <summary>
/// An object storage target: answers the OST_* RPCs and holds the extent locks of its objects. Protocol reference 06.
/// <para>
/// Transactions: a change gets its number before it is applied, and is in the page cache before the reply, which survives a
/// killed server. So <see cref="LastCommitted"/> follows the changes that are finished, and no client ever replays to this
/// target; a restart evicts (02 section 14). A full recovery would number changes in a journal instead and let the number
/// follow the flush.
/// </para>
/// <para>
/// Waiting: a request waits for a lock before it rents buffers, and for buffers before it locks a range of the object. Who
/// holds buffers therefore never waits for another client, and the flush that a lock waits for always finds some.
/// </para>
/// </summary>
public sealed partial class OstTarget : IRpcTarget, IObjectTarget, ILdlmHost, IAsyncDisposable
{
    private readonly OstOptions _options;
    private readonly IObjectStore _store;
    private readonly RpcServer _server;
    private readonly ILogger _log;
    private readonly LogRateLimit _checksumLines;
    private readonly LogRateLimit _diskLines;
    private readonly LdlmNamespace _locks;
    private readonly GrantLedger _grants;
    private readonly RpcOperationTable _operations;
    private readonly BrwContextPool _contexts;
    private readonly TransactionNumbers _transactions;
    private volatile bool _stopped;

    /// <param name="store">Owned from now on: disposed with the target.</param>
    /// <param name="server">Its pool must hold one RPC's buffers at least.</param>
    public OstTarget(OstOptions options, IObjectStore store, RpcServer server, TimeProvider time, ILogger<OstTarget> log)
    {
        CheckOptions(options, server);
        _options = options;
        _store = store;
        _server = server;
        _log = log;
        _checksumLines = new LogRateLimit(time);
        _diskLines = new LogRateLimit(time);
        _transactions = new TransactionNumbers((ulong)store.Epoch << 32);
        _grants = new GrantLedger(store, options.BrwSize, options.GrantTaxKiB << 10);
        _contexts = new BrwContextPool(options.BrwSize / BulkSplit.MaxMdBytes);
        _locks = new LdlmNamespace(
            options.TargetName, this, new LdlmOptions { ClientTypes = LockTypes.Extent }, time, log);
        _operations = new RpcOperationTable(
            new(Opcode.OstRead, ReadAsync),
            new(Opcode.OstWrite, WriteAsync, OperationFlags.Modifies),
            new(Opcode.OstGetattr, GetAttributesAsync),
            new(Opcode.OstSetattr, SetAttributesAsync, OperationFlags.Modifies),
            new(Opcode.OstPunch, PunchAsync, OperationFlags.Modifies),
            new(Opcode.OstFallocate, FallocateAsync, OperationFlags.Modifies),
            new(Opcode.OstSeek, SeekAsync),
            new(Opcode.OstSync, SyncAsync),
            new(Opcode.OstStatfs, StatfsAsync),
            new(Opcode.OstCreate, CreateAsync, OperationFlags.Modifies),
            new(Opcode.OstDestroy, DestroyAsync, OperationFlags.Modifies),
            new(Opcode.OstGetInfo, GetInfoAsync),
            new(Opcode.OstSetInfo, SetInfoAsync),
            new(Opcode.OstLadvise, LadviseAsync),
            new(Opcode.OstQuotactl, QuotactlAsync),
            new(Opcode.LdlmEnqueue, _locks.EnqueueAsync),
            new(Opcode.LdlmConvert, _locks.ConvertAsync),
            new(Opcode.LdlmCancel, _locks.CancelAsync));
    }

    public string Uuid => _options.Uuid;

    public int Index => _options.Index;

    public TargetKind Kind => TargetKind.Ost;

    public uint Generation => _options.Generation;

    public bool Active => !_stopped;

    public ulong LastCommitted => _transactions.Committed;

    /// <summary>The locks of this target's objects.</summary>
    public LdlmNamespace Locks => _locks;

    public RpcHandler? Find(uint opcode) => _operations.Find(opcode);

    public bool Modifies(uint opcode) => _operations.Modifies(opcode);

    /// <summary>Stops locks and closes the store. The target must not be reachable by RPC any more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopped) return;
        _stopped = true;
        _locks.Dispose();
        await _store.DisposeAsync().ConfigureAwait(false);
    }

    private static void CheckOptions(OstOptions options, RpcServer server)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)options.Index, 0xFFFFu, nameof(options));
        int mds = options.BrwSize / BulkSplit.MaxMdBytes;
        if (!int.IsPow2(options.BrwSize) || mds is < 1 or > 64)
            throw new ArgumentException("the RPC size must be a power of two from 1 to 64 MiB", nameof(options));
        if (server.Bulk.Capacity < mds)
            throw new ArgumentException("the bulk pool is smaller than one RPC", nameof(server));
    }

    private static OstExport StateOf(Export export) =>
        export.ServiceState as OstExport ?? throw new RpcException(Errno.ENOTCONN, rpcLevel: true);

    /// <summary>
    /// The object a request names (06 section 2.1). EPROTO for what cannot be an id; ENOENT for one that was never handed out
    /// here, so that nobody makes a file under it.
    /// </summary>
    private LuFid ObjectOf(in Obdo oa)
    {
        if (!oa.Has(ObdoValid.Id) || !oa.Oi.TryGetFid(Index, out var fid)) throw Protocol("no valid object id");
        if (!Exists(fid)) throw new FsException(Errno.ENOENT);
        return fid;
    }

    private bool Exists(in LuFid fid) =>
        ObjectSequences.Owns(Index, fid) && _options.Allocations?.WasAllocated(fid) != false;

    private static LdlmResId ResourceOf(in LuFid fid) => LdlmResId.OfFid(fid);

    private static RpcException Protocol(string message) => new(Errno.EPROTO, rpcLevel: true, message);

    [LoggerMessage(6101, LogLevel.Warning,
        "{Target}: {Operation} of object {Object} by {Client} moved data whose checksum {Computed:x8} is not the client's {Claimed:x8} "
        + "({Suppressed} lines like this left out)")]
    private partial void LogChecksumMismatch(
        string target, string operation, LuFid @object, string client, uint computed, uint claimed, int suppressed);

    [LoggerMessage(6102, LogLevel.Warning,
        "{Target}: {Operation} of object {Object} failed on the disk with errno {Errno} ({Suppressed} lines like this left out)")]
    private partial void LogDiskError(string target, string operation, LuFid @object, int errno, int suppressed);
}
