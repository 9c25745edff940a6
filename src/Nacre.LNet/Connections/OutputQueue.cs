using System.Diagnostics;
using System.Numerics;

namespace Nacre.LNet.Connections;

/// <summary>Told when a payload that was queued without copying is not read any more.</summary>
internal interface IPayloadOwner
{
    /// <summary>
    /// Where the payload stands in its queue; the queue's to set and to read. <see cref="OutputQueue.NotQueued"/> before
    /// that.
    /// </summary>
    long Ticket { get; set; }

    /// <param name="sent">All of it was given to the network; false when the connection died first.</param>
    void OnPayloadReleased(bool sent);
}

/// <summary>
/// What waits to be sent on one connection, in order: runs of copied bytes in chunks, and payloads left where they are. Not
/// thread-safe: the connection's output lock guards every call.
/// </summary>
/// <remarks>
/// Segments are numbered by a sequence that never repeats; <c>_headSequence</c> is the number of the oldest. The first
/// <c>_inFlight</c> segments are in the hands of the sender, which may be reading them outside the lock; they leave only
/// through <see cref="Advance"/>.
/// </remarks>
internal sealed class OutputQueue(BufferPool pool)
{
    /// <summary>Ticket of an owner whose payload was not queued yet.</summary>
    public const long NotQueued = -1;

    private Segment[] _ring = new Segment[8];
    private int _head;
    private int _count;
    private int _headSent;
    private long _headSequence;
    private int _inFlight;
    private OutputChunk? _tail;

    /// <summary>All bytes waiting.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes waiting that were copied, and so are held by this queue.</summary>
    public long CopiedBytes { get; private set; }

    public bool IsEmpty => _count == 0;

    /// <summary>
    /// Room for a message of <paramref name="length"/> bytes at the end of the queue, to be filled by the caller at once.
    /// </summary>
    public Span<byte> Append(int length)
    {
        var space = Take(length, out var start);
        if (_count > 0 && Last is { Chunk: not null } last && last.Chunk == _tail && last.Start + last.Length == start)
            Last.Length += length;
        else
            Push(new Segment { Chunk = _tail, Start = start, Length = length });
        return space;
    }

    /// <summary>
    /// As <see cref="Append(int)"/> for a header, with a payload behind it that stays where it is until its owner is told.
    /// </summary>
    public Span<byte> Append(int headerLength, ReadOnlyMemory<byte> payload, IPayloadOwner owner)
    {
        var space = Take(headerLength, out var start);
        Push(new Segment { Chunk = _tail, Start = start, Length = headerLength });
        Push(new Segment { Payload = payload, Length = payload.Length, Owner = owner });
        Bytes += payload.Length;
        owner.Ticket = _headSequence + _count - 1;
        return space;
    }

    /// <summary>
    /// Takes a payload and its header out of the queue, if no byte of them is sent or being sent. The owner is not told.
    /// </summary>
    public bool TryWithdraw(IPayloadOwner owner)
    {
        if (owner.Ticket == NotQueued) return false;
        var payload = owner.Ticket - _headSequence;
        var header = payload - 1;
        if (header < _inFlight || (header == 0 && _headSent > 0)) return false;
        Debug.Assert(payload < _count, "a ticket is of a segment that was queued");
        Blank(ref At((int)header));
        Blank(ref At((int)payload));
        return true;
    }

    /// <summary>
    /// Puts the oldest bytes into <paramref name="into"/> and marks them as being sent. Returns the number of pieces.
    /// </summary>
    public int Peek(Span<ReadOnlyMemory<byte>> into, out long bytes)
    {
        var pieces = 0;
        bytes = 0;
        _inFlight = 0;
        while (_inFlight < _count && pieces < into.Length)
        {
            ref var segment = ref At(_inFlight);
            var skip = _inFlight == 0 ? _headSent : 0;
            _inFlight++;
            if (segment.Length == skip) continue;
            into[pieces++] = segment.Memory[skip..];
            bytes += segment.Length - skip;
        }

        return pieces;
    }

    /// <summary>Marks all but the first piece of the last <see cref="Peek"/> as not being sent.</summary>
    public void KeepFirstInFlight()
    {
        var index = 0;
        while (index < _inFlight && At(index).Length == (index == 0 ? _headSent : 0)) index++;
        _inFlight = Math.Min(index + 1, _inFlight);
    }

    /// <summary>
    /// Removes <paramref name="sent"/> bytes from the front. Owners whose payload is through are added to <paramref
    /// name="released"/>.
    /// </summary>
    public void Advance(long sent, List<IPayloadOwner> released)
    {
        _inFlight = 0;
        while (_count > 0)
        {
            ref var segment = ref At(0);
            var rest = segment.Length - _headSent;
            if (rest > sent)
            {
                _headSent += (int)sent;
                Account(segment, sent);
                return;
            }

            Account(segment, rest);
            sent -= rest;
            if (segment.Owner is { } owner) released.Add(owner);
            Pop();
        }

        Debug.Assert(sent == 0, "only what was queued can be sent");
    }

    /// <summary>
    /// Empties the queue. Owners of payloads that were not through are added to <paramref name="released"/>.
    /// </summary>
    public void Clear(List<IPayloadOwner> released)
    {
        _inFlight = 0;
        while (_count > 0)
        {
            if (At(0).Owner is { } owner) released.Add(owner);
            Pop();
        }

        Bytes = CopiedBytes = 0;
    }

    private ref Segment Last => ref At(_count - 1);

    private ref Segment At(int index) => ref _ring[(_head + index) & (_ring.Length - 1)];

    private Span<byte> Take(int length, out int start)
    {
        if (_tail is null || _tail.Free < length)
        {
            if (_tail is { Segments: 0 }) pool.ReturnChunk(_tail);
            _tail = pool.RentChunk(length);
        }

        start = _tail.Used;
        Bytes += length;
        CopiedBytes += length;
        return _tail.Take(length);
    }

    private void Push(in Segment segment)
    {
        if (_count == _ring.Length) Grow();
        if (segment.Chunk is { } chunk) chunk.Segments++;
        _count++;
        Last = segment;
    }

    private void Grow()
    {
        var larger = new Segment[BitOperations.RoundUpToPowerOf2((uint)_ring.Length + 1)];
        for (var i = 0; i < _count; i++) larger[i] = At(i);
        _ring = larger;
        _head = 0;
    }

    private void Pop()
    {
        ref var segment = ref At(0);
        if (segment.Chunk is { } chunk && --chunk.Segments == 0) Retire(chunk);
        segment = default;
        _head = (_head + 1) & (_ring.Length - 1);
        _count--;
        _headSent = 0;
        _headSequence++;
    }

    /// <summary>A chunk without segments goes back at once, so that an idle connection holds none.</summary>
    private void Retire(OutputChunk chunk)
    {
        if (chunk == _tail) _tail = null;
        pool.ReturnChunk(chunk);
    }

    /// <summary>The segment keeps its place, so that the sequence stays whole, but carries nothing.</summary>
    private void Blank(ref Segment segment)
    {
        Account(segment, segment.Length);
        segment.Length = 0;
        segment.Payload = default;
        segment.Owner = null;
    }

    private void Account(in Segment segment, long bytes)
    {
        Bytes -= bytes;
        if (segment.Chunk is not null) CopiedBytes -= bytes;
    }

    /// <summary>Either a run of a chunk, or a payload.</summary>
    private struct Segment
    {
        public OutputChunk? Chunk;
        public ReadOnlyMemory<byte> Payload;
        public IPayloadOwner? Owner;
        public int Start;
        public int Length;

        public readonly ReadOnlyMemory<byte> Memory => Chunk is null ? Payload : Chunk.Memory.Slice(Start, Length);
    }
}
