using System.Net;
using System.Net.Sockets;

namespace Nacre.LNet.Transports;

/// <summary>TCP over raw sockets, Nagle off, TCP keepalive as kernels set it (01 section 8.2).</summary>
public sealed class TcpTransport : ITransport
{
    private const int Backlog = 512;
    private const int HighestPrivilegedPort = 1023;
    private const int LowestPrivilegedPort = 512;

    public ValueTask<ITransportListener> ListenAsync(IPEndPoint at, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(at);
        ct.ThrowIfCancellationRequested();
        var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(at);
            socket.Listen(Backlog);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new ValueTask<ITransportListener>(new TcpConnectionListener(socket));
    }

    public async ValueTask<IByteConnection> ConnectAsync(IPEndPoint to, bool privilegedSourcePort, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(to);
        if (!privilegedSourcePort) return await ConnectFromAsync(to, 0, ct).ConfigureAwait(false);
        for (var port = HighestPrivilegedPort; port >= LowestPrivilegedPort; port--)
        {
            try
            {
                return await ConnectFromAsync(to, port, ct).ConfigureAwait(false);
            }
            catch (SocketException e) when (IsPortTaken(e))
            {
                // Somebody uses it, or an earlier connection from it has not been forgotten yet.
            }
        }

        throw new SocketException((int)SocketError.AddressAlreadyInUse);
    }

    private static bool IsPortTaken(SocketException e) =>
        e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AddressNotAvailable;

    private static async ValueTask<IByteConnection> ConnectFromAsync(IPEndPoint to, int port, CancellationToken ct)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            var any = to.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;
            if (port != 0) socket.Bind(new IPEndPoint(any, port));
            await socket.ConnectAsync(to, ct).ConfigureAwait(false);
            return new TcpByteConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

internal sealed class TcpConnectionListener(Socket socket) : ITransportListener
{
    public IPEndPoint LocalEndPoint { get; } = (IPEndPoint)socket.LocalEndPoint!;

    public async ValueTask<IByteConnection> AcceptAsync(CancellationToken ct)
    {
        Socket? accepted = null;
        try
        {
            accepted = await socket.AcceptAsync(ct).ConfigureAwait(false);
            return new TcpByteConnection(accepted);
        }
        catch (Exception e)
        {
            accepted?.Dispose();
            if (e is ObjectDisposedException || e is SocketException { SocketErrorCode: SocketError.OperationAborted })
                throw new OperationCanceledException("the listener is closed", e);
            throw;
        }
    }

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
