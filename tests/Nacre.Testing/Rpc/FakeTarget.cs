using System.Collections.Concurrent;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Testing.Rpc;

/// <summary>A target whose handlers a test writes. It notes what the engine tells it.</summary>
public sealed class FakeTarget(TargetKind kind, string uuid) : IRpcTarget
{
    private readonly ConcurrentDictionary<uint, (RpcHandler Handler, bool Modifies)> _handlers = new();
    private long _transno = 0x100000000;

    public string Uuid => uuid;

    public TargetKind Kind => kind;

    public uint Generation { get; init; }

    /// <summary>What the target grants of word 1; everything by default.</summary>
    public ConnectFlags Grants { get; set; } = (ConnectFlags)ulong.MaxValue;

    public ConnectFlags2 Grants2 { get; set; } = (ConnectFlags2)ulong.MaxValue;

    /// <summary>Changes the values of a connect reply, or throws to refuse it.</summary>
    public Action<Export, ObdConnectData>? OnNegotiate { get; set; }

    public ulong LastCommitted
    {
        get => LastCommittedFails ? throw new InvalidOperationException("a mistake of the target") : field;
        set;
    }

    /// <summary>Makes building any successful reply fail.</summary>
    public bool LastCommittedFails { get; set; }

    public uint LockLimit { get; set; }

    public ulong ServerLockVolume { get; set; }

    /// <summary><c>connected UUID</c>, <c>reconnected UUID</c>, <c>Evicted UUID</c>...</summary>
    public ConcurrentQueue<string> Events { get; } = new();

    public FakeTarget On(uint opcode, RpcHandler handler, bool modifies = false)
    {
        _handlers[opcode] = (handler, modifies);
        return this;
    }

    /// <summary>A handler that answers at once, with an empty body.</summary>
    public FakeTarget On(uint opcode, Action<RpcRequest> handler, bool modifies = false) => On(
        opcode,
        request =>
        {
            handler(request);
            return ValueTask.CompletedTask;
        },
        modifies);

    /// <summary>The next transaction number.</summary>
    public ulong NextTransno() => (ulong)Interlocked.Increment(ref _transno);

    public RpcHandler? Find(uint opcode) => _handlers.TryGetValue(opcode, out var entry) ? entry.Handler : null;

    public bool Modifies(uint opcode) => _handlers.TryGetValue(opcode, out var entry) && entry.Modifies;

    public void Negotiate(Export export, in ObdConnectData wanted, ref ObdConnectData reply)
    {
        reply.Flags &= Grants;
        reply.Flags2 &= Grants2;
        reply.MaxModRpcs = reply.Has(ConnectFlags.Multimodrpcs) ? (ushort)8 : (ushort)0;
        OnNegotiate?.Invoke(export, reply);
    }

    public void OnConnected(Export export) => Events.Enqueue($"connected {export.ClientUuid}");

    public void OnReconnected(Export export) => Events.Enqueue($"reconnected {export.ClientUuid}");

    public void OnClosed(Export export, ExportCloseReason reason) => Events.Enqueue($"{reason} {export.ClientUuid}");
}
