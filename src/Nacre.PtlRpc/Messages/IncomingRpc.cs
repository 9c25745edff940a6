using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>
/// A request this node received, and the reply being built for it. What server handlers (<see cref="RpcRequest"/>) and callback
/// handlers of a client (<c>CallbackRequest</c>) share. Pooled: valid until the handler's task completes, then not to be touched.
/// </summary>
public abstract class IncomingRpc
{
    /// <summary>Requests up to this size are copied into memory that stays with the object.</summary>
    private const int KeptBytes = 2048;

    private readonly byte[] _kept = new byte[KeptBytes];
    private readonly int[] _offsets = new int[MessageHeader.MaxBuffers];
    private readonly int[] _lengths = new int[MessageHeader.MaxBuffers];
    private byte[] _message = [];
    private int _size;
    private PtlrpcBody _body;

    private protected readonly MessageBuilder ReplyBuilder = new();

    /// <summary>Match bits of the request's PUT; the identity of the request within its import.</summary>
    public ulong Xid { get; private protected set; }

    /// <summary>Where the request came from and the reply goes to.</summary>
    public PeerId Peer { get; private protected set; }

    /// <summary>Local NID the request was addressed to.</summary>
    public Nid Self { get; private protected set; }

    /// <summary>Request portal it arrived on.</summary>
    public int Portal { get; private protected set; }

    public uint Opcode => _body.Opcode;

    /// <summary>Buffer 0 of the request.</summary>
    public ref readonly PtlrpcBody Body => ref _body;

    /// <summary>A copy with this xid was sent before, and may have been executed.</summary>
    public bool IsResent => (_body.Flags & BodyFlags.Resent) != 0;

    public bool IsReplay => (_body.Flags & BodyFlags.Replay) != 0;

    /// <summary>Number of request buffers, the body included.</summary>
    public int BufferCount { get; private set; }

    /// <summary>Unrounded length; 0 for a buffer that was not sent.</summary>
    public int BufferLength(int index) => (uint)index < (uint)BufferCount ? _lengths[index] : 0;

    /// <summary>True when the buffer is present and not empty.</summary>
    public bool Has(int index) => BufferLength(index) > 0;

    /// <summary>A request buffer; empty when it was not sent.</summary>
    public ReadOnlySpan<byte> Buffer(int index) => (uint)index < (uint)BufferCount
        ? _message.AsSpan(_offsets[index], _lengths[index])
        : default;

    /// <summary>A request buffer for use across awaits; empty when it was not sent.</summary>
    public ReadOnlyMemory<byte> BufferMemory(int index) => (uint)index < (uint)BufferCount
        ? _message.AsMemory(_offsets[index], _lengths[index])
        : default;

    /// <summary>The structure at the start of a request buffer, in place. Surplus bytes are ignored (02 section 2.8).</summary>
    /// <exception cref="RpcException">EPROTO: the buffer is absent or shorter than the structure.</exception>
    public ref readonly T Get<T>(int index)
        where T : unmanaged
    {
        var buffer = Buffer(index);
        if (buffer.Length < Unsafe.SizeOf<T>())
        {
            ThrowShort(index, buffer.Length, Unsafe.SizeOf<T>());
        }

        return ref Unsafe.As<byte, T>(ref MemoryMarshal.GetReference(buffer));
    }

    /// <summary>All whole elements of an array buffer.</summary>
    /// <exception cref="RpcException">EPROTO: the length is not a multiple of the element size.</exception>
    public ReadOnlySpan<T> GetArray<T>(int index)
        where T : unmanaged
    {
        var buffer = Buffer(index);
        if (buffer.Length % Unsafe.SizeOf<T>() != 0)
        {
            ThrowShort(index, buffer.Length, Unsafe.SizeOf<T>());
        }

        return MemoryMarshal.Cast<byte, T>(buffer);
    }

    /// <summary>The bytes before the NUL; empty when the buffer is absent or empty.</summary>
    /// <exception cref="RpcException">EPROTO: there is no NUL in the buffer.</exception>
    public ReadOnlySpan<byte> GetString(int index)
    {
        var buffer = Buffer(index);
        if (buffer.IsEmpty)
        {
            return buffer;
        }

        var end = buffer.IndexOf((byte)0);
        if (end < 0)
        {
            throw new RpcException(Errno.EPROTO, rpcLevel: true, $"buffer {index} has no NUL");
        }

        return buffer[..end];
    }

    /// <summary>
    /// Result of the operation: 0, a negative errno, or a positive lock status (301...). OST_READ: the bytes moved.
    /// </summary>
    public int Status { get; set; }

    /// <summary>True once <see cref="StartReply"/> was called.</summary>
    public bool ReplyStarted => ReplyBuilder.BufferCount > 0;

    /// <summary>
    /// Lays out the reply: one zeroed buffer for each length, from index 1. Without it the reply has the body only. A second call
    /// starts anew. All buffers of the format must be there, unused ones with length 0.
    /// </summary>
    public void StartReply(params ReadOnlySpan<int> lengths) => ReplyBuilder.Start(lengths);

    /// <summary>A structure of the reply, in place. The reference survives <see cref="ShrinkReply"/>, not <see cref="GrowReply"/>.</summary>
    public ref T Reply<T>(int index)
        where T : unmanaged => ref ReplyBuilder.Get<T>(index);

    public Span<byte> ReplyBuffer(int index) => ReplyBuilder.Buffer(index);

    public int ReplyLength(int index) => ReplyBuilder.Length(index);

    /// <summary>Gives back what was reserved in excess; buffers behind it move up when the reply leaves.</summary>
    public void ShrinkReply(int index, int length) => ReplyBuilder.Shrink(index, length);

    /// <summary>Last resort: lengthens a reply buffer, keeping the contents of all. References into the reply become stale.</summary>
    public void GrowReply(int index, int length) => ReplyBuilder.Grow(index, length);

    /// <summary>Ends in a reply of the body only with this error (positive errno).</summary>
    /// <param name="errno">Positive error number.</param>
    /// <param name="rpcLevel">Answer with <see cref="MessageType.Error"/>; use it where the operation did not run (02 section 3.2).</param>
    public void Fail(int errno, bool rpcLevel = false)
    {
        Debug.Assert(errno > 0, "errors are given as positive numbers");
        ReplyBuilder.Reset();
        Status = -errno;
        FailedAsRpc = rpcLevel;
    }

    /// <summary>No reply at all.</summary>
    public void Drop() => Dropped = true;

    private protected bool FailedAsRpc { get; set; }

    private protected bool Dropped { get; set; }

    private protected int MessageSize => _size;

    /// <summary>A view of the copied message.</summary>
    internal LustreMessage Message => LustreMessage.Trusted(_message.AsSpan(0, _size));

    /// <summary>Copies a checked message in.</summary>
    private protected void Load(LustreMessage message, in PtlrpcBody body)
    {
        _size = message.Bytes.Length;
        _message = _size <= KeptBytes ? _kept : ArrayPool<byte>.Shared.Rent(_size);
        message.Bytes.CopyTo(_message);
        message.CopyTable(_offsets, _lengths);
        BufferCount = message.BufferCount;
        _body = body;
    }

    private protected void Clear()
    {
        if (_message != _kept && _size > 0)
        {
            ArrayPool<byte>.Shared.Return(_message);
        }

        _message = [];
        _size = 0;
        BufferCount = 0;
        Status = 0;
        FailedAsRpc = false;
        Dropped = false;
        ReplyBuilder.Reset();
    }

    private static void ThrowShort(int index, int length, int wanted) =>
        throw new RpcException(Errno.EPROTO, rpcLevel: true, $"buffer {index} has {length} bytes, {wanted} wanted");
}
