using System.Buffers.Binary;
using System.Net.Sockets;

namespace Nacre.Bench.Client;

/// <summary>
/// One connection: a blocking socket, a receive buffer that frames are parsed in, an output buffer that is sent as a whole.
/// Payloads of bulk PUTs go from the socket straight into their sink, but for what arrived together with their header.
/// </summary>
internal sealed class BenchSocket(Socket socket, BenchNode node) : IDisposable
{
    /// <summary>Holds the largest frame that is no bulk PUT: a reply with 256 KiB of inline data.</summary>
    private const int BufferBytes = 512 << 10;

    private readonly byte[] _input = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private readonly byte[] _output = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private readonly byte[] _header = new byte[Frame.Size];
    private int _start;
    private int _end;
    private int _queued;
    private ArraySegment<byte> _sink;
    private int _sinkDone;
    private int _sinkLength;

    public int Descriptor { get; } = (int)socket.Handle;

    /// <summary>
    /// Most bytes taken from the socket at once while the next byte is that of a header. Where large payloads are expected it
    /// is small, so that almost all of them are received in place.
    /// </summary>
    public int ReadAhead { get; set; } = BufferBytes;

    /// <summary>Bytes sent and received so far.</summary>
    public long BytesOut { get; private set; }

    public long BytesIn { get; private set; }

    /// <summary>Takes what is there, or waits for it, and hands complete frames to the node.</summary>
    /// <exception cref="IOException">The server closed the connection.</exception>
    public void Receive()
    {
        if (_sinkDone < _sinkLength)
        {
            _sinkDone += Take(_sink.AsSpan(_sinkDone, _sinkLength - _sinkDone));
            if (_sinkDone == _sinkLength) FinishSink();
            return;
        }

        if (_end == _input.Length) Compact();
        _end += Take(_input.AsSpan(_end, Math.Min(ReadAhead, _input.Length - _end)));
        Parse();
    }

    /// <summary>Appends a frame to the output; <see cref="Flush"/> sends it.</summary>
    public void Append(ReadOnlySpan<byte> frame)
    {
        if (_queued + frame.Length > _output.Length) Flush();
        frame.CopyTo(_output.AsSpan(_queued));
        _queued += frame.Length;
    }

    public void Flush()
    {
        if (_queued == 0) return;
        Handshake.SendAll(socket, _output.AsSpan(0, _queued));
        BytesOut += _queued;
        _queued = 0;
    }

    /// <summary>Sends at once, behind what is queued.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        Flush();
        Handshake.SendAll(socket, bytes);
        BytesOut += bytes.Length;
    }

    public void Dispose() => socket.Dispose();

    private int Take(Span<byte> into)
    {
        var received = socket.Receive(into, SocketFlags.None);
        if (received == 0) throw new IOException("the server closed the connection");
        BytesIn += received;
        return received;
    }

    private void Parse()
    {
        while (_end - _start >= Frame.SocklndSize)
        {
            var rest = _input.AsSpan(_start, _end - _start);
            var consumed = BinaryPrimitives.ReadUInt32LittleEndian(rest) switch
            {
                Frame.TypeNoop => Frame.SocklndSize,
                Frame.TypeLNet => ParseLNet(rest),
                var type => throw new InvalidDataException($"the server sent a socklnd message of type 0x{type:x}"),
            };
            if (consumed == 0) break;
            _start += consumed;
        }

        if (_start == _end) _start = _end = 0;
    }

    /// <summary>Bytes consumed; 0 when the frame is not complete.</summary>
    private int ParseLNet(ReadOnlySpan<byte> rest)
    {
        if (rest.Length < Frame.Size) return 0;
        var length = BinaryPrimitives.ReadInt32LittleEndian(rest[Frame.PayloadLength..]);
        if (BenchNode.IsBulkPut(rest)) return BeginSink(rest, length);
        if (rest.Length < Frame.Size + length)
        {
            if (Frame.Size + length > _input.Length) throw new InvalidDataException($"a frame with {length} bytes of payload");
            return 0;
        }

        node.OnFrame(rest[..Frame.Size], rest.Slice(Frame.Size, length));
        AcknowledgeZeroCopy(rest);
        return Frame.Size + length;
    }

    private int BeginSink(ReadOnlySpan<byte> rest, int length)
    {
        rest[..Frame.Size].CopyTo(_header);
        _sink = node.SinkFor(_header, length);
        _sinkLength = length;
        _sinkDone = Math.Min(length, rest.Length - Frame.Size);
        rest.Slice(Frame.Size, _sinkDone).CopyTo(_sink.AsSpan());
        var consumed = Frame.Size + _sinkDone;
        if (_sinkDone == _sinkLength) FinishSink();
        return consumed;
    }

    private void FinishSink()
    {
        var length = _sinkLength;
        _sinkLength = _sinkDone = 0;
        node.OnSinkComplete(_header, length);
        AcknowledgeZeroCopy(_header);
    }

    /// <summary>A message with a zero-copy cookie must be acknowledged (01 section 7.2); the server of this project asks for none.</summary>
    private void AcknowledgeZeroCopy(ReadOnlySpan<byte> frame)
    {
        var cookie = BinaryPrimitives.ReadUInt64LittleEndian(frame[Frame.RequestCookie..]);
        if (cookie == 0) return;
        Span<byte> noop = stackalloc byte[Frame.SocklndSize];
        noop.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(noop, Frame.TypeNoop);
        BinaryPrimitives.WriteUInt64LittleEndian(noop[Frame.AckCookie..], cookie);
        Append(noop);
    }

    private void Compact()
    {
        _input.AsSpan(_start, _end - _start).CopyTo(_input);
        _end -= _start;
        _start = 0;
        if (_end == _input.Length) throw new InvalidDataException("a frame is longer than the receive buffer");
    }
}
