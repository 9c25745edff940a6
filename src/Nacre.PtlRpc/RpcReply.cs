using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc;

/// <summary>
/// The reply to a request this node sent. Dispose it to let its memory serve the next request; one that is not disposed is left to the
/// garbage collector.
/// </summary>
public sealed class RpcReply : IDisposable
{
    private readonly Action<RpcReply>? _release;
    private byte[] _memory;
    private int _offset;
    private int _length;
    private PtlrpcBody _body;
    private int _disposed;

    internal RpcReply(Action<RpcReply>? release)
    {
        _release = release;
        _memory = [];
    }

    public ref readonly PtlrpcBody Body => ref _body;

    /// <summary>0, a negative errno, or a positive result.</summary>
    public int Status => _body.Type == MessageType.Error && _body.Status >= 0 ? -Errno.EINVAL : _body.Status;

    /// <summary>The RPC itself failed (02 section 3.2).</summary>
    public bool IsError => _body.Type == MessageType.Error;

    public ulong Transno => _body.Transno;

    public ulong LastCommitted => _body.LastCommitted;

    public int BufferCount => Message.BufferCount;

    /// <summary>Bytes that bulk transfers of the request moved.</summary>
    public int BulkBytes { get; internal set; }

    public int BufferLength(int index) => Message.BufferLength(index);

    /// <summary>A reply buffer; empty when the reply has no such buffer.</summary>
    public ReadOnlySpan<byte> Buffer(int index) => Message.Buffer(index);

    /// <exception cref="RpcException">EPROTO: the buffer is absent or shorter than the structure.</exception>
    public ref readonly T Get<T>(int index)
        where T : unmanaged
    {
        var buffer = Buffer(index);
        if (buffer.Length < Unsafe.SizeOf<T>())
        {
            throw new RpcException(Errno.EPROTO, message: $"reply buffer {index} has {buffer.Length} bytes");
        }

        return ref MemoryMarshal.AsRef<T>(buffer);
    }

    /// <summary>Returns itself when the status is not negative.</summary>
    /// <exception cref="RpcException">The status is negative; the reply has been disposed.</exception>
    public RpcReply ThrowIfFailed()
    {
        var status = Status;
        if (status >= 0)
        {
            return this;
        }

        var (error, opcode) = (IsError, _body.Opcode);
        Dispose();
        throw new RpcException(-status, error, $"{Opcode.Name(opcode)} answered {Errno.Name(status)}");
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _release?.Invoke(this);
        }
    }

    /// <summary>The memory behind the reply, for its pool.</summary>
    internal byte[] Memory => _memory;

    /// <summary>A view of the message.</summary>
    internal LustreMessage Message => LustreMessage.Trusted(_memory.AsSpan(_offset, _length));

    /// <summary>False when the bytes are not a message.</summary>
    internal bool TryLoad(byte[] memory, int offset, int length)
    {
        if (LustreMessage.TryParse(memory.AsSpan(offset, length), out var message) != MessageError.None)
        {
            return false;
        }

        _memory = memory;
        _offset = offset;
        _length = message.Bytes.Length;
        message.ReadBody(out _body);
        BulkBytes = 0;
        Volatile.Write(ref _disposed, 0);
        return true;
    }
}
