using System.Buffers.Binary;
using System.Net;
using Nacre.Tests;

namespace Nacre.EndToEnd.Captures;

/// <summary>Reads the frames of a packet capture in <c>tests/captures</c>, in the order of their last bytes.</summary>
public static class CaptureFile
{
    private const int FileHeaderSize = 24;
    private const int RecordHeaderSize = 16;
    private const int LnetPort = 988;

    public static IReadOnlyList<string> Names { get; } =
        [.. Directory.GetFiles(RepositoryFiles.CapturesFolder, "*.pcap.gz").Select(path => Path.GetFileName(path)[..^8]).Order()];

    public static List<Frame> Read(string name)
    {
        var directions = new Dictionary<(string, string), Direction>();
        var connections = new Dictionary<string, int>();
        foreach (var (time, segment) in Segments(RepositoryFiles.ReadCapture(name)))
        {
            if (!directions.TryGetValue(segment.Key, out var direction))
            {
                directions.Add(segment.Key, direction = new Direction(segment.Source, segment.Destination));
                connections.TryAdd(direction.ConnectionKey, connections.Count);
            }

            direction.Add(segment, time);
        }

        var frames = new List<Frame>();
        foreach (var direction in directions.Values)
        {
            direction.CollectFrames(connections[direction.ConnectionKey], frames);
        }

        return [.. frames.OrderBy(frame => frame.Time)];
    }

    private static IEnumerable<(TimeSpan Time, Segment Segment)> Segments(byte[] file)
    {
        var linkHeader = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(20)) switch { 1 => 14, 113 => 16, 276 => 20, _ => 0 };
        for (var position = FileHeaderSize; position < file.Length;)
        {
            var seconds = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(position));
            var micros = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(position + 4));
            var length = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(position + 8));
            var packet = file.AsMemory(position + RecordHeaderSize, length);
            position += RecordHeaderSize + length;
            if (Segment.TryParse(packet[linkHeader..], out var segment))
            {
                yield return (TimeSpan.FromSeconds(seconds) + TimeSpan.FromMicroseconds(micros), segment);
            }
        }
    }

    private sealed record Segment(IPEndPoint Source, IPEndPoint Destination, uint Sequence, bool Syn, ReadOnlyMemory<byte> Data)
    {
        public (string, string) Key => (Source.ToString(), Destination.ToString());

        public static bool TryParse(ReadOnlyMemory<byte> packet, out Segment segment)
        {
            segment = null!;
            var ip = packet.Span;
            if (ip.Length < 40 || ip[0] >> 4 != 4 || ip[9] != 6)
            {
                return false;
            }

            var ipHeader = (ip[0] & 15) * 4;
            var total = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
            // A segment the card was to cut up has no length.
            var end = total == 0 ? ip.Length : total;
            var tcp = ip[ipHeader..];
            var data = ipHeader + ((tcp[12] >> 4) * 4);
            segment = new Segment(
                new IPEndPoint(new IPAddress(ip.Slice(12, 4)), BinaryPrimitives.ReadUInt16BigEndian(tcp)),
                new IPEndPoint(new IPAddress(ip.Slice(16, 4)), BinaryPrimitives.ReadUInt16BigEndian(tcp[2..])),
                BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]),
                (tcp[13] & 2) != 0,
                packet[data..end]);
            return segment.Source.Port == LnetPort || segment.Destination.Port == LnetPort;
        }
    }

    /// <summary>One direction of one connection: its segments put in order.</summary>
    private sealed class Direction(IPEndPoint source, IPEndPoint destination)
    {
        private readonly List<(uint Offset, ReadOnlyMemory<byte> Data, TimeSpan Time)> _segments = [];
        private uint? _start;

        private bool FromCaller => destination.Port == LnetPort;

        public string ConnectionKey => FromCaller ? $"{source} {destination}" : $"{destination} {source}";

        public void Add(Segment segment, TimeSpan time)
        {
            if (segment.Syn)
            {
                _start = segment.Sequence + 1;
                return;
            }

            if (!segment.Data.IsEmpty)
            {
                _start ??= segment.Sequence;
                _segments.Add((segment.Sequence - _start.Value, segment.Data, time));
            }
        }

        public void CollectFrames(int connection, List<Frame> frames)
        {
            var bytes = Assemble(out var arrivals);
            FrameSplitter.Split(bytes, (kind, start, length) => frames.Add(new Frame(
                connection, FromCaller, source, destination, kind, bytes.AsMemory(start, length), ArrivalOf(arrivals, start + length))));
        }

        /// <summary>The stream up to the first gap, and how far it had come when.</summary>
        private byte[] Assemble(out List<(int End, TimeSpan Time)> arrivals)
        {
            using var stream = new MemoryStream();
            arrivals = [];
            foreach (var (offset, data, time) in _segments.OrderBy(segment => segment.Offset))
            {
                var have = stream.Length;
                // Sent before the start of the recording, or a keepalive of one old byte.
                if (offset > int.MaxValue || offset + data.Length <= have)
                {
                    continue;
                }

                if (offset > have)
                {
                    break;
                }

                stream.Write(data.Span[(int)(have - offset)..]);
                arrivals.Add(((int)stream.Length, time));
            }

            return stream.ToArray();
        }

        private static TimeSpan ArrivalOf(List<(int End, TimeSpan Time)> arrivals, int end) =>
            arrivals.First(arrival => arrival.End >= end).Time;
    }
}
