using System.Diagnostics;
using Nacre.Bench.Client;
using Nacre.Bench.Measurement;

namespace Nacre.Bench.Loads;

/// <summary>
/// One client's part of a load: a number of slots, each with one operation in flight. A slot starts its next operation when the
/// last one has been answered and the answer checked. An operation may consist of several requests.
/// </summary>
internal abstract class Load(ClientSession session, int slots) : IExchange
{
    private readonly long[] _startedAt = new long[slots];
    private readonly long[] _begun = new long[slots];
    private bool _stopping;

    public LatencyHistogram Latency { get; private set; } = new();

    public long Bytes { get; private set; }

    /// <summary>Operations of each slot after which a run ends even if there is time left.</summary>
    public long LimitPerSlot { get; init; } = long.MaxValue;

    protected ClientSession Session { get; } = session;

    protected BenchNode Node => Session.Node;

    protected int Slots => slots;

    /// <summary>Replies are small enough to come on the CONTROL connection, and there is no bulk.</summary>
    protected virtual bool ControlOnly => true;

    /// <summary>See <see cref="BenchSocket.ReadAhead"/>.</summary>
    protected virtual int BulkReadAhead => 512 << 10;

    /// <summary>Runs on the calling thread for the time given, and then until nothing is in flight.</summary>
    public void Run(TimeSpan duration)
    {
        Latency = new LatencyHistogram();
        Bytes = 0;
        _stopping = false;
        Array.Clear(_begun);
        Node.ControlOnly = ControlOnly;
        Node.BulkReadAhead = BulkReadAhead;
        var deadline = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        for (var slot = 0; slot < slots; slot++) Begin(slot);
        Node.Flush();
        while (Node.InFlight > 0)
        {
            Node.Pump();
            _stopping = Stopwatch.GetTimestamp() >= deadline;
            Node.Flush();
        }
    }

    /// <summary>Looks once more at what the runs have left behind. Throws when something is not as it was answered.</summary>
    public virtual void Verify()
    {
    }

    public abstract void OnReply(int slot, ReadOnlySpan<byte> message);

    public virtual ArraySegment<byte> Sink(int slot, int descriptor) => throw NoBulk();

    public virtual void OnStored(int slot, int descriptor, int length) => throw NoBulk();

    public virtual ArraySegment<byte> Source(int slot, int descriptor, int length) => throw NoBulk();

    /// <summary>Sends the first request of the slot's next operation.</summary>
    protected abstract void Issue(int slot);

    /// <summary>The slot's operation is done and its answer was right.</summary>
    protected void Complete(int slot, int bytes = 0)
    {
        Latency.Record(Node.ArrivedAt - _startedAt[slot]);
        Bytes += bytes;
        if (!_stopping && _begun[slot] < LimitPerSlot) Begin(slot);
    }

    protected static void Require(bool condition, string otherwise)
    {
        if (!condition) throw new InvalidDataException(otherwise);
    }

    private void Begin(int slot)
    {
        _begun[slot]++;
        _startedAt[slot] = Stopwatch.GetTimestamp();
        Issue(slot);
    }

    private static InvalidDataException NoBulk() => new("the server moves bulk data for a request that has none");
}
