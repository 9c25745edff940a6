using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Client;

/// <summary>
/// A complete request, LNet header included, built once and patched before each send. A slot of a load owns one, so that what
/// the slot's earlier request carried and does not change is never written again.
/// </summary>
internal sealed class RequestFrame
{
    private readonly byte[] _bytes;
    private readonly int[] _offsets;
    private readonly int[] _lengths;

    /// <param name="lengths">Of the buffers after the body.</param>
    public RequestFrame(BenchImport import, int portal, uint opcode, params ReadOnlySpan<int> lengths)
    {
        var builder = new MessageBuilder();
        builder.Start(lengths);
        ref var body = ref builder.Body;
        body.Handle = import.Handle;
        body.Type = MessageType.Request;
        body.Version = Opcode.VersionOf(opcode) | ServiceVersion.Message;
        body.Opcode = opcode;
        body.ConnectionCount = import.ConnectionCount;
        body.Timeout = BenchImport.TimeoutSeconds;
        builder.Header.Flags = import.MessageFlags;
        var message = builder.Finish();

        _bytes = GC.AllocateArray<byte>(Frame.Size + message.Length, pinned: true);
        Frame.WritePut(_bytes, import.Node.Route, portal, 0, message.Length);
        message.CopyTo(_bytes.AsSpan(Frame.Size));
        _offsets = new int[lengths.Length + 1];
        _lengths = [PtlrpcBody.Size, .. lengths];
        var offset = Frame.Size + MessageLayout.HeaderSize(_lengths.Length);
        for (var i = 0; i < _lengths.Length; i++)
        {
            _offsets[i] = offset;
            offset += MessageLayout.Round8(_lengths[i]);
        }
    }

    public ReadOnlySpan<byte> Bytes => _bytes;

    public ref PtlrpcBody Body => ref At<PtlrpcBody>(0);

    /// <summary>Reserved for the reply by the sender; informational (02 section 2.1).</summary>
    public uint ReplySize { set => MemoryMarshal.AsRef<MessageHeader>(_bytes.AsSpan(Frame.Size)).ReplySize = value; }

    public Span<byte> Buffer(int index) => _bytes.AsSpan(_offsets[index], _lengths[index]);

    public ref T At<T>(int index)
        where T : unmanaged => ref MemoryMarshal.AsRef<T>(Buffer(index));

    /// <summary>Gives the request a fresh xid and queues it.</summary>
    public void Send(BenchNode node, IExchange owner, int slot) => SendWithBulk(node, owner, slot, 1);

    /// <summary>As <see cref="Send"/>, with so many bulk descriptors posted for it.</summary>
    public void SendWithBulk(BenchNode node, IExchange owner, int slot, int descriptors)
    {
        var xid = node.Register(owner, slot);
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(Frame.MatchBits), xid);
        Body.MatchBits = xid + (uint)descriptors - 1;
        node.Append(_bytes);
    }
}
