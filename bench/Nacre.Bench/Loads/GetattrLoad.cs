using Nacre.Bench.Client;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Loads;

/// <summary>MDS_GETATTR by FID over a set of files.</summary>
internal sealed class GetattrLoad : Load
{
    private readonly RequestFrame _request;
    private readonly BenchFile[] _files;
    private readonly int[] _asked;
    private int _next;

    public GetattrLoad(ClientSession session, int slots, int files)
        : base(session, slots)
    {
        _request = MetadataSetup.Getattr(session.Mdt(0));
        _files = session.Files(files);
        _asked = new int[slots];
    }

    public override void OnReply(int slot, ReadOnlySpan<byte> message)
    {
        const ObdMd Wanted = ObdMd.FlId | ObdMd.FlType | ObdMd.FlMode | ObdMd.FlMtime | ObdMd.FlNlink;
        ref readonly var attributes = ref Reply.Get<MdtBody>(Reply.Open(message, out _), 1);
        Require(
            attributes.Fid1 == _files[_asked[slot]].Fid && (attributes.Valid & Wanted) == Wanted && attributes.Nlink == 1,
            "a getattr was answered with the attributes of another file");
        Complete(slot);
    }

    protected override void Issue(int slot)
    {
        _next = _next + 1 < _files.Length ? _next + 1 : 0;
        _asked[slot] = _next;
        _request.At<MdtBody>(1).Fid1 = _files[_next].Fid;
        _request.Send(Node, this, slot);
    }
}
