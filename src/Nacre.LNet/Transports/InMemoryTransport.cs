using System.Net;

namespace Nacre.LNet.Transports;

/// <summary>A network inside the process, with faults on demand.</summary>
public sealed class InMemoryTransport(TimeProvider time) : ITransport
{
    public TimeProvider Time => time;

    public ValueTask<ITransportListener> ListenAsync(IPEndPoint at, CancellationToken ct) => throw new NotImplementedException();

    public ValueTask<IByteConnection> ConnectAsync(IPEndPoint to, bool privilegedSourcePort, CancellationToken ct) => throw new NotImplementedException();
}
