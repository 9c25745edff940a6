using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.LNet.Connections;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;

namespace Nacre.LNet;

/// <content>The passive side: acceptor request (01 section 3) and HELLO (section 4).</content>
public sealed partial class LNetNode
{
    private const int HighestPrivilegedPort = 1023;

    /// <summary>
    /// Bytes taken from a refused caller before the connection is closed, so that the refusal is not destroyed by a reset.
    /// </summary>
    private const int MaxDrained = 64 << 10;

    private static readonly TimeSpan AcceptRetryDelay = TimeSpan.FromMilliseconds(100);

    private ITransportListener? _listener;

    /// <summary>Begins to accept connections.</summary>
    /// <exception cref="SocketException">The port is taken, or there is no privilege for it.</exception>
    public async ValueTask StartListeningAsync(IPEndPoint at, CancellationToken ct)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        if (_listener is not null) throw new InvalidOperationException("the node listens already");
        _listener = await _transport.ListenAsync(at, ct).ConfigureAwait(false);
        ListeningAt = _listener.LocalEndPoint;
        Log.Listening(Logger, ListeningAt, LocalNid);
        Track(AcceptLoopAsync(_listener));
    }

    private async Task AcceptLoopAsync(ITransportListener listener)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var caller = await listener.AcceptAsync(_stopping.Token).ConfigureAwait(false);
                Track(WelcomeAsync(caller, Interlocked.Increment(ref _handshakesBegun)));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                // Out of descriptors, or a caller that was gone already. The former passes only when others close.
                PeerLog.AcceptFailed(e.Message);
                var delay = Task.Delay(AcceptRetryDelay, _time, _stopping.Token);
                await delay.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Takes a caller through its handshake. Never throws.</summary>
    private async Task WelcomeAsync(IByteConnection caller, long order)
    {
        await default(ThreadPoolYield);
        using var handshake = _handshakes.Add(caller, DeadlineAfter(Options.AcceptTimeout));
        handshake.Order = order;
        try
        {
            var objection = await ShakeHandsAsync(handshake).ConfigureAwait(false);
            if (objection is not null) PeerLog.TurnedAway(caller.RemoteEndPoint, objection);
        }
        catch (Exception e) when (Connection.IsConnectionFailure(e))
        {
            var tooSlow = handshake.Deadline <= _time.GetTimestamp();
            PeerLog.TurnedAway(caller.RemoteEndPoint, tooSlow ? "it is too slow" : e.Message);
        }
        catch (Exception e)
        {
            Log.HandshakeFailed(Logger, caller.RemoteEndPoint, e);
        }
    }

    /// <summary>Returns why the caller is turned away, or null when it has become a connection.</summary>
    private async ValueTask<string?> ShakeHandsAsync(Handshake handshake)
    {
        if (!Options.AcceptUnprivilegedPorts && handshake.Bytes.RemoteEndPoint.Port > HighestPrivilegedPort)
            return "its source port is not privileged";

        var buffer = new byte[KsockHello.Size];
        if (!await handshake.ReadAsync(buffer.AsMemory(0, AcceptorRequest.Size)).ConfigureAwait(false))
            return "it said nothing";
        if (Judge(MemoryMarshal.Read<AcceptorRequest>(buffer), out var answerVersion) is { } objection)
        {
            if (answerVersion) await handshake.Bytes.SendAsync(BytesOf(new AcceptorRequest(default))).ConfigureAwait(false);
            return objection;
        }

        handshake.Deadline = DeadlineAfter(Options.AcceptTimeout);
        if (!await handshake.ReadAsync(buffer).ConfigureAwait(false)) return "it sent no HELLO";
        var hello = MemoryMarshal.Read<KsockHello>(buffer);
        return await AnswerAsync(handshake, hello).ConfigureAwait(false);
    }

    /// <summary>01 section 3.3. Null when the request is for us.</summary>
    private string? Judge(in AcceptorRequest request, out bool answerVersion)
    {
        answerVersion = request.Magic == KsockHello.ExpectedMagic
            || (request.Magic == AcceptorRequest.ExpectedMagic && request.Version is not (1 or 2));
        if (answerVersion) return $"it speaks version {request.Version} of the acceptor protocol";
        if (request.Magic == BinaryPrimitives.ReverseEndianness(AcceptorRequest.ExpectedMagic))
            return "it is big-endian, which is not supported";
        if (request.Magic != AcceptorRequest.ExpectedMagic) return "it does not speak LNet";
        if (request.Version != AcceptorRequest.ExpectedVersion) return "it calls a large NID";
        return request.Nid == LocalNid ? null : $"it calls {request.Nid}, this is {LocalNid}";
    }

    private async ValueTask<string?> AnswerAsync(Handshake handshake, KsockHello hello)
    {
        if (hello.Magic == BinaryPrimitives.ReverseEndianness(KsockHello.ExpectedMagic))
            return "it is big-endian, which is not supported";
        if (hello.Magic != KsockHello.ExpectedMagic) return "its HELLO is of version 1 or none at all";
        if (!KsockHello.IsKnown(hello.Version)) return await OfferOurVersionAsync(handshake, hello).ConfigureAwait(false);
        if (hello.SrcNid == Nid.Any) return "it has no NID";
        if (!hello.Type.IsValid()) return $"it asks for connection type {(int)hello.Type}";
        if (!await TrySkipAddressesAsync(handshake, hello.AddressCount).ConfigureAwait(false))
            return "its address list is wrong";

        var caller = new PeerId(hello.SrcNid, hello.SrcPid);
        var terms = new ConnectionTerms(caller, hello.SrcIncarnation, hello.Type.Invert(), hello.Version, handshake.Order);
        if (!HasRoomFor(terms)) return "there are too many peers";
        await handshake.Bytes.SendAsync(BytesOf(AnswerTo(hello))).ConfigureAwait(false);
        return Attach(handshake.Keep(), terms) is null ? CloseUnattached(handshake) : null;
    }

    private static string CloseUnattached(Handshake handshake)
    {
        handshake.Bytes.Dispose();
        return "there are too many peers, or the node stops";
    }

    /// <summary>Echoes what the caller left for us to echo.</summary>
    private KsockHello AnswerTo(in KsockHello hello) => hello with
    {
        SrcNid = LocalNid,
        DstNid = hello.SrcNid,
        SrcPid = Options.LocalPid,
        SrcIncarnation = Incarnation,
        Type = hello.Type.Invert(),
        AddressCount = 0,
    };

    /// <summary>A version we do not speak: our best one with type -1, then the end (01 section 4.5).</summary>
    private async ValueTask<string> OfferOurVersionAsync(Handshake handshake, KsockHello hello)
    {
        var offer = AnswerTo(hello) with
        {
            Version = KsockHello.Version3,
            DstNid = LocalNid,
            DstPid = 0,
            DstIncarnation = 0,
            Type = ConnectionType.None,
        };
        await handshake.Bytes.SendAsync(BytesOf(offer)).ConfigureAwait(false);
        handshake.Bytes.ShutdownSend();
        var drain = new byte[4096];
        for (var drained = 0; drained < MaxDrained;)
        {
            var count = await handshake.Bytes.ReceiveAsync(drain).ConfigureAwait(false);
            if (count == 0) break;
            drained += count;
        }

        return $"its HELLO is of version {hello.Version}";
    }

    /// <summary>At most 16 non-zero addresses, which nobody uses any more.</summary>
    private static async ValueTask<bool> TrySkipAddressesAsync(Handshake handshake, uint count)
    {
        if (count == 0) return true;
        if (count > KsockHello.MaxAddresses) return false;
        var addresses = new byte[count * sizeof(uint)];
        if (!await handshake.ReadAsync(addresses).ConfigureAwait(false)) return false;
        return !MemoryMarshal.Cast<byte, uint>(addresses).Contains(0u);
    }

    private static byte[] BytesOf<T>(in T structure)
        where T : unmanaged
    {
        var bytes = new byte[Unsafe.SizeOf<T>()];
        MemoryMarshal.Write(bytes, in structure);
        return bytes;
    }
}
