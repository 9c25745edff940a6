using System.Threading.Channels;

namespace Nacre.LNet.Tests.Support;

/// <summary>A copy of a PUT that arrived on a served portal.</summary>
internal sealed record ReceivedPut(PeerId Source, Nid Self, int Portal, ulong MatchBits, ulong HdrData, uint Offset, byte[] Payload);

/// <summary>Keeps what a portal receives.</summary>
internal sealed class Recorder : IPutReceiver
{
    private readonly Channel<ReceivedPut> _puts = Channel.CreateUnbounded<ReceivedPut>();
    private int _count;
    private int _batches;

    public int Count => Volatile.Read(ref _count);

    public int Batches => Volatile.Read(ref _batches);

    /// <summary>Called for each PUT, on the receive loop.</summary>
    public Action<ReceivedPut>? Then { get; init; }

    public void OnPut(in IncomingPut put)
    {
        var copy = new ReceivedPut(put.Source, put.Self, put.Portal, put.MatchBits, put.HdrData, put.Offset, put.Payload.ToArray());
        _puts.Writer.TryWrite(copy);
        Interlocked.Increment(ref _count);
        Then?.Invoke(copy);
    }

    public void OnBatchEnd() => Interlocked.Increment(ref _batches);

    public async Task<ReceivedPut> NextAsync() => await _puts.Reader.ReadAsync(Wait.Token());
}

/// <summary>Keeps what happens to posted buffers.</summary>
internal sealed class PostedRecorder : IPostedEvents
{
    private readonly Channel<string> _events = Channel.CreateUnbounded<string>();

    public void OnPut(PostedBuffer buffer, int offset, int stored, int sent) => _events.Writer.TryWrite($"put {offset} {stored} {sent}");

    public void OnGet(PostedBuffer buffer, int length) => _events.Writer.TryWrite($"get {length}");

    public void OnBroken(PostedBuffer buffer) => _events.Writer.TryWrite("broken");

    public async Task<string> NextAsync() => await _events.Reader.ReadAsync(Wait.Token());
}
