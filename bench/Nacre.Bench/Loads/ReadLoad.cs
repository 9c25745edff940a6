using Nacre.Bench.Client;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Loads;

/// <summary>
/// OST_READ of data this generator wrote: inline up to 16 KiB, above it the server PUTs it. The first and the last block of
/// each answer are checked, and every byte of one answer in <see cref="FullCheckEvery"/>.
/// </summary>
internal sealed class ReadLoad : BulkLoad
{
    private const int FullCheckEvery = 64;

    /// <summary>What is going to be read is written in requests of this size.</summary>
    private const int FillSize = 1 << 20;
    private readonly BrwChecksum _checksum = new();
    private readonly int[] _stored;
    private readonly int _fillSize;
    private int _answers;
    private long[]? _fixedOffsets;

    public ReadLoad(ClientSession session, int slots, int size, long workingSet, BrwChecksumType? checksum)
        : this(session, slots, size, workingSet, checksum, FillSize)
    {
        var perObject = (ObjectBytes + FillSize - 1) / FillSize;
        var fill = new WriteLoad(session, slots, FillSize, perObject * FillSize * slots, null) { LimitPerSlot = perObject };
        fill.Run(TimeSpan.FromMinutes(5));
    }

    private ReadLoad(
        ClientSession session, int slots, int size, long workingSet, BrwChecksumType? checksum, int fillSize)
        : base(session, slots, size, workingSet, checksum, Opcode.OstRead)
    {
        _stored = new int[slots];
        _fillSize = fillSize;
        for (var slot = 0; slot < slots; slot++)
        {
            Request(slot).At<NiobufRemote>(3).Flags = NiobufFlags.Read | NiobufFlags.Sync | NiobufFlags.SysResource;
        }
    }

    /// <summary>Reads once, at the given offsets, what requests of the same size wrote there, and checks every byte.</summary>
    public static void Check(ClientSession session, int size, ReadOnlySpan<long> offsets)
    {
        var read = new ReadLoad(session, offsets.Length, size, 0, null, size)
        {
            LimitPerSlot = 1,
            _fixedOffsets = offsets.ToArray(),
        };
        read.Run(TimeSpan.FromMinutes(1));
    }

    public override ArraySegment<byte> Sink(int slot, int descriptor) => Data(slot, descriptor);

    public override void OnStored(int slot, int descriptor, int length) => _stored[slot] += length;

    public override void OnReply(int slot, ReadOnlySpan<byte> bytes)
    {
        var message = Reply.OpenAny(bytes, out var body);
        if (body.Status < 0) Reply.ThrowStatus(body);
        Require(body.Status == Size, $"a read of {Size} bytes was answered with {body.Status}");
        if (IsInline)
        {
            message.Buffer(2).CopyTo(Data(slot, 0).AsSpan());
            _stored[slot] = message.BufferLength(2);
        }

        // The server sends the reply when its PUTs have been acknowledged (01 section 12.4).
        Require(_stored[slot] == Size, $"a read was answered after {_stored[slot]} of {Size} bytes");
        _stored[slot] = 0;
        Check(slot, Reply.Get<OstBody>(message, 1).Oa);
        Complete(slot, Size);
    }

    protected override long NextOffset(int slot) => _fixedOffsets?[slot] ?? base.NextOffset(slot);

    protected override void Prepare(int slot, RequestFrame request)
    {
    }

    private void Check(int slot, in Obdo oa)
    {
        var all = _fixedOffsets is not null || ++_answers % FullCheckEvery == 0;
        if (Checksum is { } type) _checksum.Start(type);
        for (var descriptor = 0; descriptor < Descriptors; descriptor++)
        {
            ReadOnlySpan<byte> data = Data(slot, descriptor);
            var offset = Offsets[slot] + (long)descriptor * BulkSplit.MaxMdBytes;
            Require(
                all ? BlockPattern.Matches(data, Objects[slot].Index, offset, _fillSize)
                    : BlockPattern.EndsMatch(data, Objects[slot].Index, offset),
                $"object {Objects[slot].Fid} does not hold at {offset} what was written there");
            if (Checksum is not null) _checksum.Append(data);
        }

        if (Checksum is not null)
        {
            Require(!oa.Has(ObdoValid.Checksum) || oa.Checksum == _checksum.Value, "the data read does not have the server's checksum");
        }
    }
}
