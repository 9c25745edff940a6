using System.Net;

namespace Nacre.LNet.Transports;

/// <summary>
/// The seam to the network: reliable byte streams between IP end points. Real: <see cref="TcpTransport"/>; for tests: <see
/// cref="InMemoryTransport"/>.
/// </summary>
public interface ITransport
{
    /// <exception cref="System.Net.Sockets.SocketException">Port taken, or no privilege for it.</exception>
    ValueTask<ITransportListener> ListenAsync(IPEndPoint at, CancellationToken ct);

    /// <param name="privilegedSourcePort">Dial from a port between 512 and 1023, trying the highest first.</param>
    /// <exception cref="System.Net.Sockets.SocketException">Refused, unreachable, or no privilege for the source
    /// port.</exception>
    ValueTask<IByteConnection> ConnectAsync(IPEndPoint to, bool privilegedSourcePort, CancellationToken ct);
}

public interface ITransportListener : IAsyncDisposable
{
    /// <summary>Where it listens, with the real port when 0 was asked for.</summary>
    IPEndPoint LocalEndPoint { get; }

    /// <summary>The next caller.</summary>
    /// <exception cref="OperationCanceledException">Cancelled, or the listener was disposed.</exception>
    ValueTask<IByteConnection> AcceptAsync(CancellationToken ct);
}

/// <summary>
/// One byte stream. At most one receive and one send are under way at a time. A failed stream throws <see
/// cref="IOException"/> or <see cref="System.Net.Sockets.SocketException"/>; after <see cref="IDisposable.Dispose"/> pending
/// operations fail soon, and memory given to them is not touched once they have completed.
/// </summary>
public interface IByteConnection : IDisposable
{
    IPEndPoint LocalEndPoint { get; }

    IPEndPoint RemoteEndPoint { get; }

    /// <summary>Receives at least one byte; 0 at the end of the stream.</summary>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer);

    /// <summary>
    /// Takes what it can of the segments, in order, without waiting. Returns the bytes taken; 0 when none fit now.
    /// </summary>
    int TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> segments);

    /// <summary>Sends all of the buffer, waiting for room.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> buffer);

    /// <summary>No more bytes follow from this side; receiving goes on.</summary>
    void ShutdownSend();
}
