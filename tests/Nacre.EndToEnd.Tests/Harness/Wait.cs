namespace Nacre.EndToEnd.Harness;

/// <summary>Waiting with a bound: what hangs fails instead.</summary>
public static class Wait
{
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    public static Task UntilAsync(Func<bool> condition, string what) => UntilAsync(() => ValueTask.FromResult(condition()), what);

    public static async Task UntilAsync(Func<ValueTask<bool>> condition, string what)
    {
        var end = Environment.TickCount64 + (long)Longest.TotalMilliseconds;
        while (!await condition())
        {
            if (Environment.TickCount64 > end)
            {
                throw new TimeoutException($"waited in vain until {what}");
            }

            await Task.Delay(2);
        }
    }

    public static Task<T> WithinBoundsAsync<T>(this Task<T> task) => task.WaitAsync(Longest);

    public static Task WithinBoundsAsync(this Task task) => task.WaitAsync(Longest);
}
