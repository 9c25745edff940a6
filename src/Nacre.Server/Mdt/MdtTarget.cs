using Microsoft.Extensions.Logging;
using Nacre.Ldlm;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Mdt.Hsm;
using Nacre.Server.Mdt.Layouts;
using Nacre.Server.Ost;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt;

/// <summary>
/// A metadata target: answers the RPCs of 05 from one <see cref="MdtFileSystem"/>, with the locks of 03 in between.
/// </summary>
/// <remarks>
/// Three rules hold everywhere below.
/// <list type="number">
/// <item>A change first takes the server locks of 05 section 10, which calls back what clients cache of the objects; then
/// everything is looked up again under the store's gate and changed there. The gate is never held over an await, and no lock
/// is asked for under it.</item>
/// <item>Locks are asked for in one order: directories before what they hold, and two of a kind by FID.</item>
/// <item>A reply leaves when everything it shows is committed, and a refusal when everything it may rest on is. Server locks are given back before that, as soon as the change
/// stands in the store: whoever sees it then waits for the same commit.</item>
/// </list>
/// </remarks>
public sealed partial class MdtTarget : IRpcTarget, ILdlmHost, IDisposable
{
    private readonly MdtTargetOptions _options;
    private readonly MdtFileSystem _fs;
    private readonly MetadataStore _store;
    private readonly LdlmNamespace _locks;
    private readonly RpcServer _server;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ObjectAllocator _allocator;
    private readonly LayoutFactory _layouts;
    private readonly ObjectDestroyer _destroyer;
    private readonly HsmCoordinator _hsm;
    private readonly RpcOperationTable _operations;
    private readonly RpcHandler _intent;
    private volatile IdentityPolicy _identity;

    /// <param name="options">Names and policies.</param>
    /// <param name="fs">The namespace; its store is opened and disposed by the caller.</param>
    /// <param name="server">Lends bulk buffers and evicts clients that do not give locks back.</param>
    /// <param name="ldlm">Lock timeouts.</param>
    /// <param name="time">Clock of lock timers and space queries.</param>
    /// <param name="log">Where the target and its lock namespace report.</param>
    public MdtTarget(
        MdtTargetOptions options, MdtFileSystem fs, RpcServer server, LdlmOptions ldlm, TimeProvider time, ILogger log)
    {
        _options = options;
        _identity = options.Identity;
        _fs = fs;
        _store = fs.Store;
        _server = server;
        _time = time;
        _log = log;
        _locks = new LdlmNamespace(
            $"mdt-{options.TargetName}_UUID", this, ldlm with { ClientTypes = LockTypes.IBits | LockTypes.Flock }, time, log);
        _allocator = new ObjectAllocator(time);
        _layouts = new LayoutFactory(_allocator, _fs.AllocateObject);
        _destroyer = new ObjectDestroyer(_fs, _allocator, time, log);
        _hsm = new HsmCoordinator(_fs, _locks, options.FileSystemName, options.Hsm, time, log);
        _intent = Settling(IntentAsync);
        _operations = new RpcOperationTable(BuildOperations());
        _defaultUserLayout = LovCodec.Encode(options.DefaultLayout);
        _layoutOf = LayoutOfAsync;
    }

    public string Uuid => $"{_options.TargetName}_UUID";
    public TargetKind Kind => TargetKind.Mdt;
    public uint Generation => _options.Generation;
    public ulong LastCommitted => _store.CommittedTransno;

    /// <summary>The lock namespace, for diagnosis and tests.</summary>
    public LdlmNamespace Locks => _locks;

    /// <summary>Whom the next requests are believed to come from. A request under way goes on with what it began with.</summary>
    public IdentityPolicy Identity
    {
        get => _identity;
        set => _identity = value;
    }

    /// <summary>Files open on this target, all clients together.</summary>
    public int OpenFileCount => Volatile.Read(ref _openFiles);

    /// <summary>Makes an OST known: new files may get objects there, and objects of removed files are destroyed there.</summary>
    public void AddObjectTarget(IObjectTarget target)
    {
        _allocator.Add(target);
        _destroyer.Wake();
    }

    /// <summary>Starts the background work, first what earlier runs have left: the objects of removed files, HSM actions.</summary>
    public void Start()
    {
        _hsm.Load();
        _hsm.Start();
        _destroyer.Start();
    }

    /// <summary>Stops the background work; what is not done stays queued in the store.</summary>
    public async ValueTask StopAsync()
    {
        await _hsm.StopAsync().ConfigureAwait(false);
        await _destroyer.StopAsync().ConfigureAwait(false);
    }

    public RpcHandler? Find(uint opcode) => _operations.Find(opcode);

    public bool Modifies(uint opcode) => _operations.Modifies(opcode);

    public void Dispose()
    {
        _locks.Dispose();
        _hsm.Dispose();
        _destroyer.Dispose();
    }

    private RpcOperation[] BuildOperations() =>
    [
        new(Opcode.MdsGetRoot, Settling(GetRootAsync), OperationFlags.None),
        new(Opcode.MdsStatfs, StatFsAsync, OperationFlags.None),
        new(Opcode.MdsGetattr, Settling(GetAttrAsync), OperationFlags.None),
        new(Opcode.MdsGetattrName, Settling(GetAttrNameAsync), OperationFlags.None),
        new(Opcode.MdsGetxattr, Settling(GetXattrAsync), OperationFlags.None),
        new(Opcode.MdsSync, Settling(SyncAsync), OperationFlags.None),
        new(Opcode.MdsReadpage, Settling(ReadPageAsync), OperationFlags.None),
        new(Opcode.MdsReint, Settling(ReintAsync), OperationFlags.Modifies),
        // A close is right on a read-only connection too; its transno makes the engine keep the reply.
        new(Opcode.MdsClose, CloseAsync, OperationFlags.None),
        new(Opcode.MdsGetInfo, Settling(GetInfoAsync), OperationFlags.None),
        new(Opcode.MdsSetInfo, SetInfoAsync, OperationFlags.None),
        new(Opcode.MdsQuotactl, QuotaCtlAsync, OperationFlags.None),
        new(Opcode.MdsSwapLayouts, Settling(SwapLayoutsAsync), OperationFlags.Modifies),
        new(Opcode.MdsRmfid, Settling(RemoveByFidAsync), OperationFlags.Modifies),
        new(Opcode.MdsHsmStateGet, Settling(HsmStateGetAsync), OperationFlags.None),
        new(Opcode.MdsHsmAction, Settling(HsmActionAsync), OperationFlags.None),
        new(Opcode.MdsHsmStateSet, Settling(HsmStateSetAsync), OperationFlags.Modifies),
        new(Opcode.MdsHsmProgress, Settling(HsmProgressAsync), OperationFlags.Modifies),
        // A restore is allowed on a read-only connection too (07 section 3.5); executed twice it queues nothing twice.
        new(Opcode.MdsHsmRequest, Settling(HsmRequestAsync), OperationFlags.None),
        new(Opcode.MdsHsmCtRegister, HsmRegisterAsync, OperationFlags.None),
        new(Opcode.MdsHsmCtUnregister, HsmUnregisterAsync, OperationFlags.None),
        new(Opcode.SeqQuery, SequenceQueryAsync, OperationFlags.None),
        new(Opcode.FldQuery, FldQueryAsync, OperationFlags.None),
        new(Opcode.FldRead, FldReadAsync, OperationFlags.None),
        new(Opcode.LdlmEnqueue, _locks.EnqueueAsync, OperationFlags.None),
        new(Opcode.LdlmConvert, _locks.ConvertAsync, OperationFlags.None),
        new(Opcode.LdlmCancel, _locks.CancelAsync, OperationFlags.None),
    ];

    /// <summary>An MDT has no lock value blocks of its own; layouts travel in the replies built here.</summary>
    int ILdlmHost.FillLvb(in LdlmResId res, LockType type, Span<byte> lvb) => 0;

    void ILdlmHost.Evict(Export export, string reason) => _server.Evict(export, reason);

    private static LdlmResId ResourceOf(LuFid fid) => LdlmResId.OfFid(fid);
}
