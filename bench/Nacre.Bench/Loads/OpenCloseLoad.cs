using Nacre.Bench.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Loads;

/// <summary>
/// What a program's creat() and close() are: an open intent that creates the file with a layout and an object, then MDS_CLOSE.
/// Both RPCs make one operation. The lock that comes with an open is given back with the slot's next.
/// </summary>
internal sealed class OpenCloseLoad : Load
{
    private readonly RequestFrame[] _opens;
    private readonly RequestFrame[] _closes;
    private readonly int[] _imports;
    private readonly bool[] _closing;

    public OpenCloseLoad(ClientSession session, int slots)
        : base(session, slots)
    {
        _opens = new RequestFrame[slots];
        _closes = new RequestFrame[slots];
        _imports = new int[slots];
        _closing = new bool[slots];
        for (var slot = 0; slot < slots; slot++)
        {
            var (import, tag) = session.ModifierOf(slot);
            _imports[slot] = import;
            _opens[slot] = MetadataSetup.OpenCreate(session.Mdt(import), session.Directory, 0);
            _opens[slot].At<LdlmRequest>(1).Handle0 = (ulong)slot + 1;
            _opens[slot].Body.Tag = tag;
            _closes[slot] = MetadataSetup.Close(session.Mdt(import));
            _closes[slot].Body.Tag = tag;
        }
    }

    protected override bool ControlOnly => false;

    public override void OnReply(int slot, ReadOnlySpan<byte> message)
    {
        _closing[slot] = !_closing[slot];
        if (_closing[slot]) Close(slot, message);
        else FinishClose(slot, message);
    }

    protected override void Issue(int slot)
    {
        var request = _opens[slot];
        FileName.Write(Session.NextName(), request.Buffer(MetadataSetup.OpenName));
        request.At<MdtRecCreate>(MetadataSetup.OpenRecord).Fid2 = Session.NextFid(_imports[slot]);
        request.Send(Node, this, slot);
    }

    private void Close(int slot, ReadOnlySpan<byte> message)
    {
        var fid = _opens[slot].At<MdtRecCreate>(MetadataSetup.OpenRecord).Fid2;
        var opened = MetadataSetup.CheckOpen(message, fid);
        MetadataSetup.CancelWith(_opens[slot], opened.LockHandle);
        var request = _closes[slot];
        request.At<MdtIoEpoch>(1).OpenHandle = opened.OpenHandle;
        request.At<MdtRecSetattr>(2).Fid = fid;
        request.Send(Node, this, slot);
    }

    private void FinishClose(int slot, ReadOnlySpan<byte> message)
    {
        Reply.Open(message, out _);
        Complete(slot);
    }
}
