using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;
using Nacre.LNet.Wire;
using Nacre.PtlRpc.Wire;
using Nacre.Testing.Captures;

namespace Nacre.EndToEnd.Captures;

/// <summary>
/// Names what kind of message a frame is: <c>MDS_REINT Rename request</c>, <c>LDLM_ENQUEUE intent GetAttr reply 301</c>, <c>GET portal 8</c>.
/// Replies take their name from their request, so frames must be given in the order they travelled.
/// </summary>
public sealed class MessageKinds
{
    private readonly Dictionary<ulong, string> _requests = [];

    public string Of(Frame frame)
    {
        if (frame.Kind == FrameKind.Hello)
        {
            return "HELLO";
        }

        var bytes = frame.Bytes.Span;
        if (bytes.Length < LnetMessage.Size)
        {
            return "NOOP";
        }

        var header = MemoryMarshal.Read<LnetMessage>(bytes).Lnet;
        return header.Type switch
        {
            LnetMessageType.Put when header.Put.Portal is Portal.OstBulk or Portal.MdsBulk or Portal.MgsBulk => $"bulk portal {header.Put.Portal}",
            LnetMessageType.Put => OfPut(header.Put, bytes[LnetMessage.Size..]),
            LnetMessageType.Get => $"GET portal {header.Get.Portal}",
            LnetMessageType.Reply => "REPLY",
            _ => "ACK",
        };
    }

    private string OfPut(in LnetPut put, ReadOnlySpan<byte> payload)
    {
        if (LustreMessage.TryParse(payload, out var message) != MessageError.None)
        {
            return $"PUT portal {put.Portal}";
        }

        message.ReadBody(out var body);
        if (body.Type == MessageType.Request)
        {
            var kind = Name(body.Opcode, message);
            _requests[put.MatchBits] = kind;
            _requests[body.MatchBits] = kind;
            return kind + " request";
        }

        var request = _requests.GetValueOrDefault(put.MatchBits, Opcode.Name(body.Opcode));
        return $"{request} reply {(body.Status > 0 && body.Opcode != Opcode.OstRead ? body.Status : Math.Sign(body.Status))}";
    }

    private static string Name(uint opcode, LustreMessage message) => opcode switch
    {
        Opcode.LdlmEnqueue => $"LDLM_ENQUEUE {EnqueueForm(message)}",
        Opcode.MdsReint when message.BufferLength(1) >= sizeof(uint) =>
            $"MDS_REINT {(ReintOp)MemoryMarshal.Read<uint>(message.Buffer(1))}",
        _ => Opcode.Name(opcode),
    };

    private static string EnqueueForm(LustreMessage message)
    {
        if (message.BufferLength(1) < LdlmRequest.Size)
        {
            return "short";
        }

        var request = MemoryMarshal.Read<LdlmRequest>(message.Buffer(1));
        if (message.BufferLength(2) >= sizeof(ulong) && (request.LockFlags & LdlmFlags.HasIntent) != 0)
        {
            return $"intent {(IntentOpcode)MemoryMarshal.Read<ulong>(message.Buffer(2))}";
        }

        var glimpse = (request.LockFlags & LdlmFlags.HasIntent) != 0 ? " glimpse" : "";
        return request.LockDesc.Resource.Type + glimpse;
    }
}
