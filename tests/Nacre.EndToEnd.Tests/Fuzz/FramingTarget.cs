using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Nacre.LNet.Wire;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>
/// The attacked LNet node. It answers requests, has buffers posted for everyone, and asks its callers for bulk all the time, so that
/// every path of a message has something to be damaged.
/// </summary>
internal sealed class FramingTarget : IPutReceiver, IAsyncDisposable
{
    public const int EchoPortal = 26;
    public const int BulkPortal = 8;
    public const int PostedBuffers = 16;
    private const int PostedBytes = 40_000;
    private const int MostEchoed = 4096;
    private const int BulkAtATime = 16;
    private static readonly int[] BulkSizes = [100, 5000, 20_000, 300_000];
    private static readonly TimeSpan BulkTimeout = TimeSpan.FromMilliseconds(500);

    private readonly ITransport _transport;

    private FramingTarget(ITransport transport, ILoggerFactory logging, bool tcp)
    {
        _transport = transport;
        Id = new PeerId(Nid.Parse(tcp ? "127.0.0.1@tcp" : "10.0.0.1@tcp"));
        Node = new LNetNode(new LNetOptions { LocalNid = Id.Nid }, transport, TimeProvider.System, logging.CreateLogger<LNetNode>());
    }

    public static WireHandle NoHandle { get; } = MemoryMarshal.Read<WireHandle>(Enumerable.Repeat((byte)0xFF, 16).ToArray());

    public PeerId Id { get; }

    public LNetNode Node { get; }

    public static async Task<FramingTarget> StartAsync(ITransport transport, ILoggerFactory logging, bool tcp)
    {
        var target = new FramingTarget(transport, logging, tcp);
        await target.Node.StartListeningAsync(new IPEndPoint(IPAddress.Loopback, 0), CancellationToken.None);
        target.Node.Serve(EchoPortal, target);
        target.PostBuffers();
        return target;
    }

    public ValueTask<IByteConnection> ConnectAsync() => _transport.ConnectAsync(Node.ListeningAt!, privilegedSourcePort: false, CancellationToken.None);

    /// <summary>Asks all peers but one for bulk until told to stop; most of it is answered with nonsense or never.</summary>
    public async Task AskForBulkAsync(PeerId except, CancellationToken ct)
    {
        var memory = new byte[BulkAtATime][];
        for (var i = 0; i < memory.Length; i++)
        {
            memory[i] = new byte[BulkSizes[i % BulkSizes.Length]];
        }

        while (!ct.IsCancellationRequested)
        {
            PeerId[] peers = [.. Node.Peers.Where(peer => peer != except)];
            await Task.WhenAll(memory.Select((buffer, i) => i < peers.Length * 4 ? AskAsync(peers[i % peers.Length], buffer, i) : Task.CompletedTask));
            await Task.Delay(1, CancellationToken.None);
        }
    }

    void IPutReceiver.OnPut(in IncomingPut put) =>
        Node.TryPut(put.Source, put.Self, EchoPortal - 1, put.MatchBits, 0, put.Payload[..Math.Min(put.Payload.Length, MostEchoed)]);

    public ValueTask DisposeAsync() => Node.DisposeAsync();

    private async Task AskAsync(PeerId peer, byte[] buffer, int number)
    {
        try
        {
            await (number % 2 == 0
                ? Node.GetBulkAsync(peer, Id.Nid, BulkPortal, (ulong)number, buffer, BulkTimeout)
                : Node.PutBulkAsync(peer, Id.Nid, BulkPortal, (ulong)number, buffer, BulkTimeout));
        }
        catch (Exception e) when (e is PeerUnreachableException or TimeoutException or IOException)
        {
        }
    }

    private void PostBuffers()
    {
        var nothing = new Nothing();
        for (var i = 0; i < PostedBuffers; i++)
        {
            var options = PostOptions.ManyUses | PostOptions.RemoteOffset | (i % 2 == 0 ? PostOptions.AcceptPut : PostOptions.AcceptGet);
            Node.Post(BulkPortal, new PeerId(Nid.Any), (ulong)i, new byte[PostedBytes], i % 4 < 2 ? options : options | PostOptions.Truncate, nothing);
        }
    }

    private sealed class Nothing : IPostedEvents
    {
        public void OnPut(PostedBuffer buffer, int offset, int stored, int sent)
        {
        }

        public void OnGet(PostedBuffer buffer, int length)
        {
        }
    }
}
