namespace Nacre.PtlRpc.Timing;

/// <summary>Milliseconds that only go forward, from a <see cref="TimeProvider"/>.</summary>
internal sealed class RpcClock(TimeProvider time)
{
    private readonly long _ticksPerMillisecond = Math.Max(1, time.TimestampFrequency / 1000);

    public TimeProvider Provider => time;

    public long Milliseconds => time.GetTimestamp() / _ticksPerMillisecond;
}
