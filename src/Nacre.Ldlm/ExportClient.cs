using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm;

/// <summary>An export as the grant engine sees it.</summary>
internal sealed class ExportClient(Export export, ILdlmHost host) : ILockClient
{
    /// <summary>First release whose clients withdraw a waiting flock by an unlock (03 section 25).</summary>
    private const uint Version217 = 0x0211_0000;

    public string Description => $"{export.ClientUuid} at {export.Peer.Nid}";

    public Nid Node => export.Peer.Nid;

    public int LvbLength => export.Has(ConnectFlags.LvbType) ? OstLvb.Size : OstLvb.SizeV1;

    public bool UnderstandsFlockDeadlock => export.Has(ConnectFlags.FlockDead);

    public bool WithdrawsFlockByUnlock => export.ClientVersion >= Version217;

    public async ValueTask<CallbackReply> CallAsync(
        uint opcode, ReadOnlyMemory<byte> request, ReadOnlyMemory<byte> lvb, bool hasLvb, TimeSpan timeout, Action? resending,
        CancellationToken ct)
    {
        var reply = await export.CallAsync(opcode, request, lvb, hasLvb, timeout, ct, resending).ConfigureAwait(false);
        return new CallbackReply(reply.Status, reply.BufferCount > 1 ? reply.Buffer(1).ToArray() : default);
    }

    public void Evict(string reason) => host.Evict(export, reason);
}
