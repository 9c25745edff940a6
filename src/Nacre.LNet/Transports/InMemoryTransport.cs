using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Nacre.LNet.Transports;

/// <summary>
/// A network inside the process: the same byte streams as TCP without sockets, with faults on demand. Delays run on the
/// given clock.
/// </summary>
public sealed class InMemoryTransport(TimeProvider time) : ITransport
{
    private const int FirstEphemeralPort = 32768;
    private const int HighestPrivilegedPort = 1023;

    private readonly ConcurrentDictionary<IPEndPoint, Listener> _listeners = new();
    private int _dialled;
    private int _privileged;
    private int _listened;

    /// <summary>Asked for each new connection with its number, counted from 0 in the order of dialling.</summary>
    public Func<int, ConnectionFaults> Faults { get; set; } = static _ => ConnectionFaults.None;

    public ValueTask<ITransportListener> ListenAsync(IPEndPoint at, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(at);
        ct.ThrowIfCancellationRequested();
        if (at.Port == 0) at = new IPEndPoint(at.Address, FirstEphemeralPort - Interlocked.Increment(ref _listened));
        var listener = new Listener(this, at);
        if (!_listeners.TryAdd(at, listener)) throw new SocketException((int)SocketError.AddressAlreadyInUse);
        return new ValueTask<ITransportListener>(listener);
    }

    public ValueTask<IByteConnection> ConnectAsync(IPEndPoint to, bool privilegedSourcePort, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(to);
        ct.ThrowIfCancellationRequested();
        if (!_listeners.TryGetValue(to, out var listener)) throw new SocketException((int)SocketError.ConnectionRefused);
        var number = Interlocked.Increment(ref _dialled) - 1;
        var from = new IPEndPoint(IPAddress.Loopback, SourcePort(number, privilegedSourcePort));
        var faults = Faults(number);
        var toListener = new InMemoryStream(faults.ToListener, time);
        var toCaller = new InMemoryStream(faults.ToCaller, time);
        var caller = new InMemoryConnection(from, to, toCaller, toListener);
        var callee = new InMemoryConnection(to, from, toListener, toCaller);
        if (!listener.Queue.Writer.TryWrite(callee)) throw new SocketException((int)SocketError.ConnectionRefused);
        return new ValueTask<IByteConnection>(caller);
    }

    private int SourcePort(int number, bool privileged) => privileged
        ? HighestPrivilegedPort - (Interlocked.Increment(ref _privileged) - 1) % 512
        : FirstEphemeralPort + number % (ushort.MaxValue - FirstEphemeralPort);

    private sealed class Listener(InMemoryTransport network, IPEndPoint at) : ITransportListener
    {
        public Channel<IByteConnection> Queue { get; } = Channel.CreateUnbounded<IByteConnection>();

        public IPEndPoint LocalEndPoint => at;

        public async ValueTask<IByteConnection> AcceptAsync(CancellationToken ct)
        {
            try
            {
                return await Queue.Reader.ReadAsync(ct).ConfigureAwait(false);
            }
            catch (ChannelClosedException e)
            {
                throw new OperationCanceledException("the listener is closed", e);
            }
        }

        public ValueTask DisposeAsync()
        {
            network._listeners.TryRemove(at, out _);
            Queue.Writer.TryComplete();
            while (Queue.Reader.TryRead(out var waiting)) waiting.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>One end of an in-memory connection.</summary>
internal sealed class InMemoryConnection(IPEndPoint local, IPEndPoint remote, InMemoryStream incoming, InMemoryStream outgoing)
    : IByteConnection
{
    public IPEndPoint LocalEndPoint => local;

    public IPEndPoint RemoteEndPoint => remote;

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer) => incoming.ReadAsync(buffer);

    public int TrySend(ReadOnlySpan<ReadOnlyMemory<byte>> segments)
    {
        var total = 0;
        foreach (var segment in segments)
        {
            var taken = outgoing.TryWrite(segment.Span);
            total += taken;
            if (outgoing.IsCut) incoming.Break();
            if (taken < segment.Length) break;
        }

        return total;
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var taken = TrySend([buffer]);
            buffer = buffer[taken..];
            if (taken == 0) await outgoing.WhenWritable().ConfigureAwait(false);
        }
    }

    public void ShutdownSend() => outgoing.End();

    public void Dispose()
    {
        outgoing.End();
        outgoing.BreakWriter();
        incoming.Break();
    }
}
