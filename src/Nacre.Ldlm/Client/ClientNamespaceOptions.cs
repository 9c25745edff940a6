namespace Nacre.Ldlm.Client;

/// <summary>How long a client keeps locks nobody uses (03 section 17.2).</summary>
public sealed record ClientNamespaceOptions
{
    /// <summary>Unused locks kept; the oldest beyond it are cancelled.</summary>
    public int MaxUnused { get; init; } = 10_000;

    /// <summary>Time without use after which a lock is cancelled; <see cref="Timeout.InfiniteTimeSpan"/>: never.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromSeconds(3900);

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
