using System.Net;
using System.Runtime.InteropServices;
using Nacre.LNet.Wire;
using Nacre.PtlRpc.Wire;
using Nacre.Tests;

namespace Nacre.Testing.Captures;

/// <summary>
/// Reads frames, LNet messages and RPCs out of the packet captures in <c>tests/captures</c>.
/// </summary>
public static class CaptureReader
{
    /// <summary>Bytes of an LNet header from the part that depends on its kind, which begins with a handle.</summary>
    private const int HandleToEnd = 40;

    private static readonly Dictionary<string, IReadOnlyList<CapturedMessage>> Read = [];

    /// <summary>All captures of the repository.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. Directory.GetFiles(RepositoryFiles.CapturesFolder, "*.pcap.gz").Select(path => Path.GetFileName(path)[..^8]).Order()];

    /// <summary>Everything that went over the connections of a capture, in the order of the last bytes.</summary>
    public static IReadOnlyList<Frame> Frames(string name)
    {
        var frames = new List<Frame>();
        var connections = new Dictionary<(IPEndPoint Caller, IPEndPoint Called), int>();
        foreach (var stream in CaptureStreams.Read(name))
        {
            var ends = stream.IsFromServer ? (stream.To, stream.From) : (stream.From, stream.To);
            connections.TryAdd(ends, connections.Count);
            var connection = connections[ends];
            var end = FrameSplitter.Split(stream.Bytes, (kind, start, length) => frames.Add(new Frame(
                connection, !stream.IsFromServer, stream.From, stream.To, kind, stream.Bytes.AsMemory(start, length),
                stream.TimeAt(start + length))));
            RequireCutOff(name, stream, end);
        }

        return [.. frames.OrderBy(frame => frame.Time)];
    }

    /// <summary>The messages of a capture, in the order in which they were complete. Read once.</summary>
    public static IReadOnlyList<CapturedMessage> Messages(string name)
    {
        lock (Read)
        {
            if (!Read.TryGetValue(name, out var messages))
            {
                messages = [.. Frames(name).Where(IsLnetMessage).Select(frame => Parse(name, frame))];
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

    /// <summary>A recording may stop inside a frame; it has nothing in it that is none.</summary>
    private static void RequireCutOff(string name, CapturedStream stream, int end)
    {
        if (stream.Bytes.Length - end >= KsockHeader.Size
            && MemoryMarshal.Read<KsockMessageType>(stream.Bytes.AsSpan(end)) is not (KsockMessageType.Noop or KsockMessageType.Lnet))
        {
            throw new InvalidDataException($"{name}: no message at {end} from {stream.From}");
        }
    }

    /// <summary>Neither a HELLO nor a bare socklnd message.</summary>
    private static bool IsLnetMessage(Frame frame) => frame.Kind == FrameKind.Message && frame.Bytes.Length >= LnetMessage.Size;

    private static CapturedMessage Parse(string name, Frame frame)
    {
        var header = MemoryMarshal.Read<LnetMessage>(frame.Bytes.Span).Lnet;
        var payload = frame.Bytes[LnetMessage.Size..].ToArray();
        var (portal, bits, offset) = header.Type switch
        {
            LnetMessageType.Put => ((int)header.Put.Portal, header.Put.MatchBits, header.Put.Offset),
            LnetMessageType.Get => ((int)header.Get.Portal, header.Get.MatchBits, 0u),
            _ => (-1, 0ul, 0u),
        };
        var handle = MemoryMarshal.Read<Guid>(frame.Bytes.Span[(LnetMessage.Size - HandleToEnd)..]);
        return new CapturedMessage(
            name, frame.Time, frame.Source.Address.ToString(), frame.Destination.Address.ToString(), (CapturedKind)header.Type, portal, bits, offset,
            handle, payload);
    }
}
