using System.Buffers.Binary;
using System.Net;

namespace Nacre.Tests;

/// <summary>One direction of a TCP connection in a capture: what one end sent to the other, reassembled.</summary>
internal sealed record CapturedStream(IPEndPoint From, IPEndPoint To, byte[] Bytes)
{
    public const int LustrePort = 988;

    /// <summary>False for a connection that was open when the capture began: its stream starts at a message, without a handshake.</summary>
    public required bool IsFromItsStart { get; init; }

    /// <summary>How far the stream had come when, since the epoch.</summary>
    public required IReadOnlyList<(int End, TimeSpan Time)> Arrivals { get; init; }

    public bool IsFromServer => From.Port == LustrePort;

    /// <summary>When the byte before <paramref name="end"/> had come, and all before it.</summary>
    public TimeSpan TimeAt(int end)
    {
        var (low, high) = (0, Arrivals.Count - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = Arrivals[middle].End < end ? (middle + 1, high) : (low, middle);
        }

        return Arrivals[low].Time;
    }
}

/// <summary>Reassembles the TCP streams of the captures in <c>tests/captures</c>, which lost nothing.</summary>
internal static class CaptureStreams
{
    private const int FileHeaderSize = 24;
    private const int RecordHeaderSize = 16;
    private const int LinkEthernet = 1;
    private const int LinkLinuxCooked = 113;
    private const int LinkLinuxCooked2 = 276;
    private const byte Tcp = 6;
    private const byte Syn = 2;

    /// <summary>All streams that carry bytes, in the order of their first packet.</summary>
    public static IReadOnlyList<CapturedStream> Read(string capture)
    {
        var file = RepositoryFiles.ReadCapture(capture);
        var linkType = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(20));
        var open = new Dictionary<(IPEndPoint, IPEndPoint), Assembly>();
        var all = new List<Assembly>();
        for (var at = FileHeaderSize; at < file.Length;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(at + 8));
            var time = TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at)))
                + TimeSpan.FromMicroseconds(BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 4)));
            AddPacket(time, file.AsSpan(at + RecordHeaderSize, length), linkType, open, all);
            at += RecordHeaderSize + length;
        }

        return [.. all.Select(a => a.Assemble()).Where(s => s.Bytes.Length > 0)];
    }

    private static void AddPacket(
        TimeSpan time, ReadOnlySpan<byte> packet, int linkType, Dictionary<(IPEndPoint, IPEndPoint), Assembly> open, List<Assembly> all)
    {
        var linkHeader = linkType switch { LinkEthernet => 14, LinkLinuxCooked => 16, LinkLinuxCooked2 => 20, _ => 0 };
        var ip = packet[linkHeader..];
        if (ip[0] >> 4 != 4 || ip[9] != Tcp) return;
        var total = (int)BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        // A segment that the network card was still to cut into packets may be too long for the field, which is 0 then.
        if (total == 0) total = ip.Length;
        var tcp = ip[((ip[0] & 15) * 4)..total];
        var from = new IPEndPoint(new IPAddress(ip[12..16]), BinaryPrimitives.ReadUInt16BigEndian(tcp));
        var to = new IPEndPoint(new IPAddress(ip[16..20]), BinaryPrimitives.ReadUInt16BigEndian(tcp[2..]));
        var sequence = BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]);
        var payload = tcp[((tcp[12] >> 4) * 4)..];
        // Probes of an idle connection carry nothing and have an old sequence number.
        if (payload.IsEmpty && (tcp[13] & Syn) == 0) return;
        if ((tcp[13] & Syn) != 0 || !open.TryGetValue((from, to), out var assembly))
        {
            var isStart = (tcp[13] & Syn) != 0;
            assembly = new Assembly(from, to, isStart ? sequence + 1 : sequence, isStart);
            open[(from, to)] = assembly;
            all.Add(assembly);
        }

        if (!payload.IsEmpty) assembly.Segments.Add((sequence - assembly.Start, payload.ToArray(), time));
    }

    private sealed class Assembly(IPEndPoint from, IPEndPoint to, uint start, bool isStart)
    {
        public uint Start => start;

        public List<(uint Offset, byte[] Bytes, TimeSpan Time)> Segments { get; } = [];

        public CapturedStream Assemble()
        {
            var bytes = new MemoryStream();
            var arrivals = new List<(int End, TimeSpan Time)>();
            foreach (var (offset, segment, time) in Segments.OrderBy(s => s.Offset))
            {
                if (offset > bytes.Length)
                    throw new InvalidDataException($"bytes are missing in the stream from {from} to {to} at {bytes.Length}");
                if (offset + segment.Length <= bytes.Length) continue;
                bytes.Write(segment.AsSpan((int)(bytes.Length - offset)));
                arrivals.Add(((int)bytes.Length, time));
            }

            return new CapturedStream(from, to, bytes.ToArray()) { IsFromItsStart = isStart, Arrivals = arrivals };
        }
    }
}
