using Nacre.Bench.Client;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Loads;

/// <summary>MDS_REINT create (mknod) of regular files in one directory.</summary>
internal sealed class CreateLoad : Load
{
    private const int NameBuffer = 3;
    private const int Sample = 1000;
    private readonly RequestFrame[] _requests;
    private readonly int[] _imports;
    private readonly uint[] _names;
    private readonly List<BenchFile> _kept = [];
    private readonly Random _random = new(1);
    private long _created;

    public CreateLoad(ClientSession session, int slots)
        : base(session, slots)
    {
        _requests = new RequestFrame[slots];
        _imports = new int[slots];
        _names = new uint[slots];
        for (var slot = 0; slot < slots; slot++)
        {
            var (import, tag) = session.ModifierOf(slot);
            _imports[slot] = import;
            _requests[slot] = MetadataSetup.Create(session.Mdt(import), session.Directory, FileName.BufferSize);
            _requests[slot].Body.Tag = tag;
        }
    }

    /// <summary>Files to remember: the first ones, or for the check at the end a random sample of all.</summary>
    public int Keep { get; init; } = Sample;

    public IReadOnlyList<BenchFile> Kept => _kept;

    public override void OnReply(int slot, ReadOnlySpan<byte> message)
    {
        var reply = Reply.Open(message, out var body);
        var fid = _requests[slot].At<MdtRecCreate>(1).Fid2;
        Require(
            Reply.Get<MdtBody>(reply, 1).Fid1 == fid && body.Transno != 0,
            "a create was answered without a transaction number or for another file");
        Remember(new BenchFile(fid, _names[slot]));
        Complete(slot);
    }

    /// <summary>The files of the sample exist under their FIDs.</summary>
    public override void Verify()
    {
        var request = MetadataSetup.Getattr(Session.Mdt(0));
        foreach (var file in _kept)
        {
            request.At<MdtBody>(1).Fid1 = file.Fid;
            var reply = Reply.Open(Session.Mdt(0).Call(request), out _);
            Require(Reply.Get<MdtBody>(reply, 1).Fid1 == file.Fid, $"{file.Fid} was created and is not there");
        }
    }

    protected override void Issue(int slot)
    {
        var request = _requests[slot];
        _names[slot] = Session.NextName();
        FileName.Write(_names[slot], request.Buffer(NameBuffer));
        request.At<MdtRecCreate>(1).Fid2 = Session.NextFid(_imports[slot]);
        request.Send(Node, this, slot);
    }

    private void Remember(BenchFile file)
    {
        _created++;
        if (_kept.Count < Keep) _kept.Add(file);
        else if (LimitPerSlot == long.MaxValue && _random.NextInt64(_created) is var i && i < Keep) _kept[(int)i] = file;
    }
}
