using System.Buffers.Binary;
using System.Net;
using Nacre.Testing.Captures;

namespace Nacre.EndToEnd.Captures;

/// <summary>
/// Writes frames as a packet capture of raw IPv4 (link type 101) with made-up TCP headers: every frame starts a new packet, and one longer
/// than a packet may be takes several. The port that was called is shown as 988.
/// </summary>
public static class PcapWriter
{
    private const uint Magic = 0xa1b2c3d4;
    private const int LinkTypeRaw = 101;
    private const int HeaderSize = 40;
    private const int MaxData = 60_000;
    private const ushort LnetPort = 988;

    /// <summary>Returns, for each packet, the index of the frame it ends; -1 for a packet that ends none.</summary>
    public static List<int> Write(string path, IReadOnlyList<Frame> frames)
    {
        var sequences = new Dictionary<(int, bool), uint>();
        var endsFrame = new List<int>();
        using var file = File.Create(path);
        WriteFileHeader(file);
        for (var i = 0; i < frames.Count; i++)
        {
            var rest = frames[i].Bytes;
            while (!rest.IsEmpty)
            {
                var part = rest[..Math.Min(MaxData, rest.Length)];
                rest = rest[part.Length..];
                WritePacket(file, frames[i], part.Span, sequences);
                endsFrame.Add(rest.IsEmpty ? i : -1);
            }
        }

        return endsFrame;
    }

    private static void WriteFileHeader(Stream file)
    {
        Span<byte> header = stackalloc byte[24];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], 4);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], 1 << 18);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], LinkTypeRaw);
        file.Write(header);
    }

    private static void WritePacket(Stream file, Frame frame, ReadOnlySpan<byte> data, Dictionary<(int, bool), uint> sequences)
    {
        Span<byte> header = stackalloc byte[16 + HeaderSize];
        header.Clear();
        var micros = (long)frame.Time.TotalMicroseconds;
        BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)(micros / 1_000_000));
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)(micros % 1_000_000));
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], HeaderSize + data.Length);
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], HeaderSize + data.Length);
        WriteIp(header[16..], frame, data.Length);
        var sequence = sequences.GetValueOrDefault((frame.Connection, frame.FromCaller), 1u);
        WriteTcp(header[36..], frame, sequence, sequences.GetValueOrDefault((frame.Connection, !frame.FromCaller), 1u));
        sequences[(frame.Connection, frame.FromCaller)] = sequence + (uint)data.Length;
        file.Write(header);
        file.Write(data);
    }

    private static void WriteIp(Span<byte> ip, Frame frame, int dataLength)
    {
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(HeaderSize + dataLength));
        ip[8] = 64;
        ip[9] = 6;
        Address(frame.Source).CopyTo(ip[12..]);
        Address(frame.Destination).CopyTo(ip[16..]);
    }

    private static byte[] Address(IPEndPoint end) => end.Address.MapToIPv4().GetAddressBytes();

    private static void WriteTcp(Span<byte> tcp, Frame frame, uint sequence, uint acknowledged)
    {
        BinaryPrimitives.WriteUInt16BigEndian(tcp, frame.FromCaller ? (ushort)frame.Source.Port : LnetPort);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], frame.FromCaller ? LnetPort : (ushort)frame.Destination.Port);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], acknowledged);
        tcp[12] = 5 << 4;
        tcp[13] = 0x18;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], ushort.MaxValue);
    }
}
