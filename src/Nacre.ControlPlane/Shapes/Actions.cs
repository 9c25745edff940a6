namespace Nacre.ControlPlane.Shapes;

/// <summary>The list of administrative actions of a file system: newest first, the ten most recent of each type.</summary>
public static class Actions
{
    private const int KeptOfType = 10;

    /// <summary>Time as the API writes it: epoch seconds, exact to the millisecond.</summary>
    public static double Epoch(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;

    public static bool IsUnsettled(AdministrativeAction action) =>
        action.Status is ActionStatus.Pending or ActionStatus.InProgress or ActionStatus.UpdatedOptimizing;

    /// <summary>Whether more updates are under way than the list can hold beside new ones.</summary>
    public static bool AreTooMany(IReadOnlyList<AdministrativeAction>? actions) => (actions ?? []).Count(IsUnsettled) >= KeptOfType;

    /// <summary>Puts a new update on the list, pending; growth of capacity comes with the optimization of storage that follows it.</summary>
    public static IReadOnlyList<AdministrativeAction> Add(
        IReadOnlyList<AdministrativeAction>? actions, TargetFileSystemValues target, DateTimeOffset now)
    {
        var update = new AdministrativeAction
        {
            AdministrativeActionType = ActionType.FileSystemUpdate,
            RequestTime = Epoch(now),
            Status = ActionStatus.Pending,
            TargetFileSystemValues = target,
        };
        IEnumerable<AdministrativeAction> added = target.StorageCapacity is null ? [update] : [update, Optimization(update)];
        return Trim([.. added, .. actions ?? []]);
    }

    private static AdministrativeAction Optimization(AdministrativeAction update) =>
        update with { AdministrativeActionType = ActionType.StorageOptimization, TargetFileSystemValues = null };

    // Settled ones go first: what is under way may not be forgotten.
    private static List<AdministrativeAction> Trim(IReadOnlyList<AdministrativeAction> actions)
    {
        var kept = actions.ToList();
        foreach (var ofType in actions.GroupBy(action => action.AdministrativeActionType))
        {
            int surplus = ofType.Count() - KeptOfType;
            foreach (var old in ofType.Reverse().Where(action => !IsUnsettled(action)).Take(Math.Max(surplus, 0)))
            {
                kept.RemoveAt(kept.FindLastIndex(action => ReferenceEquals(action, old)));
            }
        }
        return kept;
    }
}
