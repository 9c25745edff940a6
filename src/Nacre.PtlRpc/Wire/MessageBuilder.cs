using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>
/// Builds one message in a buffer it keeps for the next one. Start it with the lengths of the buffers after the body, fill the
/// buffers in place, shrink what was reserved in excess, then take the bytes with <see cref="Finish"/>.
/// <para>Buffers stay where they are until <see cref="Finish"/> closes the gaps, so references into them remain valid through
/// <see cref="Shrink"/>, but not through <see cref="Grow"/>. Not thread-safe.</para>
/// </summary>
public sealed class MessageBuilder
{
    /// <summary>Room kept between uses; enough for every metadata reply. A larger one is borrowed from the shared pool.</summary>
    private const int KeptBytes = 2048;

    private readonly byte[] _kept = new byte[KeptBytes];
    private readonly int[] _offsets = new int[MessageHeader.MaxBuffers];
    private readonly int[] _lengths = new int[MessageHeader.MaxBuffers];
    private byte[] _bytes;
    private int _end;
    private bool _shrunk;

    public MessageBuilder() => _bytes = _kept;

    /// <summary>Number of buffers, the body included; 0 before <see cref="Start"/>.</summary>
    public int BufferCount { get; private set; }

    public ref MessageHeader Header => ref Unsafe.As<byte, MessageHeader>(ref _bytes[0]);

    public ref PtlrpcBody Body => ref Unsafe.As<byte, PtlrpcBody>(ref _bytes[_offsets[0]]);

    /// <summary>A zeroed message: the body, then one buffer for each length. The header has its magic and nothing else.</summary>
    /// <exception cref="ArgumentException">More than 31 buffers, a negative length, or more than a message may hold.</exception>
    public void Start(ReadOnlySpan<int> lengths)
    {
        var count = lengths.Length + 1;
        if (count > MessageHeader.MaxBuffers)
        {
            throw new ArgumentException($"{count} buffers; a message has at most {MessageHeader.MaxBuffers}", nameof(lengths));
        }

        var offset = MessageLayout.HeaderSize(count);
        Place(0, PtlrpcBody.Size, ref offset);
        for (var i = 0; i < lengths.Length; i++)
        {
            Place(i + 1, lengths[i], ref offset);
        }

        BufferCount = count;
        _end = offset;
        _shrunk = false;
        Reserve(offset);
        _bytes.AsSpan(0, offset).Clear();
        Header.BufferCount = (uint)count;
        Header.Magic = MessageHeader.MagicV2;
    }

    public int Length(int index) => (uint)index < (uint)BufferCount ? _lengths[index] : 0;

    public Span<byte> Buffer(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)BufferCount, nameof(index));
        return _bytes.AsSpan(_offsets[index], _lengths[index]);
    }

    /// <exception cref="ArgumentOutOfRangeException">There is no such buffer, or it is shorter than the structure.</exception>
    public ref T Get<T>(int index)
        where T : unmanaged => ref MemoryMarshal.AsRef<T>(Buffer(index));

    /// <summary>Reduces a buffer's length; the buffers behind it move up when the message is finished.</summary>
    public void Shrink(int index, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)BufferCount, nameof(index));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)_lengths[index], nameof(length));
        _shrunk |= length != _lengths[index];
        _lengths[index] = length;
    }

    /// <summary>
    /// Lengthens a buffer, keeping the contents of all; the new bytes are zero. References into the message become stale.
    /// </summary>
    public void Grow(int index, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)BufferCount, nameof(index));
        ArgumentOutOfRangeException.ThrowIfLessThan(length, _lengths[index]);
        Compact();
        var added = MessageLayout.Round8(length) - MessageLayout.Round8(_lengths[index]);
        if (_end + added > MessageHeader.MaxMessageSize)
        {
            throw new ArgumentException("the message becomes larger than a message may be", nameof(length));
        }

        var behind = index + 1 < BufferCount ? _offsets[index + 1] : _end;
        Reserve(_end + added);
        _bytes.AsSpan(behind, _end - behind).CopyTo(_bytes.AsSpan(behind + added));
        _bytes.AsSpan(behind, added).Clear();
        for (var i = index + 1; i < BufferCount; i++)
        {
            _offsets[i] += added;
        }

        _lengths[index] = length;
        _end += added;
    }

    /// <summary>Writes the buffer lengths, closes gaps and returns the whole message, valid until the next Start or Reset.</summary>
    public ReadOnlySpan<byte> Finish() => FinishMemory().Span;

    /// <summary><see cref="Finish"/> for a caller that keeps the message across an await.</summary>
    public ReadOnlyMemory<byte> FinishMemory()
    {
        Compact();
        for (var i = 0; i < BufferCount; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(MessageHeader.Size + (sizeof(uint) * i)), _lengths[i]);
        }

        return _bytes.AsMemory(0, _end);
    }

    /// <summary>Forgets the message and gives a borrowed buffer back.</summary>
    public void Reset()
    {
        BufferCount = 0;
        _end = 0;
        if (_bytes != _kept)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = _kept;
        }
    }

    private void Place(int index, int length, ref int offset)
    {
        if (length < 0 || length > MessageHeader.MaxMessageSize - offset)
        {
            ThrowTooLarge(index, length);
        }

        _offsets[index] = offset;
        _lengths[index] = length;
        offset += MessageLayout.Round8(length);
    }

    private static void ThrowTooLarge(int index, int length) =>
        throw new ArgumentException($"buffer {index} of {length} bytes does not fit into a message");

    private void Compact()
    {
        if (!_shrunk)
        {
            return;
        }

        var offset = MessageLayout.HeaderSize(BufferCount);
        for (var i = 0; i < BufferCount; i++)
        {
            var length = _lengths[i];
            _bytes.AsSpan(_offsets[i], length).CopyTo(_bytes.AsSpan(offset));
            _offsets[i] = offset;
            offset += MessageLayout.Round8(length);
            // What was cut off a buffer must not travel as its padding.
            _bytes.AsSpan(_offsets[i] + length, offset - _offsets[i] - length).Clear();
        }

        _end = offset;
        _shrunk = false;
    }

    private void Reserve(int size)
    {
        if (size <= _bytes.Length)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(size);
        _bytes.AsSpan().CopyTo(larger);
        if (_bytes != _kept)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = larger;
    }
}
