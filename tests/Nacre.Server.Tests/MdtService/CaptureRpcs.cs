using System.Buffers.Binary;
using Nacre.PtlRpc.Wire;
using Nacre.Tests;

namespace Nacre.Server.Tests.MdtService;

/// <summary>A message of a capture: its buffers, the body first.</summary>
internal sealed record CapturedMessage(string Source, string Destination, int Portal, ulong MatchBits, byte[][] Buffers)
{
    public PtlrpcBody Body
    {
        get
        {
            PtlrpcBody.Read(Buffers[0], out var body);
            return body;
        }
    }
}

/// <summary>A request with its reply (null when the capture has none) and what was PUT in bulk for it.</summary>
internal sealed record CapturedRpc(CapturedMessage Request, CapturedMessage? Reply, List<byte[]> Bulk)
{
    public uint Opcode => Request.Body.Opcode;
}

/// <summary>Reads the RPCs out of a packet capture: pcap, Ethernet or cooked, TCP in order, LNet messages (01).</summary>
internal static class CaptureRpcs
{
    private const int LnetHeader = 72;

    public static List<CapturedRpc> Read(string name)
    {
        var rpcs = new List<CapturedRpc>();
        var open = new Dictionary<(string, string, ulong), CapturedRpc>();
        var byBulk = new Dictionary<(string, string, ulong), CapturedRpc>();
        foreach (var put in Puts(name))
        {
            if (LustreMessage.TryParse(put.Payload, out var message) != MessageError.None)
            {
                if (byBulk.TryGetValue((put.Destination, put.Source, put.MatchBits & ~63UL), out var owner))
                    owner.Bulk.Add(put.Payload);
                continue;
            }
            var buffers = new byte[message.BufferCount][];
            for (int i = 0; i < buffers.Length; i++)
                buffers[i] = message.Buffer(i).ToArray();
            var captured = new CapturedMessage(put.Source, put.Destination, put.Portal, put.MatchBits, buffers);
            if (captured.Body.Type == MessageType.Request)
            {
                var rpc = new CapturedRpc(captured, null, []);
                open[(put.Source, put.Destination, put.MatchBits)] = rpc;
                byBulk[(put.Source, put.Destination, captured.Body.MatchBits & ~63UL)] = rpc;
                rpcs.Add(rpc);
            }
            else if (open.TryGetValue((put.Destination, put.Source, put.MatchBits), out var rpc))
            {
                int at = rpcs.IndexOf(rpc);
                // An early reply may come before the final one.
                rpcs[at] = open[(put.Destination, put.Source, put.MatchBits)] = rpc with { Reply = captured };
            }
        }
        return rpcs;
    }

    private sealed record Put(string Source, string Destination, int Portal, ulong MatchBits, byte[] Payload, int Order);

    private static IEnumerable<Put> Puts(string name)
    {
        var puts = new List<Put>();
        foreach (var stream in Streams(RepositoryFiles.ReadCapture(name)))
            ReadStream(stream, puts);
        return puts.OrderBy(p => p.Order);
    }

    private static void ReadStream(TcpStream stream, List<Put> puts)
    {
        var bytes = stream.Assemble(out var order);
        int at = 0;
        if (bytes.Length >= 16 && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == 0xacce7100)
            at = 16;
        if (bytes.Length >= at + 56 && BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at)) == 0x45726963)
            at += 56 + 4 * BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 52));
        while (at + 24 <= bytes.Length)
        {
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));
            if (type == 0xc0)
            {
                at += 24;
                continue;
            }
            if (type != 0xc1 || at + 24 + LnetHeader > bytes.Length)
                return;
            var header = bytes.AsSpan(at + 24, LnetHeader);
            int length = BinaryPrimitives.ReadInt32LittleEndian(header[28..]);
            int end = at + 24 + LnetHeader + length;
            if (end > bytes.Length)
                return;
            if (BinaryPrimitives.ReadUInt32LittleEndian(header[24..]) == 1)
            {
                ulong bits = BinaryPrimitives.ReadUInt64LittleEndian(header[48..]);
                int portal = BinaryPrimitives.ReadInt32LittleEndian(header[64..]);
                var payload = bytes.AsSpan(at + 24 + LnetHeader, length).ToArray();
                puts.Add(new Put(stream.Source, stream.Destination, portal, bits, payload, order(end)));
            }
            at = end;
        }
    }

    private sealed class TcpStream(string source, string destination)
    {
        private uint? _first;
        private readonly List<(uint Offset, byte[] Data, int Packet)> _segments = [];

        public string Source { get; } = source;
        public string Destination { get; } = destination;

        public void Add(uint sequence, byte[] data, int packet)
        {
            _first ??= sequence;
            _segments.Add((sequence - _first.Value, data, packet));
        }

        public void Begin(uint sequence) => _first ??= sequence + 1;

        public byte[] Assemble(out Func<int, int> packetOfEnd)
        {
            var bytes = new List<byte>();
            var ends = new List<(int End, int Packet)>();
            foreach (var (offset, data, packet) in _segments.OrderBy(s => s.Offset).ThenBy(s => s.Packet))
            {
                if (offset > bytes.Count)
                    break;
                if (offset + data.Length <= bytes.Count)
                    continue;
                bytes.AddRange(data[(bytes.Count - (int)offset)..]);
                ends.Add((bytes.Count, packet));
            }
            packetOfEnd = end => ends.First(e => e.End >= end).Packet;
            return [.. bytes];
        }
    }

    private static IEnumerable<TcpStream> Streams(byte[] pcap)
    {
        uint link = BinaryPrimitives.ReadUInt32LittleEndian(pcap.AsSpan(20));
        int ip = link switch { 1 => 14, 113 => 16, 276 => 20, _ => 0 };
        var streams = new Dictionary<string, TcpStream>();
        var all = new List<TcpStream>();
        int packet = 0;
        for (int at = 24; at + 16 <= pcap.Length; packet++)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(pcap.AsSpan(at + 8));
            AddPacket(pcap.AsSpan(at + 16, length)[ip..], packet, streams, all);
            at += 16 + length;
        }
        return all;
    }

    private static void AddPacket(ReadOnlySpan<byte> ip, int packet, Dictionary<string, TcpStream> streams, List<TcpStream> all)
    {
        if (ip.Length < 40 || ip[0] >> 4 != 4 || ip[9] != 6)
            return;
        int total = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        var tcp = ip[((ip[0] & 15) * 4)..(total == 0 ? ip.Length : total)];
        string source = string.Join('.', ip.Slice(12, 4).ToArray()), destination = string.Join('.', ip.Slice(16, 4).ToArray());
        string key = $"{source}:{BinaryPrimitives.ReadUInt16BigEndian(tcp)}>{destination}:{BinaryPrimitives.ReadUInt16BigEndian(tcp[2..])}";
        uint sequence = BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]);
        bool syn = (tcp[13] & 2) != 0;
        if (syn || !streams.TryGetValue(key, out var stream))
        {
            stream = new TcpStream(source, destination);
            streams[key] = stream;
            all.Add(stream);
        }
        if (syn)
            stream.Begin(sequence);
        var data = tcp[((tcp[12] >> 4) * 4)..];
        if (!data.IsEmpty)
            stream.Add(sequence, data.ToArray(), packet);
    }
}
