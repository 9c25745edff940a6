using Nacre.Bench.Client;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Loads;

/// <summary>OBD_PING to the MGS: what the RPC layer costs before any handler.</summary>
internal sealed class PingLoad : Load
{
    private readonly RequestFrame _request;

    public PingLoad(ClientSession session, int slots)
        : base(session, slots) => _request = new RequestFrame(session.Mgs, Portal.MgsRequest, Opcode.ObdPing);

    public override void OnReply(int slot, ReadOnlySpan<byte> message)
    {
        Reply.Open(message, out _);
        Complete(slot);
    }

    protected override void Issue(int slot) => _request.Send(Node, this, slot);
}
