using System.Buffers.Binary;
using System.Net;
using Nacre.PtlRpc.Wire;
using Nacre.Tests;

namespace Nacre.Testing.Captures;

/// <summary>
/// Reads LNet messages out of the packet captures in <c>tests/captures</c>: pcap records, TCP streams put together, socklnd framing.
/// </summary>
public static class CaptureReader
{
    private const int KsockHeaderSize = 24;
    private const int LnetHeaderSize = 72;
    private const uint AcceptorMagic = 0xacce7100;
    private const uint HelloMagic = 0x45726963;
    private const uint KsockNoop = 0xc0;
    private const uint KsockLnet = 0xc1;

    private static readonly Dictionary<string, IReadOnlyList<CapturedMessage>> Read = [];

    /// <summary>All captures of the repository.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. Directory.GetFiles(RepositoryFiles.CapturesFolder, "*.pcap.gz").Select(path => Path.GetFileName(path)[..^8]).Order()];

    /// <summary>The messages of a capture, in the order in which they were complete. Read once.</summary>
    public static IReadOnlyList<CapturedMessage> Messages(string name)
    {
        lock (Read)
        {
            if (!Read.TryGetValue(name, out var messages))
            {
                messages = [.. Streams(RepositoryFiles.ReadCapture(name)).SelectMany(stream => Split(name, stream)).OrderBy(m => m.Time)];
                Read.Add(name, messages);
            }

            return messages;
        }
    }

    /// <summary>The RPCs of a capture: each request with its replies.</summary>
    public static IReadOnlyList<CapturedRpc> Rpcs(string name)
    {
        var open = new List<(CapturedMessage Request, List<CapturedMessage> Early, CapturedMessage?[] Reply)>();
        foreach (var message in Messages(name).Where(message => message.IsRpc))
        {
            if (message.Body.Type == MessageType.Request)
            {
                open.Add((message, [], new CapturedMessage?[1]));
                continue;
            }

            // The match bits of a reply are the xid, or pb_mbits where that was agreed on.
            var rpc = open.FindLast(o => o.Request.Source == message.Destination && o.Request.Destination == message.Source
                && (o.Request.MatchBits == message.MatchBits || o.Request.Body.MatchBits == message.MatchBits));
            if (rpc.Request is null)
            {
                throw new InvalidDataException($"{message} answers nothing");
            }

            var adaptive = (rpc.Request.Message.Header.Flags & MessageFlags.AdaptiveTimeouts) != 0;
            if (adaptive && message.Offset == 0)
            {
                rpc.Early.Add(message);
            }
            else
            {
                rpc.Reply[0] = message;
            }
        }

        return [.. open.Select(o => new CapturedRpc(o.Request, o.Early, o.Reply[0]))];
    }

    private static IEnumerable<TcpStream> Streams(byte[] pcap)
    {
        var streams = new Dictionary<(string, int, string, int), TcpStream>();
        var linkHeader = BinaryPrimitives.ReadInt32LittleEndian(pcap.AsSpan(20)) switch { 1 => 14, 113 => 16, 276 => 20, _ => 0 };
        for (var position = 24; position < pcap.Length;)
        {
            var time = TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32LittleEndian(pcap.AsSpan(position)))
                + TimeSpan.FromMicroseconds(BinaryPrimitives.ReadUInt32LittleEndian(pcap.AsSpan(position + 4)));
            var length = BinaryPrimitives.ReadInt32LittleEndian(pcap.AsSpan(position + 8));
            AddPacket(streams, time, pcap.AsMemory(position + 16 + linkHeader, length - linkHeader));
            position += 16 + length;
        }

        return streams.Values;
    }

    private static void AddPacket(Dictionary<(string, int, string, int), TcpStream> streams, TimeSpan time, ReadOnlyMemory<byte> packet)
    {
        var ip = packet.Span;
        if (ip.Length < 40 || ip[0] >> 4 != 4 || ip[9] != 6)
        {
            return;
        }

        var ipHeader = (ip[0] & 15) * 4;
        int total = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        var tcp = ip[ipHeader..];
        // A packet that the card was to cut up has no length in its header.
        var end = total == 0 ? ip.Length : total;
        var data = packet[(ipHeader + ((tcp[12] >> 4) * 4))..end];
        var key = (
            new IPAddress(ip.Slice(12, 4)).ToString(), (int)BinaryPrimitives.ReadUInt16BigEndian(tcp),
            new IPAddress(ip.Slice(16, 4)).ToString(), (int)BinaryPrimitives.ReadUInt16BigEndian(tcp[2..]));
        if (!streams.TryGetValue(key, out var stream))
        {
            streams.Add(key, stream = new TcpStream(key.Item1, key.Item3));
        }

        stream.Add(time, BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]), (tcp[13] & 2) != 0, data);
    }

    private static IEnumerable<CapturedMessage> Split(string name, TcpStream stream)
    {
        var bytes = stream.Assemble();
        var position = HelloLength(bytes);
        while (bytes.Length - position >= KsockHeaderSize)
        {
            var type = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(position));
            if (type == KsockNoop)
            {
                position += KsockHeaderSize;
                continue;
            }

            if (type != KsockLnet)
            {
                throw new InvalidDataException($"{name}: message of type {type:x} at {position} from {stream.Source}");
            }

            var header = position + KsockHeaderSize;
            var payload = header + LnetHeaderSize;
            if (payload > bytes.Length)
            {
                yield break;
            }

            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(header + 28));
            if (payload + length > bytes.Length)
            {
                yield break;
            }

            position = payload + length;
            yield return Parse(name, stream, bytes.AsSpan(header, LnetHeaderSize), bytes[payload..position], stream.TimeAt(position));
        }
    }

    private static CapturedMessage Parse(string name, TcpStream stream, ReadOnlySpan<byte> header, byte[] payload, TimeSpan time)
    {
        var kind = (CapturedKind)BinaryPrimitives.ReadInt32LittleEndian(header[24..]);
        var rest = header[32..];
        var (portal, bits, offset) = kind switch
        {
            CapturedKind.Put => (
                BinaryPrimitives.ReadInt32LittleEndian(rest[32..]),
                BinaryPrimitives.ReadUInt64LittleEndian(rest[16..]),
                BinaryPrimitives.ReadUInt32LittleEndian(rest[36..])),
            CapturedKind.Get => (
                BinaryPrimitives.ReadInt32LittleEndian(rest[24..]), BinaryPrimitives.ReadUInt64LittleEndian(rest[16..]), 0u),
            _ => (-1, 0ul, 0u),
        };
        return new CapturedMessage(
            name, time, stream.Source, stream.Destination, kind, portal, bits, offset, new Guid(rest[..16]), payload);
    }

    private static int HelloLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 4)
        {
            return 0;
        }

        var start = BinaryPrimitives.ReadUInt32LittleEndian(bytes) == AcceptorMagic ? 16 : 0;
        return bytes.Length >= start + 56 && BinaryPrimitives.ReadUInt32LittleEndian(bytes[start..]) == HelloMagic
            ? start + 56 + (4 * BinaryPrimitives.ReadInt32LittleEndian(bytes[(start + 52)..]))
            : start;
    }

    /// <summary>One direction of a TCP connection.</summary>
    private sealed class TcpStream(string source, string destination)
    {
        private readonly List<(uint Sequence, TimeSpan Time, ReadOnlyMemory<byte> Data)> _segments = [];
        private readonly List<(int End, TimeSpan Time)> _arrivals = [];
        private uint? _start;

        public string Source => source;

        public string Destination => destination;

        public void Add(TimeSpan time, uint sequence, bool syn, ReadOnlyMemory<byte> data)
        {
            if (syn)
            {
                _start = sequence + 1;
            }

            if (!data.IsEmpty)
            {
                _start ??= sequence;
                _segments.Add((sequence - _start.Value, time, data));
            }
        }

        public byte[] Assemble()
        {
            using var bytes = new MemoryStream();
            foreach (var (offset, time, data) in _segments.OrderBy(s => s.Sequence).ThenBy(s => s.Time))
            {
                if (offset > int.MaxValue || offset + data.Length <= bytes.Length)
                {
                    continue;
                }

                if (offset > bytes.Length)
                {
                    throw new InvalidDataException($"a segment of {source} is missing at {bytes.Length}");
                }

                bytes.Write(data.Span[(int)(bytes.Length - offset)..]);
                _arrivals.Add(((int)bytes.Length, time));
            }

            return bytes.ToArray();
        }

        public TimeSpan TimeAt(int end) => _arrivals.First(arrival => arrival.End >= end).Time;
    }
}
