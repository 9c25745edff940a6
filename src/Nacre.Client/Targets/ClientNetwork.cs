using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Nacre.PtlRpc;

namespace Nacre.Client.Targets;

/// <summary>This mount's own LNet node and RPC client, and what became of dialling each server last.</summary>
internal sealed class ClientNetwork : IAsyncDisposable
{
    private readonly LNetNode _lnet;
    private readonly int _port;
    private readonly ConcurrentDictionary<PeerId, Exception> _failures = new();

    public ClientNetwork(MountOptions options)
    {
        _port = options.Port;
        var lnetOptions = new LNetOptions
        {
            LocalNid = options.LocalNid ?? FindLocalNid(options.ManagementNids[0], options.Port),
            LocalPid = options.LocalPid ?? NewPid(),
            DialFromPrivilegedPorts = options.PrivilegedPorts,
        };
        _lnet = new LNetNode(
            lnetOptions, options.Transport ?? new TcpTransport(), options.Time, options.Logging.CreateLogger<LNetNode>());
        Rpc = new RpcClient(
            _lnet, new RpcClientOptions { Dial = DialAsync }, options.Time, options.Logging.CreateLogger<RpcClient>());
    }

    public RpcClient Rpc { get; }

    public Nid LocalNid => _lnet.LocalNid;

    /// <summary>Why the last attempt to reach a peer failed; null when it did not.</summary>
    public Exception? FailureOf(PeerId peer) => _failures.GetValueOrDefault(peer);

    public IPEndPoint EndPointOf(PeerId peer) => new(peer.Nid.Address, _port);

    /// <summary>Connects to a node and asks it to answer on LNet's level (01 section 13.4).</summary>
    /// <exception cref="SocketException">It cannot be reached.</exception>
    /// <exception cref="IOException">It does not speak LNet, or did not answer in time.</exception>
    public async ValueTask<LNetPingInfo> PingAsync(PeerId peer, TimeSpan timeout, CancellationToken ct)
    {
        await DialAsync(peer, ct).ConfigureAwait(false);
        return await _lnet.PingAsync(peer, timeout, ct).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await Rpc.DisposeAsync().ConfigureAwait(false);
        await _lnet.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask DialAsync(PeerId peer, CancellationToken ct)
    {
        try
        {
            await _lnet.ConnectAsync(peer, EndPointOf(peer), ct).ConfigureAwait(false);
            _failures.TryRemove(peer, out _);
        }
        catch (Exception failure) when (failure is SocketException or IOException)
        {
            _failures[peer] = failure;
            throw;
        }
    }

    /// <summary>
    /// Two mounts of one machine have one address, and a server tells peers apart by address and process id, so each takes an id of its own, in
    /// the range of those that are not kernels (01 section 2.4). The reserved bits of the id stay clear.
    /// </summary>
    private static uint NewPid() => PeerId.UserFlag | (uint)Random.Shared.Next(1 << 16, 1 << 28);

    /// <summary>The source address the system would use; a datagram socket finds it without sending anything.</summary>
    private static Nid FindLocalNid(Nid server, int port)
    {
        try
        {
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(new IPEndPoint(server.Address, port));
            return Nid.FromTcp(((IPEndPoint)probe.LocalEndPoint!).Address, server.NetworkNumber);
        }
        catch (SocketException failure)
        {
            throw new MountException(PtlRpc.Wire.Errno.ENXIO, $"no route to {server.Address}: {failure.Message}", failure);
        }
    }
}
