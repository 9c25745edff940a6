using System.Collections.Concurrent;
using System.Numerics;
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
    private readonly ReplyPool? _pool;
    private int _offset;
    private int _length;
    private PtlrpcBody _body;
    private bool _poolable;
    private int _disposed;

    internal RpcReply(byte[] memory, ReplyPool? pool)
    {
        Memory = memory;
        _pool = pool;
    }

    public ref readonly PtlrpcBody Body => ref _body;

    /// <summary>0, a negative errno, or a positive result.</summary>
    public int Status => IsError && _body.Status >= 0 ? -Errno.EINVAL : _body.Status;

    /// <summary>The RPC itself failed (02 section 3.2).</summary>
    public bool IsError => _body.Type == MessageType.Error;

    public ulong Transno => _body.Transno;

    public ulong LastCommitted => _body.LastCommitted;

    /// <summary>Number of buffers, the body included.</summary>
    public int BufferCount => Message.BufferCount;

    /// <summary>Bytes that bulk transfers of the request moved.</summary>
    public int BulkBytes { get; internal set; }

    /// <summary>The checksum of those bytes, where <see cref="RpcCall.SumBulk"/> asked for one and they arrived in a way that it could be made.</summary>
    public uint? BulkSum { get; internal set; }

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
        if (Interlocked.Exchange(ref _disposed, 1) == 0 && _poolable)
        {
            _pool?.Return(this);
        }
    }

    /// <summary>Where the reply is received.</summary>
    internal byte[] Memory { get; }

    /// <summary>A view of the message.</summary>
    internal LustreMessage Message => LustreMessage.Trusted(Memory.AsSpan(_offset, _length));

    /// <summary>Parses what has arrived in <see cref="Memory"/>. False when the bytes are not a message.</summary>
    internal bool TryLoad(int offset, int length)
    {
        if (offset < 0 || length < 0 || offset > Memory.Length - length
            || LustreMessage.TryParse(Memory.AsSpan(offset, length), out var message) != MessageError.None)
        {
            return false;
        }

        _offset = offset;
        _length = message.Bytes.Length;
        message.ReadBody(out _body);
        return true;
    }

    internal void Begin()
    {
        _poolable = false;
        BulkBytes = 0;
        BulkSum = null;
        Volatile.Write(ref _disposed, 0);
    }

    /// <summary>Nobody writes into <see cref="Memory"/> any more, so that it may serve another request after Dispose.</summary>
    internal void AllowReuse() => _poolable = true;
}

/// <summary>Replies between uses. Safe for any thread.</summary>
internal sealed class ReplyPool
{
    private const int PooledBytes = 4096;
    private const int MaxKept = 4096;

    private readonly ConcurrentQueue<RpcReply> _free = new();
    private int _kept;

    /// <summary>A reply with room for an early reply in front of a message of the given size (02 section 6.2).</summary>
    public RpcReply Rent(int replyBytes)
    {
        var bytes = (int)BitOperations.RoundUpToPowerOf2((uint)(replyBytes + MessageLayout.EarlyReplySize));
        RpcReply? reply;
        if (bytes > PooledBytes)
        {
            reply = new RpcReply(new byte[bytes], pool: null);
        }
        else if (_free.TryDequeue(out reply))
        {
            Interlocked.Decrement(ref _kept);
        }
        else
        {
            reply = new RpcReply(new byte[PooledBytes], this);
        }

        reply.Begin();
        return reply;
    }

    public void Return(RpcReply reply)
    {
        if (Interlocked.Increment(ref _kept) <= MaxKept)
        {
            _free.Enqueue(reply);
        }
        else
        {
            Interlocked.Decrement(ref _kept);
        }
    }
}
