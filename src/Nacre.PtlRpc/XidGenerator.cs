namespace Nacre.PtlRpc;

/// <summary>
/// Numbers for the requests of this node: they begin at the start time, so that they go on rising across restarts, and leave a gap of
/// 64 for the match bits of a bulk with several descriptors (02 section 3.7). Safe for any thread.
/// </summary>
public sealed class XidGenerator(TimeProvider time)
{
    /// <summary>Distance of two numbers.</summary>
    public const ulong Step = 64;

    private const int SecondsShift = 20;
    private ulong _last = (ulong)time.GetUtcNow().ToUnixTimeSeconds() << SecondsShift;

    /// <summary>A multiple of 64 that was not given out before.</summary>
    public ulong Next() => Interlocked.Add(ref _last, Step);
}
