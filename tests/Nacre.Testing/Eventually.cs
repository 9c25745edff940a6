using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Nacre.Testing;

/// <summary>Waits for what other threads do. Time limits are real time, generous, and only reached by a failing test.</summary>
public static class Eventually
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <exception cref="TimeoutException">The condition did not become true.</exception>
    public static async Task TrueAsync(
        Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(started) > Limit)
            {
                throw new TimeoutException($"not within {Limit.TotalSeconds} s: {what}");
            }

            await Task.Delay(1);
        }
    }

    /// <summary>Bounds a wait on something that must come.</summary>
    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Limit);

    /// <inheritdoc cref="Within{T}(Task{T})"/>
    public static Task Within(this Task task) => task.WaitAsync(Limit);
}
