using Nacre.Bench.Client;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Loads;

/// <summary>OST_WRITE: inline up to 16 KiB, above it the server fetches the data with GETs.</summary>
internal sealed class WriteLoad : BulkLoad
{
    private const uint WantedGrant = 256 << 20;
    private readonly BrwChecksum _checksum = new();

    public WriteLoad(ClientSession session, int slots, int size, long workingSet, BrwChecksumType? checksum)
        : base(session, slots, size, workingSet, checksum, Opcode.OstWrite)
    {
        for (var slot = 0; slot < slots; slot++)
        {
            ref var oa = ref Request(slot).At<OstBody>(BodyBuffer).Oa;
            oa.Valid |= ObdoValid.MTime | ObdoValid.CTime | ObdoValid.Blocks | ObdoValid.Grant;
            oa.MTime = oa.CTime = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            oa.Undirty = WantedGrant;
        }
    }

    /// <summary>What each slot wrote last is there.</summary>
    public override void Verify() => ReadLoad.Check(Session, Size, Offsets);

    public override ArraySegment<byte> Source(int slot, int descriptor, int length)
    {
        var data = Data(slot, descriptor);
        Require(length == data.Count, $"a GET of {length} bytes for a descriptor of {data.Count}");
        return data;
    }

    public override void OnReply(int slot, ReadOnlySpan<byte> bytes)
    {
        var message = Reply.Open(bytes, out var body);
        ref readonly var oa = ref Reply.Get<OstBody>(message, 1).Oa;
        Require(body.Transno != 0 && Reply.Get<int>(message, 2) == 0, "a write was answered without a transaction number");
        if (oa.Has(ObdoValid.Grant)) Session.Grant += oa.Grant;
        if (Checksum is not null)
        {
            Require(
                !oa.Has(ObdoValid.Checksum) || oa.Checksum == Request(slot).At<OstBody>(BodyBuffer).Oa.Checksum,
                "the server computed another checksum over the written data");
        }

        Complete(slot, Size);
    }

    protected override void Prepare(int slot, RequestFrame request)
    {
        ref var oa = ref request.At<OstBody>(BodyBuffer).Oa;
        if (Checksum is { } type) _checksum.Start(type);
        for (var descriptor = 0; descriptor < Descriptors; descriptor++)
        {
            var data = Data(slot, descriptor).AsSpan();
            BlockPattern.Stamp(data, Objects[slot].Index, Offsets[slot] + (long)descriptor * BulkSplit.MaxMdBytes);
            if (Checksum is not null) _checksum.Append(data);
        }

        if (IsInline) Data(slot, 0).AsSpan().CopyTo(request.Buffer(InlineBuffer));
        if (Checksum is not null) oa.Checksum = _checksum.Value;
        UseGrant(ref oa, ref request.At<NiobufRemote>(3));
    }

    /// <summary>Covered by grant as long as there is some, as write-back is (06 section 5.1).</summary>
    private void UseGrant(ref Obdo oa, ref NiobufRemote niobuf)
    {
        var covered = Session.Grant >= (ulong)Size;
        niobuf.Flags = NiobufFlags.Async | NiobufFlags.SysResource | (covered ? NiobufFlags.FromGrant : NiobufFlags.None);
        oa.GrantUsed = covered ? (ulong)Size : 0;
        if (covered) Session.Grant -= (ulong)Size;
        oa.Grant = Session.Grant;
    }
}
