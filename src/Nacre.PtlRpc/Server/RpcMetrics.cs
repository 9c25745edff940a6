using System.Diagnostics.Metrics;

namespace Nacre.PtlRpc;

/// <summary>The server's figures under the meter <c>Nacre.PtlRpc</c>. Read when asked; counting costs nothing more.</summary>
internal sealed class RpcMetrics : IDisposable
{
    private readonly Meter _meter = new("Nacre.PtlRpc");
    private long _malformed;

    public RpcMetrics(RpcServer server)
    {
        PerTarget(server, "nacre.rpc.requests", "{request}", "Requests given to handlers", c => c.Requests);
        PerTarget(server, "nacre.rpc.replies", "{reply}", "Replies sent", c => c.Replies);
        PerTarget(server, "nacre.rpc.errors", "{reply}", "Replies at the level of the RPC", c => c.Errors);
        PerTarget(server, "nacre.rpc.dropped", "{request}", "Requests left without an answer", c => c.Dropped);
        PerTarget(server, "nacre.rpc.early_replies", "{reply}", "Early replies sent", c => c.EarlyReplies);
        PerTarget(server, "nacre.rpc.resends", "{request}", "Resends answered from kept replies", c => c.ResendsAnswered);
        PerTarget(server, "nacre.rpc.duplicates", "{request}", "Copies of running requests", c => c.Duplicates);
        PerTarget(server, "nacre.rpc.bulk_read", "By", "Bulk bytes sent to clients", c => c.BulkRead);
        PerTarget(server, "nacre.rpc.bulk_written", "By", "Bulk bytes fetched from clients", c => c.BulkWritten);
        PerTarget(server, "nacre.rpc.evictions", "{client}", "Clients evicted", c => c.Evictions);
        _meter.CreateObservableCounter("nacre.rpc.malformed", () => Interlocked.Read(ref _malformed), "{message}");
        _meter.CreateObservableGauge("nacre.rpc.exports", () => server.Targets.Select(CountExports), "{client}");
        _meter.CreateObservableGauge("nacre.bulk.buffers", () => server.Bulk.Capacity, "{buffer}", "Size of the bulk pool");
        _meter.CreateObservableGauge("nacre.bulk.in_use", () => server.Bulk.InUse, "{buffer}", "Bulk buffers in use");
        _meter.CreateObservableGauge("nacre.bulk.waiting", () => server.Bulk.Waiting, "{request}", "Waiting for bulk buffers");
        _meter.CreateObservableGauge("nacre.rpc.waiting_bytes", () => server.WaitingBytes, "By", "Requests held while they wait");
    }

    public long Malformed => Interlocked.Read(ref _malformed);

    public void CountMalformed() => Interlocked.Increment(ref _malformed);

    public void Dispose() => _meter.Dispose();

    private void PerTarget(RpcServer server, string name, string unit, string description, Func<RpcCounters, long> value) =>
        _meter.CreateObservableCounter(name, () => server.Targets.Select(state => Measure(state, value(state.Counters))), unit, description);

    private static Measurement<long> CountExports(RpcTargetState state)
    {
        lock (state.Gate)
        {
            return Measure(state, state.Exports.Count);
        }
    }

    private static Measurement<long> Measure(RpcTargetState state, long value) =>
        new(value, new KeyValuePair<string, object?>("target", state.Target.Uuid));
}
