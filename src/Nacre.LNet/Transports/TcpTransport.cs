using System.Net;

namespace Nacre.LNet.Transports;

/// <summary>TCP over raw sockets, Nagle off, TCP keepalive as kernels set it (01 section 8.2).</summary>
public sealed class TcpTransport : ITransport
{
    public ValueTask<ITransportListener> ListenAsync(IPEndPoint at, CancellationToken ct) => throw new NotImplementedException();

    public ValueTask<IByteConnection> ConnectAsync(IPEndPoint to, bool privilegedSourcePort, CancellationToken ct) => throw new NotImplementedException();
}
