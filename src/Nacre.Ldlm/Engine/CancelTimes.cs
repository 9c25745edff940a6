namespace Nacre.Ldlm.Engine;

/// <summary>
/// How long one client has needed from a BL AST to the cancel: the longest of the 600 s before its last cancel, kept in four
/// bins of 150 s as all adaptive estimates are (02 section 6.7). It changes only with a cancel: a client that is writing for
/// a quarter of an hour must not lose time by that. Guarded by the gate of the table.
/// </summary>
internal sealed class CancelTimes
{
    private const long BinMilliseconds = 150_000;

    private readonly TimeSpan[] _longest = new TimeSpan[4];
    private long _bin;

    public TimeSpan Longest { get; private set; }

    public void Observe(TimeSpan time, long nowMilliseconds)
    {
        Advance(nowMilliseconds / BinMilliseconds);
        if (time > _longest[0])
            _longest[0] = time;
        Longest = _longest.Max();
    }

    private void Advance(long bin)
    {
        for (var steps = Math.Min(bin - _bin, _longest.Length); steps > 0; steps--)
        {
            Array.Copy(_longest, 0, _longest, 1, _longest.Length - 1);
            _longest[0] = TimeSpan.Zero;
        }
        _bin = Math.Max(_bin, bin);
    }
}
