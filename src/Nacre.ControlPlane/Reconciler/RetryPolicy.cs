namespace Nacre.ControlPlane.Reconciler;

/// <summary>What is done again after it failed, when, and how often.</summary>
public sealed record RetryPolicy
{
    public static readonly RetryPolicy Default = new();

    /// <summary>Pause after the first failure; it doubles with each.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(500);

    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Tries of a creation or an update. A deletion is tried until it succeeds: there is nothing else to do with it.</summary>
    public int MaxTries { get; init; } = 6;

    /// <param name="failures">1 or more.</param>
    public TimeSpan PauseAfter(int failures) =>
        TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, FirstPause.Ticks << Math.Min(failures - 1, 16)));
}
