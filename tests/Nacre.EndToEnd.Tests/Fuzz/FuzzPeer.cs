using System.Collections.Concurrent;
using System.Net;
using System.Runtime.InteropServices;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>
/// A hostile client: connected like a kernel, with valid handles, so that its damaged requests get deep; or with a damaged HELLO. It answers
/// most callbacks and bulk transfers, so that the server goes on. One loop sends, one loop a connection receives.
/// </summary>
internal sealed partial class FuzzPeer(FuzzPeerOptions options, FuzzCorpus corpus, Random random, FuzzStatistics statistics) : IAsyncDisposable
{
    private const int MessagesBetweenPings = 24;
    private static readonly TimeSpan SendLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ReplyLimit = TimeSpan.FromSeconds(2);

    private readonly Mutator _mutator = new(corpus, random);
    private string _clientUuid = NewUuid(random);
    private uint _connectionCount = 1;
    private volatile bool _isClosed;

    /// <summary>A target does not know this client any more.</summary>
    private volatile bool _needsConnect;
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<byte[]>> _pending = new();
    private readonly Dictionary<string, ulong> _handles = [];
    private readonly Queue<(ulong Xid, byte[] Payload)> _recent = new();
    private readonly ulong _incarnation = (ulong)random.NextInt64();
    private readonly List<IByteConnection> _connections = [];
    private readonly SemaphoreSlim _sendGate = new(1);
    private readonly List<Task> _receivers = [];
    private ulong _xid = (ulong)random.Next(1, 1 << 24) << 32;

    /// <summary>Sends so many messages, reconnecting whenever the server had enough.</summary>
    public async Task SendAsync(long messages, CancellationToken ct)
    {
        for (long i = 0; i < messages && !ct.IsCancellationRequested;)
        {
            try
            {
                if (_connections.Count == 0)
                {
                    await DialAsync(ct);
                    _needsConnect = true;
                }

                if (_needsConnect)
                {
                    await ConnectTargetsAsync();
                }

                await SendOneAsync(ct);
                statistics.CountSent();
                if (++i % MessagesBetweenPings == 0)
                {
                    await PingAsync();
                }
            }
            catch (TimeoutException)
            {
                // A damaged connect has made this connection an old one, whose requests are dropped; or the server has no time.
                statistics.CountTimeout();
                _clientUuid = NewUuid(random);
                HangUp();
            }
            catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException or ObjectDisposedException)
            {
                // The server has closed the connection, as it should after such a message.
                statistics.CountClosed();
                HangUp();
            }
        }

        HangUp();
        await Task.WhenAll(_receivers);
    }

    /// <summary>Messages sent lately whose number occurs in a text, to find what an error was about.</summary>
    public IEnumerable<(ulong Xid, byte[] Payload)> Mentioned(string text)
    {
        lock (_recent)
        {
            return [.. _recent.Where(message => text.Contains($"{message.Xid:x}"))];
        }
    }

    public async ValueTask DisposeAsync()
    {
        HangUp();
        await Task.WhenAll(_receivers);
    }

    private async Task SendOneAsync(CancellationToken ct)
    {
        switch (random.Next(200))
        {
            case 0:
                await SendGarbageHelloAsync(ct);
                break;
            case 1:
                await SendFrameAsync(DamagedFrame());
                break;
            case 2:
                // Connects out of order: again, under the same name, while requests run.
                await ConnectTargetsAsync();
                break;
            default:
                var seed = corpus.Pick(random);
                if (Opcode.IsDisconnect(seed.Opcode) && random.Next(20) != 0)
                {
                    break;
                }

                var portal = random.Next(25) == 0 ? (uint)random.Next(70) : seed.Portal;
                await SendRequestAsync(portal, _mutator.Mutate(Personalise(seed)));
                break;
        }
    }

    /// <summary>A captured request as if this client had made it: its handle, its numbers.</summary>
    private byte[] Personalise(FuzzSeed seed)
    {
        var payload = (byte[])seed.Payload.Clone();
        if (LustreMessage.TryParse(payload, out var message) != MessageError.None)
        {
            return payload;
        }

        ref var body = ref MemoryMarshal.AsRef<PtlrpcBody>(payload.AsSpan(MessageLayout.HeaderSize(message.BufferCount)));
        // As this client has connected; a request of another kind of node would be dropped.
        MemoryMarshal.AsRef<MessageHeader>(payload.AsSpan()).SecurityFlavour = 0;
        body.Handle = HandleFor(seed.Portal);
        body.ConnectionCount = random.Next(20) == 0 ? body.ConnectionCount : _connectionCount;
        body.MatchBits = _xid + XidStep;
        body.LastXid = _xid - (XidStep * 2);
        if (Opcode.IsConnect(seed.Opcode) && message.BufferLength(2) >= ObdUuid.BufferSize)
        {
            var offset = MessageLayout.HeaderSize(message.BufferCount) + MessageLayout.Round8(message.BufferLength(0)) + MessageLayout.Round8(message.BufferLength(1));
            ObdUuid.Write(_clientUuid, payload.AsSpan(offset, ObdUuid.BufferSize));
        }

        return payload;
    }

    private ulong HandleFor(uint portal)
    {
        lock (_handles)
        {
            var kind = portal switch
            {
                Portal.MgsRequest => "MGS",
                Portal.OstRequest or Portal.OstIo or Portal.OstCreate or Portal.SeqData => "OST",
                Portal.LdlmCancelRequest => "",
                _ => "MDT",
            };
            var fitting = _handles.Where(handle => handle.Key.Contains(kind)).ToArray();
            return fitting.Length == 0 ? 0 : fitting[random.Next(fitting.Length)].Value;
        }
    }

    private async Task SendRequestAsync(uint portal, byte[] payload)
    {
        _xid += XidStep;
        lock (_recent)
        {
            _recent.Enqueue((_xid, payload));
            if (_recent.Count > 2000)
            {
                _recent.Dequeue();
            }
        }

        await SendFrameAsync(NewPut(portal, _xid, payload));
    }

    /// <summary>Connects to every target with a valid request; a refusal leaves it without handle.</summary>
    private async Task ConnectTargetsAsync()
    {
        _connectionCount++;
        _needsConnect = false;
        var refused = false;
        foreach (var target in options.Targets)
        {
            var (opcode, portal, wanted) = target switch
            {
                "MGS" => (Opcode.MgsConnect, Portal.MgsRequest, PtlRpc.ImportOptions.MgsWanted),
                _ when target.Contains("MDT") => (Opcode.MdsConnect, Portal.MdsRequest, PtlRpc.ImportOptions.MdtWanted),
                _ => (Opcode.OstConnect, Portal.OstRequest, PtlRpc.ImportOptions.OstWanted),
            };
            var reply = await AskAsync((uint)portal, BuildConnect(opcode, target, wanted));
            if (LustreMessage.TryParse(reply, out var message) == MessageError.None)
            {
                message.ReadBody(out var body);
                refused |= body.Status != 0;
                lock (_handles)
                {
                    _handles[target] = body.Status == 0 ? body.Handle : 0;
                }
            }
        }

        if (refused)
        {
            // Requests of this name still run, or a damaged connect came before: go on under another.
            _clientUuid = NewUuid(random);
            _needsConnect = true;
        }
    }

    /// <summary>Keeps this loop from running far ahead of the server, and finds connections the server has taken a damaged connect for.</summary>
    private async Task PingAsync()
    {
        var portal = random.Next(3) switch { 0 => Portal.MgsRequest, 1 => Portal.MdsRequest, _ => Portal.OstRequest };
        var reply = await AskAsync((uint)portal, Build(Opcode.ObdPing, HandleFor((uint)portal)));
        if (LustreMessage.TryParse(reply, out var message) == MessageError.None)
        {
            message.ReadBody(out var body);
            if (body.Status != 0)
            {
                // A damaged number has made all later requests old ones.
                _clientUuid = NewUuid(random);
                _needsConnect = true;
            }
        }
    }

    private async Task<byte[]> AskAsync(uint portal, byte[] payload)
    {
        _xid += XidStep;
        var answer = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending[_xid] = answer;
        try
        {
            await SendFrameAsync(NewPut(portal, _xid, payload));
            return await answer.Task.WaitAsync(ReplyLimit);
        }
        finally
        {
            _pending.TryRemove(_xid, out _);
        }
    }

    private byte[] BuildConnect(uint opcode, string target, ObdConnectData wanted)
    {
        var builder = new MessageBuilder();
        builder.Start([ObdUuid.BufferSize, ObdUuid.BufferSize, sizeof(ulong), ObdConnectData.Size, 0]);
        ObdUuid.Write(target, builder.Buffer(1));
        ObdUuid.Write(_clientUuid, builder.Buffer(2));
        MemoryMarshal.Write(builder.Buffer(3), ((ulong)_clientUuid.GetHashCode(StringComparison.Ordinal) << 8) | (uint)target.Length);
        builder.Get<ObdConnectData>(4) = wanted;
        return Finish(builder, opcode, 0, ConnectOperationFlags.Initial);
    }

    private static string NewUuid(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes).ToString();
    }

    private byte[] Build(uint opcode, ulong handle)
    {
        var builder = new MessageBuilder();
        builder.Start([]);
        return Finish(builder, opcode, handle, ConnectOperationFlags.None);
    }

    private byte[] Finish(MessageBuilder builder, uint opcode, ulong handle, ConnectOperationFlags flags)
    {
        builder.Header.ReplySize = 1024;
        ref var body = ref builder.Body;
        body.Type = MessageType.Request;
        body.Version = ServiceVersion.Message | Opcode.VersionOf(opcode);
        body.Opcode = opcode;
        body.Handle = handle;
        body.ConnectionCount = _connectionCount;
        body.OperationFlags = flags;
        body.Timeout = 100;
        return builder.Finish().ToArray();
    }
}

/// <summary>Whom a <see cref="FuzzPeer"/> attacks, and as whom.</summary>
internal sealed record FuzzPeerOptions(ITransport Transport, IPEndPoint Server, Nid ServerNid, Nid Nid, IReadOnlyList<string> Targets);
