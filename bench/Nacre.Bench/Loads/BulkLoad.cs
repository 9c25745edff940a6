using Nacre.Bench.Client;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Loads;

/// <summary>
/// Reads or writes of one size: each slot has an object of its own and goes through it, sequentially from 1 MiB on, at random
/// below. Requests are filled as those of a kernel client that caches: no server-side lock, asynchronous commit, grant.
/// </summary>
internal abstract class BulkLoad : Load
{
    protected const int BodyBuffer = 1;
    protected const int InlineBuffer = 5;
    private const int MdSize = BulkSplit.MaxMdBytes;
    private const int ShortIoLimit = 16 << 10;
    private const int SequentialFrom = 1 << 20;
    private const int InPlaceReadAhead = 4096;
    private readonly RequestFrame[] _requests;
    private readonly byte[][] _buffers;
    private readonly Random _random = new(1);

    /// <param name="size">Bytes an RPC moves: a multiple of 4 KiB; above 1 MiB, of 1 MiB.</param>
    /// <param name="workingSet">Bytes all slots of this client together go through.</param>
    /// <param name="checksum">Bulk checksum, or null for none.</param>
    protected BulkLoad(ClientSession session, int slots, int size, long workingSet, BrwChecksumType? checksum, uint opcode)
        : base(session, slots)
    {
        Size = size;
        Checksum = checksum;
        Descriptors = (size + MdSize - 1) / MdSize;
        IsInline = size <= ShortIoLimit && session.Ost.Granted.Has(ConnectFlags.Shortio);
        ObjectBytes = Math.Max(size, workingSet / slots / size * size);
        Objects = session.Objects(slots);
        Offsets = new long[slots];
        _requests = new RequestFrame[slots];
        _buffers = new byte[slots * Descriptors][];
        for (var i = 0; i < _buffers.Length; i++)
        {
            _buffers[i] = GC.AllocateArray<byte>(Frame.Size + Math.Min(size, MdSize), pinned: true);
            BlockPattern.FillOnce(_buffers[i].AsSpan(Frame.Size));
        }

        for (var slot = 0; slot < slots; slot++) _requests[slot] = MakeRequest(opcode, Objects[slot].Fid);
    }

    protected int Size { get; }

    protected BrwChecksumType? Checksum { get; }

    /// <summary>Bulk descriptors of one request, 1 MiB each.</summary>
    protected int Descriptors { get; }

    /// <summary>The data travels in the request or the reply (06 section 4.7).</summary>
    protected bool IsInline { get; }

    protected long ObjectBytes { get; }

    protected IReadOnlyList<BenchObject> Objects { get; }

    /// <summary>Of the request each slot has in flight.</summary>
    protected long[] Offsets { get; }

    protected override bool ControlOnly => false;

    protected override int BulkReadAhead => Size >= SequentialFrom ? InPlaceReadAhead : base.BulkReadAhead;

    protected RequestFrame Request(int slot) => _requests[slot];

    /// <summary>Data of one descriptor, with room for a header in front of it.</summary>
    protected ArraySegment<byte> Data(int slot, int descriptor)
    {
        var buffer = _buffers[slot * Descriptors + descriptor];
        return new ArraySegment<byte>(buffer, Frame.Size, buffer.Length - Frame.Size);
    }

    protected override void Issue(int slot)
    {
        Offsets[slot] = NextOffset(slot);
        var request = _requests[slot];
        request.At<NiobufRemote>(3).Offset = (ulong)Offsets[slot];
        Prepare(slot, request);
        request.SendWithBulk(Node, this, slot, IsInline ? 1 : Descriptors);
    }

    protected virtual long NextOffset(int slot)
    {
        var blocks = ObjectBytes / Size;
        return Size < SequentialFrom ? _random.NextInt64(blocks) * Size : (Offsets[slot] + Size) % (blocks * Size);
    }

    protected abstract void Prepare(int slot, RequestFrame request);

    private RequestFrame MakeRequest(uint opcode, LuFid fid)
    {
        var inline = IsInline && opcode == Opcode.OstWrite ? Size : 0;
        var request = new RequestFrame(
            Session.Ost, Portal.OstIo, opcode, OstBody.Size, ObdIoobj.Size, NiobufRemote.Size, 0, inline);
        ref var oa = ref request.At<OstBody>(BodyBuffer).Oa;
        oa.Oi = OstId.FromFid(fid);
        oa.Valid = ObdoValid.Id | ObdoValid.Group | ObdoValid.Uid | ObdoValid.Gid;
        if (Checksum is { } type)
        {
            oa.Valid |= ObdoValid.Checksum | ObdoValid.Flags;
            oa.Flags |= (ObdoFlags)type;
        }

        if (IsInline)
        {
            oa.Valid |= ObdoValid.Flags;
            oa.Flags |= ObdoFlags.ShortIo;
        }

        ref var target = ref request.At<ObdIoobj>(2);
        target.Oid = oa.Oi;
        target.BufferCount = 1;
        target.MaxBrw = IsInline ? 0xFFFF0000 : (Session.Ost.Granted.BrwSize / MdSize - 1) << 16;
        request.At<NiobufRemote>(3).Length = (uint)Size;
        request.ReplySize = 1024 + (IsInline && opcode == Opcode.OstRead ? (uint)Size : 0);
        return request;
    }
}
