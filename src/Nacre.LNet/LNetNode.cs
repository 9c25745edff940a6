using System.Net;
using Microsoft.Extensions.Logging;
using Nacre.LNet.Transports;

namespace Nacre.LNet;

/// <summary>One LNet node: everything of 01.</summary>
public sealed class LNetNode : ILNet, IAsyncDisposable
{
    public LNetNode(LNetOptions options, ITransport transport, TimeProvider time, ILogger<LNetNode> log) => Options = options;

    public LNetOptions Options { get; }

    public Nid LocalNid => Options.LocalNid;

    /// <summary>Where the node listens; null before <see cref="StartListeningAsync"/>.</summary>
    public IPEndPoint? ListeningAt => null;

    public event Action<PeerId>? PeerLost { add => _ = value; remove => _ = value; }

    public ValueTask StartListeningAsync(IPEndPoint at, CancellationToken ct) => throw new NotImplementedException();

    public ValueTask ConnectAsync(PeerId to, IPEndPoint at, CancellationToken ct) => throw new NotImplementedException();

    public ValueTask<LNetPingInfo> PingAsync(PeerId to, TimeSpan timeout, CancellationToken ct) => throw new NotImplementedException();

    public void Serve(int portal, IPutReceiver receiver) => throw new NotImplementedException();

    public void StopServing(int portal) => throw new NotImplementedException();

    public bool TryPut(PeerId to, Nid from, int portal, ulong matchBits, uint offset, ReadOnlySpan<byte> payload) =>
        throw new NotImplementedException();

    public ValueTask<int> PutBulkAsync(
        PeerId to, Nid from, int portal, ulong matchBits, ReadOnlyMemory<byte> payload, TimeSpan timeout, CancellationToken ct = default) =>
        throw new NotImplementedException();

    public ValueTask<int> GetBulkAsync(
        PeerId to, Nid from, int portal, ulong matchBits, Memory<byte> sink, TimeSpan timeout, CancellationToken ct = default) =>
        throw new NotImplementedException();

    public PostedBuffer Post(int portal, PeerId from, ulong matchBits, Memory<byte> buffer, PostOptions options, IPostedEvents events) =>
        throw new NotImplementedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
