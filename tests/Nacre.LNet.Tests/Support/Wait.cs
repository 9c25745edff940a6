namespace Nacre.LNet.Tests.Support;

/// <summary>Bounds on waiting: a test that hangs fails instead.</summary>
internal static class Wait
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    public static CancellationToken Token() => new CancellationTokenSource(Longest).Token;

    /// <summary>Waits until the condition holds.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        var end = Environment.TickCount64 + (long)Longest.TotalMilliseconds;
        while (!condition())
        {
            if (Environment.TickCount64 > end) throw new TimeoutException("waited in vain: " + what);
            await Task.Delay(1);
        }
    }

    public static Task<T> WithinBounds<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Longest);

    public static Task WithinBounds(this ValueTask task) => task.AsTask().WaitAsync(Longest);
}
