using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>Executes one request. Fills the reply by the methods of the request; exceptions become error replies.</summary>
public delegate ValueTask RpcHandler(RpcRequest request);

[Flags]
public enum TargetKind
{
    None = 0,
    Mgs = 1,
    Mdt = 2,
    Ost = 4,
    All = Mgs | Mdt | Ost,
}

public enum ExportCloseReason
{
    /// <summary>The client said goodbye.</summary>
    Disconnected,

    /// <summary>Thrown out: silent for too long, or it did not give up a lock.</summary>
    Evicted,

    /// <summary>The same client connected anew after a restart; the old state is worthless.</summary>
    Replaced,

    /// <summary>The target leaves this node.</summary>
    TargetStopped,
}

[Flags]
public enum OperationFlags
{
    None = 0,

    /// <summary>Changes the target: refused on a read-only connection, and its reply is kept for a resend.</summary>
    Modifies = 1,
}

/// <summary>One entry of a target's table of operations.</summary>
public readonly record struct RpcOperation(uint Opcode, RpcHandler Handler, OperationFlags Flags = OperationFlags.None);

/// <summary>
/// A target (MGS, MDT or OST) as the RPC engine sees it. Connects, disconnects and pings never reach it; the engine handles them.
/// Methods are called from several threads at a time.
/// </summary>
public interface IRpcTarget
{
    /// <summary>What clients name in a connect: <c>demo01-OST0000_UUID</c>, or <c>MGS</c>.</summary>
    string Uuid { get; }

    TargetKind Kind { get; }

    /// <summary>
    /// How many targets of any name this node has removed for good before it made this one; 0 where no earlier one can have had the name.
    /// A client that was connected to an earlier target of the same name is refused for good (-EACCES).
    /// </summary>
    uint Generation => 0;

    /// <summary>The handler of an opcode, or null (the client gets -ENOTSUPP).</summary>
    RpcHandler? Find(uint opcode);

    /// <summary>See <see cref="OperationFlags.Modifies"/>.</summary>
    bool Modifies(uint opcode);

    /// <summary>
    /// Decides what a client gets: <paramref name="reply"/> comes as a copy of the request's data; mask its flags and set its values
    /// (02 sections 10 and 11). The engine adds ocd_version and never lets a flag through that was not asked for.
    /// </summary>
    /// <exception cref="ErrnoException">The connect is refused with that number. EPROTO and EACCES are nearly permanent for a
    /// client; use EAGAIN, EBUSY or ENODEV for a state that passes (02 section 19).</exception>
    void Negotiate(Export export, in ObdConnectData wanted, ref ObdConnectData reply);

    /// <summary>Highest transno such that it and everything below is safe. Never goes down (02 section 12.1).</summary>
    ulong LastCommitted { get; }

    /// <summary><c>pb_limit</c> for clients with LRU_RESIZE (02 section 3.8).</summary>
    uint LockLimit => 0;

    /// <summary><c>pb_slv</c> for clients with LRU_RESIZE (02 section 3.8).</summary>
    ulong ServerLockVolume => 0;

    /// <summary>A new export, before its client can send anything.</summary>
    void OnConnected(Export export);

    /// <summary>The client came back and keeps all its state; its peer may have changed.</summary>
    void OnReconnected(Export export);

    /// <summary>Drop the client's locks, open handles and grants. Called once; requests of the export may still be running.</summary>
    void OnClosed(Export export, ExportCloseReason reason);
}

/// <summary>A target's operations by opcode, for the <c>Find</c> and <c>Modifies</c> of an <see cref="IRpcTarget"/>.</summary>
public sealed class RpcOperationTable
{
    private const int MaxOpcode = 1200;
    private readonly RpcOperation[] _operations = new RpcOperation[MaxOpcode];

    /// <exception cref="ArgumentException">An opcode occurs twice or is out of range.</exception>
    public RpcOperationTable(params ReadOnlySpan<RpcOperation> operations)
    {
        foreach (var operation in operations)
        {
            if (operation.Opcode >= MaxOpcode || _operations[operation.Opcode].Handler is not null)
            {
                throw new ArgumentException($"{Opcode.Name(operation.Opcode)} cannot be added", nameof(operations));
            }

            _operations[operation.Opcode] = operation;
        }
    }

    public RpcHandler? Find(uint opcode) => opcode < MaxOpcode ? _operations[opcode].Handler : null;

    public bool Modifies(uint opcode) => opcode < MaxOpcode && (_operations[opcode].Flags & OperationFlags.Modifies) != 0;
}
