using Microsoft.Extensions.Logging;
using Nacre.LNet;
using Nacre.LNet.Transports;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>
/// A well-behaved node connected to the attacked one. Its pings are answered, and bulk in both directions arrives whole, on the
/// connections it opened at the start.
/// </summary>
internal sealed class FramingBystander : IAsyncDisposable
{
    private const int Bytes = 50_000;
    private static readonly PeerId Self = new(Nid.Parse("10.200.0.1@tcp"));
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly FramingTarget _target;
    private readonly LNetNode _node;
    private readonly byte[] _source = new byte[Bytes];
    private readonly byte[] _sink = new byte[Bytes];
    private long _operations;

    private FramingBystander(FramingTarget target, LNetNode node)
    {
        _target = target;
        _node = node;
        Random.Shared.NextBytes(_source);
        node.Post(FramingTarget.BulkPortal, target.Id, 1000, _source, PostOptions.AcceptGet | PostOptions.ManyUses | PostOptions.RemoteOffset, new Ignored());
        node.Post(FramingTarget.BulkPortal, target.Id, 1001, _sink, PostOptions.AcceptPut | PostOptions.ManyUses | PostOptions.RemoteOffset, new Ignored());
    }

    public PeerId Id => Self;

    public long Operations => Interlocked.Read(ref _operations);

    public static async Task<FramingBystander> ConnectAsync(FramingTarget target, ITransport transport, ILoggerFactory logging)
    {
        var node = new LNetNode(new LNetOptions { LocalNid = Self.Nid }, transport, TimeProvider.System, logging.CreateLogger<LNetNode>());
        await node.ConnectAsync(target.Id, target.Node.ListeningAt!, CancellationToken.None);
        return new FramingBystander(target, node);
    }

    /// <exception cref="IOException">It was disturbed.</exception>
    public async Task WorkAsync(CancellationToken ct)
    {
        var fetched = new byte[Bytes];
        while (!ct.IsCancellationRequested)
        {
            await _node.PingAsync(_target.Id, Limit, CancellationToken.None);
            fetched.AsSpan().Clear();
            await _target.Node.GetBulkAsync(Self, _target.Id.Nid, FramingTarget.BulkPortal, 1000, fetched, Limit, CancellationToken.None);
            var stored = await _target.Node.PutBulkAsync(Self, _target.Id.Nid, FramingTarget.BulkPortal, 1001, fetched, Limit, CancellationToken.None);
            if (stored != Bytes || !fetched.AsSpan().SequenceEqual(_source) || !_sink.AsSpan().SequenceEqual(_source))
            {
                throw new IOException("bulk is not what was sent");
            }

            _sink.AsSpan().Clear();
            Interlocked.Increment(ref _operations);
            await Task.Delay(1, CancellationToken.None);
        }

        if (_node.ConnectionCount != 3)
        {
            throw new IOException($"{_node.ConnectionCount} of 3 connections are left");
        }
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    private sealed class Ignored : IPostedEvents
    {
        public void OnPut(PostedBuffer buffer, int offset, int stored, int sent)
        {
        }

        public void OnGet(PostedBuffer buffer, int length)
        {
        }
    }
}
