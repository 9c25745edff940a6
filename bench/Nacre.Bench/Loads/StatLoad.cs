using Nacre.Bench.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Loads;

/// <summary>
/// Getattr intents by name: lookup, attributes and a lock in one RPC, as a kernel client's stat. Each gives back the lock of
/// the slot's previous one.
/// </summary>
internal sealed class StatLoad : Load
{
    private const int NameBuffer = 5;
    private readonly RequestFrame[] _requests;
    private readonly BenchFile[] _files;
    private readonly int[] _asked;
    private int _next;

    public StatLoad(ClientSession session, int slots, int files)
        : base(session, slots)
    {
        _files = session.Files(files);
        _asked = new int[slots];
        _requests = new RequestFrame[slots];
        for (var slot = 0; slot < slots; slot++)
        {
            _requests[slot] = MetadataSetup.GetattrIntent(session.Mdt(0), session.Directory);
            _requests[slot].At<LdlmRequest>(1).Handle0 = (ulong)slot + 1;
        }
    }

    /// <summary>A reply with a layout is larger than what goes over CONTROL.</summary>
    protected override bool ControlOnly => false;

    public override void OnReply(int slot, ReadOnlySpan<byte> bytes)
    {
        var message = MetadataSetup.CheckIntent(bytes, out _, out var reply);
        ref readonly var attributes = ref Reply.Get<MdtBody>(message, 2);
        Require(
            reply.LockHandle != 0 && ((Disp)reply.LockPolicyRes1 & Disp.LookupPos) != 0
            && attributes.Fid1 == _files[_asked[slot]].Fid,
            "a getattr intent was answered without a lock, or with another file");
        MetadataSetup.CancelWith(_requests[slot], reply.LockHandle);
        Complete(slot);
    }

    protected override void Issue(int slot)
    {
        _next = _next + 1 < _files.Length ? _next + 1 : 0;
        _asked[slot] = _next;
        FileName.Write(_files[_next].Number, _requests[slot].Buffer(NameBuffer));
        _requests[slot].Send(Node, this, slot);
    }
}
