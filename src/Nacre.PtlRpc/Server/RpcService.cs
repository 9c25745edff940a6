using Nacre.LNet;
using Nacre.PtlRpc.Timing;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>One request portal of the node, serving all targets of some kinds (02 section 4.2).</summary>
internal sealed class RpcService(int portal, TargetKind kinds, int minimumEstimate, int maximumEstimate)
{
    public int Portal => portal;

    public int ReplyPortal { get; } = Wire.Portal.ReplyOf(portal);

    public TargetKind Kinds => kinds;

    /// <summary>
    /// Cancels and closes: others wait for them, so they have room of their own where requests are limited.
    /// </summary>
    public bool IsUrgent { get; } = portal is Wire.Portal.LdlmCancelRequest or Wire.Portal.MdsReadPage;

    public bool IsCancel { get; } = portal == Wire.Portal.LdlmCancelRequest;

    /// <summary>Bulk of objects is refused elsewhere (02 section 4.3).</summary>
    public bool TakesObjectBulk { get; } = portal is Wire.Portal.OstIo or Wire.Portal.MdsIo;

    public ServiceEstimate Estimate { get; } = new(minimumEstimate, maximumEstimate);

    /// <summary>Request portals and the kinds of targets behind them.</summary>
    public static IEnumerable<(int Portal, TargetKind Kinds)> All { get; } =
    [
        (Wire.Portal.MdsRequest, TargetKind.Mdt),
        (Wire.Portal.MdsReadPage, TargetKind.Mdt),
        (Wire.Portal.MdsIo, TargetKind.Mdt),
        (Wire.Portal.SeqController, TargetKind.Mdt),
        (Wire.Portal.SeqMetadata, TargetKind.Mdt),
        (Wire.Portal.FldRequest, TargetKind.Mdt),
        (Wire.Portal.Out, TargetKind.Mdt | TargetKind.Ost),
        (Wire.Portal.OstRequest, TargetKind.Ost),
        (Wire.Portal.OstCreate, TargetKind.Ost),
        (Wire.Portal.OstIo, TargetKind.Ost),
        (Wire.Portal.SeqData, TargetKind.Ost),
        (Wire.Portal.MgsRequest, TargetKind.Mgs),
        (Wire.Portal.LdlmCancelRequest, TargetKind.All),
    ];
}

/// <summary>What the engine keeps per target.</summary>
internal sealed class RpcTargetState(IRpcTarget target)
{
    public IRpcTarget Target => target;

    public RpcCounters Counters { get; } = new();

    /// <summary>Guards <see cref="Exports"/> and the connecting states in it.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Exports by client UUID.</summary>
    public Dictionary<string, Export> Exports { get; } = new(StringComparer.Ordinal);

    /// <summary>Set under the gate: no export is made after it.</summary>
    public volatile bool Stopping;

    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;

    /// <summary>A request of the target begins to be executed. Never again once it is stopping and its exports are closed.</summary>
    public void Enter() => Interlocked.Increment(ref _running);

    public void Leave()
    {
        if (Interlocked.Decrement(ref _running) == 0 && Stopping)
        {
            _drained.TrySetResult();
        }
    }

    /// <summary>Completes when no request is executed any more. For a target whose exports are all closed.</summary>
    public Task WhenDrained()
    {
        if (Volatile.Read(ref _running) == 0)
        {
            _drained.TrySetResult();
        }

        return _drained.Task;
    }
}

/// <summary>What a connect request says, checked.</summary>
internal readonly record struct ConnectRequest(
    PeerId Peer,
    ulong Incarnation,
    Nid Self,
    string ClientUuid,
    ulong ClientHandle,
    ulong Handle,
    uint ConnectionCount,
    ConnectOperationFlags Operation,
    byte SecurityPart);
