using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Client;

/// <summary>
/// A connection to one target, as one mount has it: its export on the server is its own, its LNet connections are shared with
/// the other imports of its node. Setup requests are made one at a time with <see cref="Call"/>.
/// </summary>
internal sealed class BenchImport : IExchange
{
    /// <summary>Nothing the loads do may take longer; and no early reply is due before.</summary>
    public const uint TimeoutSeconds = 40;

    private const ConnectFlags CommonFlags = ConnectFlags.Version | ConnectFlags.At | ConnectFlags.Full20 | ConnectFlags.Fid
        | ConnectFlags.BrwSize | ConnectFlags.Grant | ConnectFlags.Srvlock | ConnectFlags.Cancelset | ConnectFlags.Vbr
        | ConnectFlags.Hash64Bit | ConnectFlags.Einprogress | ConnectFlags.LvbType | ConnectFlags.Layoutlock
        | ConnectFlags.BulkMbits | ConnectFlags.Shortio | ConnectFlags.GrantParam | ConnectFlags.GrantShrink
        | ConnectFlags.Cksum;

    private const ConnectFlags MdtFlags = CommonFlags | ConnectFlags.Ibits | ConnectFlags.Attrfid | ConnectFlags.Nodevoh
        | ConnectFlags.LovV3 | ConnectFlags.MaxEasize | ConnectFlags.DispStripe | ConnectFlags.OpenByFid
        | ConnectFlags.Multimodrpcs | ConnectFlags.Acl | ConnectFlags.Xattr | ConnectFlags.Umask;

    private const ConnectFlags OstFlags = CommonFlags | ConnectFlags.Reqportal | ConnectFlags.Maxbytes;
    private const int PageBits = 12;
    private const uint WantedGrant = 128 << 20;

    private byte[] _reply = [];
    private bool _answered;

    private BenchImport(BenchNode node, uint disconnect, int portal)
    {
        Node = node;
        DisconnectOpcode = disconnect;
        RequestPortal = portal;
    }

    public BenchNode Node { get; }

    public ulong Handle { get; private set; }

    public uint ConnectionCount => 1;

    public ObdConnectData Granted { get; private set; }

    public MessageFlags MessageFlags { get; private set; }

    /// <summary>Modifying requests allowed in flight (02 section 12.5).</summary>
    public int MaxModifying => Granted.Has(ConnectFlags.Multimodrpcs) ? Math.Max((int)Granted.MaxModRpcs, 1) : 1;

    private uint DisconnectOpcode { get; }

    private int RequestPortal { get; }

    public static BenchImport ToMgs(BenchNode node)
    {
        var wanted = new ObdConnectData { Flags = ConnectFlags.Version | ConnectFlags.At | ConnectFlags.Full20 };
        return Connect(node, "MGS", Opcode.MgsConnect, Opcode.MgsDisconnect, Portal.MgsRequest, wanted);
    }

    public static BenchImport ToMdt(BenchNode node, string fileSystem)
    {
        var wanted = new ObdConnectData { Flags = MdtFlags, IbitsKnown = 0x7F, BrwSize = 1 << 20, Grant = WantedGrant, GrantBlkBits = PageBits, ChecksumTypes = (uint)OcdChecksumTypes.All };
        return Connect(node, $"{fileSystem}-MDT0000_UUID", Opcode.MdsConnect, Opcode.MdsDisconnect, Portal.MdsRequest, wanted);
    }

    public static BenchImport ToOst(BenchNode node, string fileSystem, int index)
    {
        var wanted = new ObdConnectData { Flags = OstFlags, BrwSize = 64 << 20, Grant = WantedGrant, GrantBlkBits = PageBits, ChecksumTypes = (uint)OcdChecksumTypes.All };
        return Connect(node, $"{fileSystem}-OST{index:x4}_UUID", Opcode.OstConnect, Opcode.OstDisconnect, Portal.OstRequest, wanted);
    }

    /// <summary>One request and its reply, which is checked for success.</summary>
    /// <exception cref="InvalidDataException">The reply is malformed or its status is not 0.</exception>
    public byte[] Call(RequestFrame request)
    {
        Reply.Open(CallAny(request), out _);
        return _reply;
    }

    /// <summary>One request and its reply, whatever its status.</summary>
    public byte[] CallAny(RequestFrame request)
    {
        _answered = false;
        request.Send(Node, this, 0);
        Node.Flush();
        while (!_answered)
        {
            Node.Pump();
            Node.Flush();
        }

        return _reply;
    }

    public void Ping() => Call(new RequestFrame(this, RequestPortal, Opcode.ObdPing));

    public void Disconnect() => Call(new RequestFrame(this, RequestPortal, DisconnectOpcode));

    /// <summary>The first FID sequence of a fresh range (04 section 13).</summary>
    public ulong AllocateSequence()
    {
        var request = new RequestFrame(this, Portal.SeqMetadata, Opcode.SeqQuery, sizeof(uint), 24);
        request.At<uint>(1) = 1;
        var message = Reply.Open(Call(request), out _);
        return MemoryMarshal.Read<ulong>(message.Buffer(1));
    }

    void IExchange.OnReply(int slot, ReadOnlySpan<byte> message)
    {
        _reply = message.ToArray();
        _answered = true;
    }

    ArraySegment<byte> IExchange.Sink(int slot, int descriptor) => throw new InvalidDataException("bulk for a request without");

    void IExchange.OnStored(int slot, int descriptor, int length) => throw new InvalidDataException("bulk for a request without");

    ArraySegment<byte> IExchange.Source(int slot, int descriptor, int length) =>
        throw new InvalidDataException("bulk for a request without");

    private static BenchImport Connect(
        BenchNode node, string target, uint connect, uint disconnect, int portal, ObdConnectData wanted)
    {
        wanted.Version = ObdConnectData.Version2158;
        var import = new BenchImport(node, disconnect, portal);
        var request = new RequestFrame(
            import, portal, connect, ObdUuid.BufferSize, ObdUuid.BufferSize, LustreHandle.Size, ObdConnectData.Size, 0);
        request.Body.OperationFlags = ConnectOperationFlags.Initial;
        ObdUuid.Write(target, request.Buffer(1));
        ObdUuid.Write(Guid.NewGuid().ToString(), request.Buffer(2));
        request.At<ulong>(3) = (ulong)Random.Shared.NextInt64(1, long.MaxValue);
        request.At<ObdConnectData>(4) = wanted;

        var message = Reply.Open(import.Call(request), out var body);
        ObdConnectData.Read(message.Buffer(1), out var granted);
        import.Handle = body.Handle;
        import.Granted = granted;
        import.MessageFlags = MessageFlags.ChecksumIncompat18
            | (granted.Has(ConnectFlags.At) ? MessageFlags.AdaptiveTimeouts : MessageFlags.None);
        return import;
    }
}
