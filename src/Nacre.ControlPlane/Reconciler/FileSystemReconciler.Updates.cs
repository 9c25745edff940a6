using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.DataPlane;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Reconciler;

// Administrative actions, one at a time in the order of their requests (api.md 7.1).
public sealed partial class FileSystemReconciler
{
    /// <summary>Steps in which the progress of an optimization is shown.</summary>
    private const int OptimizingSteps = 10;

    private async Task<Progress> UpdateAsync(FileSystemEntry entry, Worker worker)
    {
        var actions = entry.Description.AdministrativeActions ?? [];
        if (actions.LastOrDefault(IsToBeDone) is { } next)
        {
            await RunAsync(entry, worker, next);
            return Progress.Continue;
        }

        if (actions.LastOrDefault(action => action.Status == ActionStatus.UpdatedOptimizing) is { } optimizing)
        {
            await OptimizeAsync(entry, worker, optimizing);
            return Progress.Continue;
        }

        return Progress.Settled;
    }

    private static bool IsToBeDone(AdministrativeAction action) =>
        action is { AdministrativeActionType: ActionType.FileSystemUpdate, Status: ActionStatus.Pending or ActionStatus.InProgress };

    private async Task RunAsync(FileSystemEntry entry, Worker worker, AdministrativeAction action)
    {
        var target = action.TargetFileSystemValues ?? new TargetFileSystemValues();
        var isLong = TargetValues.ConcernServers(target);
        if (isLong && action.Status == ActionStatus.Pending)
        {
            await BeginAsync(entry, worker, action);
            return;
        }

        if (isLong && !await PauseAsync(worker, _options.Times.Updating))
        {
            return;
        }

        var osts = entry.OstCount;
        try
        {
            if (isLong || target.LustreConfiguration?.RootSquashConfiguration is not null)
            {
                var shape = ServerPlan.Of(TargetValues.Apply(entry.Description, target));
                osts = shape.OstCount;
                await WithServersAsync(stop => _plane.EnsureAsync(shape, stop));
            }
        }
        catch (DataPlaneException failure)
        {
            if (await JudgeAsync(entry.Description.FileSystemId, worker, failure, mayGiveUp: true) is { } why)
            {
                Change(entry, worker, action, present => ActionList.Fail(present, action, Shorten(why)));
            }

            return;
        }

        Change(entry, worker, action, present => ActionList.Complete(TargetValues.Apply(present, target), action), osts);
    }

    private async Task BeginAsync(FileSystemEntry entry, Worker worker, AdministrativeAction action)
    {
        if (await WaitAsync(worker, action.RequestTime, _options.Times.Pending))
        {
            Change(entry, worker, action, present => ActionList.Begin(present, action));
        }
    }

    /// <summary>Nothing is moved: new files go to where there is room. So the progress is that of time.</summary>
    private async Task OptimizeAsync(FileSystemEntry entry, Worker worker, AdministrativeAction action)
    {
        if (await PauseAsync(worker, _options.Times.Optimizing / OptimizingSteps))
        {
            Change(entry, worker, action, present => ActionList.Advance(present, action, 100 / OptimizingSteps));
        }
    }

    /// <summary>Writes down what has become of an action, unless the file system is being deleted by now.</summary>
    private void Change(
        FileSystemEntry entry, Worker worker, AdministrativeAction action, Func<FileSystem, FileSystem> change, int? ostCount = null)
    {
        worker.Failures = 0;
        var id = entry.Description.FileSystemId;
        var changed = _catalog.FileSystems.Update(id, present => present.Description.Lifecycle == FileSystemLifecycle.Deleting
            ? present
            : present with { Description = change(present.Description), OstCount = ostCount ?? present.OstCount });
        if (changed is not null && changed.Description.Lifecycle != entry.Description.Lifecycle)
        {
            LogLifecycle(_log, id, changed.Description.Lifecycle);
        }
    }
}
