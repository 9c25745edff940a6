using System.Threading.Tasks.Sources;

namespace Nacre.LNet.Transports;

/// <summary>
/// One direction of an in-memory connection: a bounded ring with one reader and one writer. A waiting reader's memory is
/// filled under the lock, so it is never touched once its task has completed.
/// </summary>
internal sealed class InMemoryStream(StreamFaults faults, TimeProvider time) : IValueTaskSource<int>, IValueTaskSource
{
    private readonly Lock _gate = new();
    private readonly byte[] _ring = new byte[faults.Capacity];
    private readonly Queue<(long End, long Due)> _delayed = new();
    private ManualResetValueTaskSourceCore<int> _reader = new() { RunContinuationsAsynchronously = true };
    private ManualResetValueTaskSourceCore<int> _writer = new() { RunContinuationsAsynchronously = true };
    private ITimer? _timer;
    private Memory<byte> _wanted;
    private bool _readerWaits;
    private bool _writerWaits;

    // Positions from the start of the stream: read <= arrived <= written, and written - read <= ring length.
    private long _read;
    private long _arrived;
    private long _written;

    private bool _ended;
    private bool _readBroken;
    private bool _writeBroken;

    /// <summary>The stream carried its last byte before <see cref="StreamFaults.CutAfter"/>.</summary>
    public bool IsCut => Volatile.Read(ref _written) >= faults.CutAfter;

    /// <summary>Takes what fits; 0 when the ring is full.</summary>
    public int TryWrite(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (_writeBroken || _ended || IsCut) throw new IOException("broken pipe");
            var room = _ring.Length - (_written - _read);
            var taken = (int)Math.Min(Math.Min(bytes.Length, room), faults.CutAfter - _written);
            CopyIn(bytes[..taken]);
            _written += taken;
            Schedule();
            WakeReader();
            return taken;
        }
    }

    public ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        lock (_gate)
        {
            if (_readerWaits) throw new InvalidOperationException("one receive at a time");
            if (TryRead(buffer.Span, out var count)) return new ValueTask<int>(count);
            _wanted = buffer;
            _readerWaits = true;
            _reader.Reset();
            return new ValueTask<int>(this, _reader.Version);
        }
    }

    /// <summary>Completes when a write may take bytes again, or would fail.</summary>
    public ValueTask WhenWritable()
    {
        lock (_gate)
        {
            if (_writeBroken || _written - _read < _ring.Length) return ValueTask.CompletedTask;
            _writerWaits = true;
            _writer.Reset();
            return new ValueTask(this, _writer.Version);
        }
    }

    /// <summary>The writer is done: the reader sees the end behind what was written.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            WakeReader();
        }
    }

    /// <summary>The writer is gone.</summary>
    public void BreakWriter()
    {
        lock (_gate)
        {
            _writeBroken = true;
            WakeWriter();
        }
    }

    /// <summary>A reset: nothing is read or written any more.</summary>
    public void Break()
    {
        lock (_gate)
        {
            _writeBroken = _readBroken = true;
            _timer?.Dispose();
            WakeReader();
            WakeWriter();
        }
    }

    private bool TryRead(Span<byte> into, out int count)
    {
        if (_readBroken) throw new IOException("connection reset");
        if (into.IsEmpty) throw new ArgumentException("no room to receive into", nameof(into));
        count = (int)Math.Min(Math.Min(into.Length, faults.MaxChunk), Readable());
        if (count > 0)
        {
            CopyOut(into[..count]);
            _read += count;
            DiscardBeyondEnd();
            WakeWriter();
            return true;
        }

        if (_read >= faults.CutAfter) throw new IOException("connection reset");
        return _read >= faults.EndAfter || (_ended && _read == _written);
    }

    /// <summary>Bytes that may be read now: neither still under way nor behind a fault.</summary>
    private long Readable()
    {
        var now = time.GetTimestamp();
        while (_delayed.TryPeek(out var head) && head.Due <= now)
        {
            _arrived = head.End;
            _delayed.Dequeue();
        }

        return Math.Min(_arrived, Math.Min(faults.StallAfter, faults.EndAfter)) - _read;
    }

    /// <summary>Makes what was written readable, at once or when the delay is over.</summary>
    private void Schedule()
    {
        DiscardBeyondEnd();
        if (faults.Delay <= TimeSpan.Zero)
        {
            _arrived = _written;
            return;
        }

        _delayed.Enqueue((_written, time.GetTimestamp() + (long)(faults.Delay.TotalSeconds * time.TimestampFrequency)));
        var never = Timeout.InfiniteTimeSpan;
        _timer ??= time.CreateTimer(static self => ((InMemoryStream)self!).OnDue(), this, never, never);
        if (_delayed.Count == 1) _timer.Change(faults.Delay, Timeout.InfiniteTimeSpan);
    }

    private void OnDue()
    {
        lock (_gate)
        {
            if (_readBroken) return;
            WakeReader();
            if (!_delayed.TryPeek(out var next)) return;
            var wait = TimeSpan.FromSeconds((double)(next.Due - time.GetTimestamp()) / time.TimestampFrequency);
            _timer!.Change(wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Behind the reader's end of stream, bytes are lost without holding up the writer.</summary>
    private void DiscardBeyondEnd()
    {
        if (_read >= faults.EndAfter) _read = _arrived = _written;
    }

    private void WakeReader()
    {
        if (!_readerWaits) return;
        int count;
        try
        {
            if (!TryRead(_wanted.Span, out count)) return;
        }
        catch (IOException e)
        {
            _readerWaits = false;
            _wanted = default;
            _reader.SetException(e);
            return;
        }

        _readerWaits = false;
        _wanted = default;
        _reader.SetResult(count);
    }

    private void WakeWriter()
    {
        if (!_writerWaits) return;
        _writerWaits = false;
        _writer.SetResult(0);
    }

    private void CopyIn(ReadOnlySpan<byte> bytes)
    {
        var at = (int)(_written % _ring.Length);
        var first = Math.Min(bytes.Length, _ring.Length - at);
        bytes[..first].CopyTo(_ring.AsSpan(at));
        bytes[first..].CopyTo(_ring);
    }

    private void CopyOut(Span<byte> into)
    {
        var at = (int)(_read % _ring.Length);
        var first = Math.Min(into.Length, _ring.Length - at);
        _ring.AsSpan(at, first).CopyTo(into);
        _ring.AsSpan(0, into.Length - first).CopyTo(into[first..]);
    }

    int IValueTaskSource<int>.GetResult(short token) => _reader.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _reader.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _reader.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.GetResult(short token) => _writer.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _writer.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _writer.OnCompleted(continuation, state, token, flags);
}
