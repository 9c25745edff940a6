namespace Nacre.ControlPlane.Api;

/// <summary>What a caller can take of the endpoint, known or not. What is over a bound is refused.</summary>
public sealed record ApiLimits
{
    /// <summary>Bytes of a body; the largest request of the FSx model is far below.</summary>
    public int BodyBytes { get; init; } = 1 << 20;

    /// <summary>Bytes of a body that are read, though not kept, before it is refused as too large. One that is larger still is cut off.</summary>
    public int SkippedBytes { get; init; } = 32 << 20;

    /// <summary>Bytes of all bodies that are being read or worked on.</summary>
    public long AllBodiesBytes { get; init; } = 64 << 20;

    /// <summary>Objects and arrays in each other; the model has 6.</summary>
    public int JsonDepth { get; init; } = 32;

    /// <summary>Bytes of all headers of a request.</summary>
    public int HeaderBytes { get; init; } = 16 << 10;

    public int Headers { get; init; } = 64;

    public int Connections { get; init; } = 512;

    /// <summary>Requests at one time on a connection of HTTP/2.</summary>
    public int StreamsPerConnection { get; init; } = 32;

    /// <summary>From the connection, or the last answer, to the end of the headers.</summary>
    public TimeSpan HeadersTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From the headers to the end of the body.</summary>
    public TimeSpan BodyTime { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A connection without a request is closed after it. SDKs keep theirs for a minute and open another when it is gone.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Calls under way when the endpoint stops have this long to finish.</summary>
    public TimeSpan StopTime { get; init; } = TimeSpan.FromSeconds(5);
}
