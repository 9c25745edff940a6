namespace Nacre.LNet.Transports;

/// <summary>
/// What goes wrong with one direction of an in-memory connection. Byte counts are from the start of the stream.
/// </summary>
public sealed record StreamFaults
{
    public static readonly StreamFaults None = new();

    /// <summary>
    /// After this many bytes the whole connection breaks: both ends see a reset, this direction's reader after those bytes.
    /// </summary>
    public long CutAfter { get; init; } = long.MaxValue;

    /// <summary>
    /// After this many bytes the reader sees the end of the stream; what follows is taken from the writer and lost.
    /// </summary>
    public long EndAfter { get; init; } = long.MaxValue;

    /// <summary>After this many bytes nothing more arrives, and nothing ends either.</summary>
    public long StallAfter { get; init; } = long.MaxValue;

    /// <summary>Most bytes one receive returns; 1 splits at every byte.</summary>
    public int MaxChunk { get; init; } = int.MaxValue;

    /// <summary>Time from being written to being readable.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Bytes in flight before the writer has to wait.</summary>
    public int Capacity { get; init; } = 256 << 10;
}

/// <summary>The faults of the two directions of one connection.</summary>
public sealed record ConnectionFaults(StreamFaults ToListener, StreamFaults ToCaller)
{
    public static readonly ConnectionFaults None = new(StreamFaults.None, StreamFaults.None);
}
