using System.Runtime.InteropServices;
using Nacre.LNet.Wire;

namespace Nacre.Testing.Captures;

/// <summary>Cuts the byte stream of one direction of an LNet connection into its HELLO and its messages.</summary>
public static class FrameSplitter
{
    /// <summary>
    /// Calls <paramref name="found"/> with kind, start and length of each whole frame. Stops at the end, in the middle of a frame that was
    /// not recorded whole, or where the bytes are no socklnd message; returns where that is.
    /// </summary>
    public static int Split(ReadOnlySpan<byte> stream, Action<FrameKind, int, int> found)
    {
        var position = HelloLength(stream);
        if (position > 0)
        {
            found(FrameKind.Hello, 0, position);
        }

        while (position < stream.Length && MessageLength(stream[position..]) is var length and > 0)
        {
            found(FrameKind.Message, position, length);
            position += length;
        }

        return position;
    }

    /// <summary>Bytes of the acceptor request, if there is one, and the HELLO; 0 when the stream does not begin with them.</summary>
    private static int HelloLength(ReadOnlySpan<byte> stream)
    {
        var start = 0;
        if (stream.Length >= AcceptorRequest.Size && MemoryMarshal.Read<uint>(stream) == AcceptorRequest.ExpectedMagic)
        {
            start = AcceptorRequest.Size;
        }

        if (stream.Length < start + KsockHello.Size || MemoryMarshal.Read<uint>(stream[start..]) != KsockHello.ExpectedMagic)
        {
            return 0;
        }

        var hello = MemoryMarshal.Read<KsockHello>(stream[start..]);
        return start + KsockHello.Size + (sizeof(uint) * (int)hello.AddressCount);
    }

    /// <summary>Bytes of the message at the start; 0 when it is not there whole.</summary>
    private static int MessageLength(ReadOnlySpan<byte> stream)
    {
        if (stream.Length < KsockHeader.Size)
        {
            return 0;
        }

        switch ((KsockMessageType)MemoryMarshal.Read<uint>(stream))
        {
            case KsockMessageType.Noop:
                return KsockHeader.Size;
            case KsockMessageType.Lnet when stream.Length >= LnetMessage.Size:
                var length = LnetMessage.Size + (long)MemoryMarshal.Read<LnetMessage>(stream).Lnet.PayloadLength;
                return length <= stream.Length ? (int)length : 0;
            default:
                return 0;
        }
    }
}
