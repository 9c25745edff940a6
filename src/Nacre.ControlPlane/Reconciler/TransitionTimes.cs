namespace Nacre.ControlPlane.Reconciler;

/// <summary>
/// The least time a resource stays in each state that passes, so that those who poll can see it; real work comes on top. FSx takes minutes to hours
/// for the same, of which nobody has an advantage.
/// </summary>
public sealed record TransitionTimes
{
    public static readonly TransitionTimes Default = new();

    /// <summary>From the request to AVAILABLE.</summary>
    public TimeSpan Creating { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>A long update in PENDING.</summary>
    public TimeSpan Pending { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>A long update in IN_PROGRESS, and with it the file system in UPDATING.</summary>
    public TimeSpan Updating { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>A growth of capacity in UPDATED_OPTIMIZING. Its progress is shown in steps of a tenth.</summary>
    public TimeSpan Optimizing { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan Deleting { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>The same for all of them.</summary>
    public static TransitionTimes All(TimeSpan each) =>
        new() { Creating = each, Pending = each, Updating = each, Optimizing = each, Deleting = each };
}
