using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Reconciler;

/// <summary>
/// The states of an administrative action, and what the file system shows with each (api.md 7.1). Actions have no names: one is known by its kind, its time of
/// request and its state. Of several that have all in common the oldest is meant, as they are worked on in that order.
/// </summary>
internal static class ActionList
{
    private const int Done = 100;

    public static FileSystem Begin(FileSystem present, AdministrativeAction action) => Set(
        present with { Lifecycle = FileSystemLifecycle.Updating }, action, update => update with { Status = ActionStatus.InProgress });

    /// <summary>The servers have done it: completed, or optimizing where an optimization belongs to it.</summary>
    public static FileSystem Complete(FileSystem present, AdministrativeAction action)
    {
        present = present with { Lifecycle = FileSystemLifecycle.Available };
        var optimization = Optimization(present, action);
        if (optimization is null)
        {
            return Set(present, action, update => update with { Status = ActionStatus.Completed });
        }

        present = Set(present, optimization, one => one with { Status = ActionStatus.InProgress, ProgressPercent = 0 });
        return Set(present, action, update => update with { Status = ActionStatus.UpdatedOptimizing });
    }

    public static FileSystem Fail(FileSystem present, AdministrativeAction action, string why) => Set(
        WithoutOptimization(present, action) with { Lifecycle = FileSystemLifecycle.Available },
        action,
        update => update with { Status = ActionStatus.Failed, FailureDetails = new FailureDetails(why) });

    /// <summary>Progress of the optimization; at its end it is not listed any more, and the update is completed.</summary>
    public static FileSystem Advance(FileSystem present, AdministrativeAction action, int percent)
    {
        var progress = (Optimization(present, action)?.ProgressPercent ?? Done) + percent;
        return progress >= Done
            ? Set(WithoutOptimization(present, action), action, update => update with { Status = ActionStatus.Completed })
            : Set(present, Optimization(present, action)!, one => one with { ProgressPercent = progress });
    }

    private static AdministrativeAction? Optimization(FileSystem present, AdministrativeAction update) =>
        present.AdministrativeActions?.FirstOrDefault(action => IsOptimizationOf(action, update));

    private static bool IsOptimizationOf(AdministrativeAction action, AdministrativeAction update) =>
        action.AdministrativeActionType == ActionType.StorageOptimization && action.RequestTime.Equals(update.RequestTime);

    private static FileSystem WithoutOptimization(FileSystem present, AdministrativeAction update) => present with
    {
        AdministrativeActions = [.. (present.AdministrativeActions ?? []).Where(action => !IsOptimizationOf(action, update))],
    };

    private static FileSystem Set(FileSystem present, AdministrativeAction which, Func<AdministrativeAction, AdministrativeAction> change)
    {
        var actions = (present.AdministrativeActions ?? []).ToList();
        var at = actions.FindLastIndex(action => action.AdministrativeActionType == which.AdministrativeActionType
            && action.RequestTime.Equals(which.RequestTime) && action.Status == which.Status);
        if (at >= 0)
        {
            actions[at] = change(actions[at]);
        }

        return present with { AdministrativeActions = actions };
    }
}
