using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary>Why bytes are not a message (02 section 2.3).</summary>
public enum MessageError
{
    None,
    TooShort,
    BadMagic,

    /// <summary>A big-endian peer; refused (02 section 2.4).</summary>
    ByteSwapped,
    BadBufferCount,
    TooLarge,

    /// <summary>The buffer lengths add up to more than there is.</summary>
    Truncated,
    ShortBody,
}

/// <summary>
/// A checked view of one <c>lustre_msg_v2</c> over bytes somebody else owns. Accessors of buffers never read outside the
/// message: <see cref="TryParse"/> has added up all lengths.
/// </summary>
public readonly ref struct LustreMessage
{
    private readonly ReadOnlySpan<byte> _bytes;

    private LustreMessage(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public ref readonly MessageHeader Header => ref MemoryMarshal.AsRef<MessageHeader>(_bytes);

    /// <summary>Number of buffers, the body included: 1 to 32.</summary>
    public int BufferCount => BinaryPrimitives.ReadInt32LittleEndian(_bytes);

    /// <summary>The message without bytes that may have followed it.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Checks everything 02 section 2.3 asks for. Bytes after the end of the message are ignored.</summary>
    public static MessageError TryParse(ReadOnlySpan<byte> bytes, out LustreMessage message)
    {
        var error = Check(bytes, out var size);
        message = error == MessageError.None ? new LustreMessage(bytes[..size]) : default;
        return error;
    }

    /// <summary>A view of bytes that <see cref="TryParse"/> accepted before; they must not have changed since.</summary>
    internal static LustreMessage Trusted(ReadOnlySpan<byte> bytes) => new(bytes);

    /// <summary>Unrounded length of a buffer; 0 when the message has no buffer of that index.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int BufferLength(int index) => (uint)index < (uint)BufferCount
        ? BinaryPrimitives.ReadInt32LittleEndian(_bytes[(MessageHeader.Size + (sizeof(uint) * index))..])
        : 0;

    /// <summary>A buffer's bytes; empty when the message has no buffer of that index.</summary>
    public ReadOnlySpan<byte> Buffer(int index)
    {
        var count = BufferCount;
        if ((uint)index >= (uint)count)
        {
            return default;
        }

        var offset = MessageLayout.HeaderSize(count);
        for (var i = 0; i < index; i++)
        {
            offset += MessageLayout.Round8(BufferLength(i));
        }

        return _bytes.Slice(offset, BufferLength(index));
    }

    /// <summary>Copies the body out; a job id that was not sent becomes empty.</summary>
    public void ReadBody(out PtlrpcBody body) => PtlrpcBody.Read(Buffer(0), out body);

    /// <summary>Writes the offset of every buffer; <paramref name="offsets"/> needs room for all of them.</summary>
    internal void CopyTable(Span<int> offsets, Span<int> lengths)
    {
        var count = BufferCount;
        var offset = MessageLayout.HeaderSize(count);
        for (var i = 0; i < count; i++)
        {
            var length = BufferLength(i);
            offsets[i] = offset;
            lengths[i] = length;
            offset += MessageLayout.Round8(length);
        }
    }

    private static MessageError Check(ReadOnlySpan<byte> bytes, out int size)
    {
        size = 0;
        if (bytes.Length < MessageHeader.Size)
        {
            return MessageError.TooShort;
        }

        ref readonly var header = ref MemoryMarshal.AsRef<MessageHeader>(bytes);
        if (header.Magic != MessageHeader.MagicV2)
        {
            return header.Magic == MessageHeader.MagicV2Swapped ? MessageError.ByteSwapped : MessageError.BadMagic;
        }

        if (header.BufferCount is 0 or > MessageHeader.MaxBuffers)
        {
            return MessageError.BadBufferCount;
        }

        return CheckLengths(bytes, (int)header.BufferCount, out size);
    }

    private static MessageError CheckLengths(ReadOnlySpan<byte> bytes, int count, out int size)
    {
        size = MessageLayout.HeaderSize(count);
        if (bytes.Length < size)
        {
            return MessageError.TooShort;
        }

        var lengths = MemoryMarshal.Cast<byte, uint>(bytes.Slice(MessageHeader.Size, sizeof(uint) * count));
        foreach (var length in lengths)
        {
            if (length > MessageHeader.MaxMessageSize)
            {
                return MessageError.TooLarge;
            }

            // At most 32 times a megabyte: no overflow.
            size += MessageLayout.Round8((int)length);
        }

        if (size > MessageHeader.MaxMessageSize)
        {
            return MessageError.TooLarge;
        }

        if (size > bytes.Length)
        {
            return MessageError.Truncated;
        }

        return lengths[0] < PtlrpcBody.SizeV2 ? MessageError.ShortBody : MessageError.None;
    }
}
