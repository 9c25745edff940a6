namespace Nacre.Server.Mdt.Hsm;

/// <summary>Limits of the HSM coordinator.</summary>
public sealed record HsmOptions
{
    /// <summary>
    /// Actions that copytools work on at a time. A genuine coordinator has 3; the data of small files needs more to keep a link
    /// busy, and copytools bound themselves.
    /// </summary>
    public int MaxRunning { get; init; } = 128;

    /// <summary>Actions queued at a time; beyond it a request is refused with EAGAIN. Bounds memory.</summary>
    public int MaxQueued { get; init; } = 1 << 20;

    /// <summary>Archive ids one copytool may register for (07 section 4.6).</summary>
    public int MaxArchives { get; init; } = 1024;

    /// <summary>A running action of which nothing was heard for this long is given up (07 section 5.2).</summary>
    public TimeSpan ActiveTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How often the queue is looked at when nothing happens (07 section 5.2).</summary>
    public TimeSpan LoopPeriod { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A copytool's client that does not take a message for this long is left out.</summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
