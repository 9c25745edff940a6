using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Nacre.LNet.Transports;

/// <summary>A connected TCP socket.</summary>
internal sealed class TcpByteConnection : IByteConnection
{
    /// <summary>Segments given to one system call; the rest waits for the next.</summary>
    private const int MaxSegments = 64;

    private const int KeepaliveIdleSeconds = 30;
    private const int KeepaliveIntervalSeconds = 5;
    private const int KeepaliveCount = 5;

    private readonly Socket _socket;
    private readonly SafeSocketHandle _handle;
    private readonly MemoryHandle[] _pins = new MemoryHandle[MaxSegments];

    public TcpByteConnection(Socket socket)
    {
        _socket = socket;
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepaliveIdleSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepaliveIntervalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepaliveCount);
        LocalEndPoint = Ipv4((IPEndPoint)socket.LocalEndPoint!);
        RemoteEndPoint = Ipv4((IPEndPoint)socket.RemoteEndPoint!);
        _handle = socket.SafeHandle;
    }

    public IPEndPoint LocalEndPoint { get; }

    public IPEndPoint RemoteEndPoint { get; }

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer) => _socket.ReceiveAsync(buffer, SocketFlags.None);

    public unsafe int TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> segments)
    {
        var count = Math.Min(segments.Length, MaxSegments);
        var vectors = stackalloc SocketCalls.IoVector[MaxSegments];
        try
        {
            for (var i = 0; i < count; i++)
            {
                _pins[i] = segments[i].Pin();
                vectors[i] = new SocketCalls.IoVector { Base = _pins[i].Pointer, Length = (nuint)segments[i].Length };
            }

            return SocketCalls.SendNow(_handle, vectors, count);
        }
        catch (ObjectDisposedException e)
        {
            throw new IOException("the connection is closed", e);
        }
        finally
        {
            for (var i = 0; i < count; i++) _pins[i].Dispose();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync(ReadOnlyMemory<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var sent = await _socket.SendAsync(buffer, SocketFlags.None).ConfigureAwait(false);
            buffer = buffer[sent..];
        }
    }

    public void ShutdownSend() => _socket.Shutdown(SocketShutdown.Send);

    public void Dispose() => _socket.Dispose();

    private static IPEndPoint Ipv4(IPEndPoint at) =>
        at.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(at.Address.MapToIPv4(), at.Port) : at;
}
