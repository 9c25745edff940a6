using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Nacre.LNet.Connections;
using Nacre.LNet.Wire;

namespace Nacre.LNet;

/// <content>The active side: dialling a peer (01 sections 3.1, 4 and 5.1).</content>
public sealed partial class LNetNode
{
    /// <summary>Times a refusal of type -1 is taken as "try again".</summary>
    private const int MaxRefusals = 4;

    private static readonly TimeSpan RefusalDelay = TimeSpan.FromSeconds(1);

    /// <summary>The order kernels use.</summary>
    private static readonly ConnectionType[] DialledTypes =
        [ConnectionType.Control, ConnectionType.BulkIn, ConnectionType.BulkOut];

    /// <summary>One set of connections to a peer is dialled at a time: a second CONTROL would replace the first.</summary>
    private readonly ConcurrentDictionary<PeerId, SemaphoreSlim> _dialling = new();

    /// <summary>
    /// Opens the connections to the peer that do not exist: CONTROL, BULK_IN, BULK_OUT. Returns when all are there.
    /// </summary>
    /// <exception cref="SocketException">Refused, unreachable, or no privilege for the source port asked for in the
    /// options.</exception>
    /// <exception cref="PeerUnreachableException">The peer is not the one expected, does not speak the protocol, refuses, or
    /// is too slow.</exception>
    public async ValueTask ConnectAsync(PeerId to, IPEndPoint at, CancellationToken ct)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, _stopping.Token);
        var turn = _dialling.GetOrAdd(to, static _ => new SemaphoreSlim(1));
        await turn.WaitAsync(either.Token).ConfigureAwait(false);
        try
        {
            await DialMissingAsync(to, at, either.Token).ConfigureAwait(false);
        }
        catch (Exception) when (_peers.TryGetValue(to, out var peer))
        {
            // Half a set is no use: the peer would answer on connections that are not there.
            peer.CloseAll("dialling failed");
            throw;
        }
        finally
        {
            turn.Release();
        }
    }

    private async ValueTask DialMissingAsync(PeerId to, IPEndPoint at, CancellationToken ct)
    {
        var version = (uint)Options.HelloVersion;
        foreach (var type in DialledTypes)
        {
            if (_peers.TryGetValue(to, out var peer) && peer.Has(type)) continue;
            version = await DialAsync(to, at, type, version, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Dials until accepted or refused too often. Returns the version the peer answered in.</summary>
    private async ValueTask<uint> DialAsync(
        PeerId to, IPEndPoint at, ConnectionType type, uint version, CancellationToken ct)
    {
        for (var refusals = 0; refusals < MaxRefusals; refusals++)
        {
            var answer = await DialOnceAsync(to, at, type, version, ct).ConfigureAwait(false);
            if (answer.Type != ConnectionType.None) return answer.Version;
            if (answer.Version != version) version = answer.Version;
            else await Task.Delay(RefusalDelay, _time, ct).ConfigureAwait(false);
        }

        throw new PeerUnreachableException($"{to} refuses connections");
    }

    private async ValueTask<KsockHello> DialOnceAsync(
        PeerId to, IPEndPoint at, ConnectionType type, uint version, CancellationToken ct)
    {
        var bytes = await _transport.ConnectAsync(at, Options.DialFromPrivilegedPorts, ct).ConfigureAwait(false);
        using var handshake = _handshakes.Add(bytes, DeadlineAfter(Options.LndTimeout));
        handshake.Order = Interlocked.Increment(ref _handshakesBegun);
        using var abandon = ct.UnsafeRegister(static state => ((Handshake)state!).Abandon(), handshake);
        try
        {
            var answer = await GreetAsync(handshake, to, type, version).ConfigureAwait(false);
            Check(answer, to, type);
            if (answer.Type == ConnectionType.None) return answer;
            var terms = new ConnectionTerms(to, answer.SrcIncarnation, type, answer.Version, handshake.Order);
            if (Attach(handshake.Keep(), terms) is not null) return answer;
            handshake.Bytes.Dispose();
            throw new PeerUnreachableException("there are too many peers, or the node stops");
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException and not PeerUnreachableException)
        {
            ct.ThrowIfCancellationRequested();
            throw new PeerUnreachableException($"{to} closed the connection or did not answer the HELLO: {e.Message}", e);
        }
    }

    /// <summary>Sends acceptor request and HELLO in one piece and reads the answer.</summary>
    private async ValueTask<KsockHello> GreetAsync(Handshake handshake, PeerId to, ConnectionType type, uint version)
    {
        var greeting = new byte[AcceptorRequest.Size + KsockHello.Size];
        MemoryMarshal.Write(greeting, new AcceptorRequest(to.Nid));
        MemoryMarshal.Write(greeting.AsSpan(AcceptorRequest.Size), NewHello(to, type, version));
        await handshake.Bytes.SendAsync(greeting).ConfigureAwait(false);

        var answer = new byte[KsockHello.Size];
        if (!await handshake.ReadAsync(answer).ConfigureAwait(false))
            throw new PeerUnreachableException($"{at(handshake)} does not serve {to.Nid}, or speaks another protocol");
        var hello = MemoryMarshal.Read<KsockHello>(answer);
        if (hello.Magic != KsockHello.ExpectedMagic || !KsockHello.IsKnown(hello.Version))
            throw new PeerUnreachableException($"{at(handshake)} answered with an unknown HELLO");
        if (!await TrySkipAddressesAsync(handshake, hello.AddressCount).ConfigureAwait(false))
            throw new PeerUnreachableException($"{at(handshake)} sent a HELLO with a wrong address list");
        return hello;

        static IPEndPoint at(Handshake handshake) => handshake.Bytes.RemoteEndPoint;
    }

    private KsockHello NewHello(PeerId to, ConnectionType type, uint version) => new()
    {
        Magic = KsockHello.ExpectedMagic,
        Version = version,
        SrcNid = LocalNid,
        DstNid = to.Nid,
        SrcPid = Options.LocalPid,
        SrcIncarnation = Incarnation,
        Type = type,
    };

    /// <summary>01 section 4.2: the answer is from the peer we called and of the inverse type, or a refusal.</summary>
    private static void Check(in KsockHello answer, PeerId to, ConnectionType type)
    {
        if (answer.Type == ConnectionType.None) return;
        var from = new PeerId(answer.SrcNid, answer.SrcPid);
        if (from != to) throw new PeerUnreachableException($"{from} answered instead of {to}");
        if (answer.Type != type.Invert()) throw new PeerUnreachableException($"{to} answered {type} with {answer.Type}");
    }
}
