using System.Diagnostics;
using System.Net;
using Nacre.LNet.Transports;
using Nacre.Testing.Captures;

namespace Nacre.EndToEnd.Captures;

/// <summary>A transport that writes down every byte of the connections dialled through it.</summary>
public sealed class RecordingTransport(ITransport inner) : ITransport
{
    private readonly Lock _gate = new();
    private readonly List<Recording> _recordings = [];
    private readonly long _start = Stopwatch.GetTimestamp();

    public ValueTask<ITransportListener> ListenAsync(IPEndPoint at, CancellationToken ct) => inner.ListenAsync(at, ct);

    public async ValueTask<IByteConnection> ConnectAsync(IPEndPoint to, bool privilegedSourcePort, CancellationToken ct)
    {
        var connection = await inner.ConnectAsync(to, privilegedSourcePort, ct);
        lock (_gate)
        {
            var recording = new Recording(this, connection);
            _recordings.Add(recording);
            return recording;
        }
    }

    /// <summary>All whole frames so far, in the order of their last bytes.</summary>
    public List<Frame> Frames()
    {
        lock (_gate)
        {
            return [.. _recordings.SelectMany((recording, number) => recording.Frames(number)).OrderBy(frame => frame.Time)];
        }
    }

    private sealed class Recording(RecordingTransport owner, IByteConnection inner) : IByteConnection
    {
        private readonly Stream _sent = new();
        private readonly Stream _received = new();

        public IPEndPoint LocalEndPoint => inner.LocalEndPoint;

        public IPEndPoint RemoteEndPoint => inner.RemoteEndPoint;

        public async ValueTask<int> ReceiveAsync(Memory<byte> buffer)
        {
            var received = await inner.ReceiveAsync(buffer);
            Note(_received, buffer.Span[..received]);
            return received;
        }

        public int TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> segments)
        {
            var before = Stopwatch.GetElapsedTime(owner._start);
            var taken = inner.TrySend(segments);
            var left = taken;
            foreach (var segment in segments)
            {
                var part = Math.Min(left, segment.Length);
                Note(_sent, segment.Span[..part], before);
                left -= part;
            }

            return taken;
        }

        public async ValueTask SendAsync(ReadOnlyMemory<byte> buffer)
        {
            var before = Stopwatch.GetElapsedTime(owner._start);
            await inner.SendAsync(buffer);
            Note(_sent, buffer.Span, before);
        }

        public void ShutdownSend() => inner.ShutdownSend();

        public void Dispose() => inner.Dispose();

        public IEnumerable<Frame> Frames(int number) => [.. FramesOf(number, _sent, true), .. FramesOf(number, _received, false)];

        private List<Frame> FramesOf(int number, Stream stream, bool fromCaller)
        {
            var frames = new List<Frame>();
            var (source, destination) = fromCaller ? (LocalEndPoint, RemoteEndPoint) : (RemoteEndPoint, LocalEndPoint);
            var bytes = stream.Bytes.ToArray();
            FrameSplitter.Split(bytes, (kind, start, length) => frames.Add(new Frame(
                number, fromCaller, source, destination, kind, bytes.AsMemory(start, length), stream.TimeOf(start + length))));
            return frames;
        }

        private void Note(Stream stream, ReadOnlySpan<byte> bytes, TimeSpan? time = null)
        {
            lock (owner._gate)
            {
                stream.Add(bytes, time ?? Stopwatch.GetElapsedTime(owner._start));
            }
        }
    }

    private sealed class Stream
    {
        private readonly List<(long End, TimeSpan Time)> _arrivals = [];

        public MemoryStream Bytes { get; } = new();

        public void Add(ReadOnlySpan<byte> bytes, TimeSpan time)
        {
            if (!bytes.IsEmpty)
            {
                Bytes.Write(bytes);
                _arrivals.Add((Bytes.Length, time));
            }
        }

        public TimeSpan TimeOf(int end)
        {
            var index = _arrivals.BinarySearch((end, TimeSpan.Zero), Comparer<(long End, TimeSpan)>.Create((a, b) => a.End.CompareTo(b.End)));
            return _arrivals[index < 0 ? ~index : index].Time;
        }
    }
}
