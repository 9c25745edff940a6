using System.Diagnostics.Metrics;

namespace Nacre.Client.Tests.Harness;

/// <summary>Counts what the targets of one file system were asked, by the node's own meter. The file system needs a name that no other test uses.</summary>
public sealed class RequestCounter : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly string _fileSystem;
    private (long Mdt, long Ost) _sum;
    private (long Mdt, long Ost) _last;

    public RequestCounter(string fileSystem)
    {
        _fileSystem = fileSystem;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "nacre.rpc.requests")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>(Add);
        _listener.Start();
    }

    /// <summary>Requests since the last call.</summary>
    public (long Mdt, long Ost) Take()
    {
        _sum = default;
        _listener.RecordObservableInstruments();
        var (sum, last) = (_sum, _last);
        _last = sum;
        return (sum.Mdt - last.Mdt, sum.Ost - last.Ost);
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        var target = tags[0].Value as string ?? "";
        if (target.StartsWith(_fileSystem + "-MDT", StringComparison.Ordinal))
        {
            _sum.Mdt += value;
        }
        else if (target.StartsWith(_fileSystem + "-OST", StringComparison.Ordinal))
        {
            _sum.Ost += value;
        }
    }
}
