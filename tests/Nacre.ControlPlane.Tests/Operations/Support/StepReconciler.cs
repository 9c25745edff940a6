using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Tests.Operations.Support;

/// <summary>What the reconciler does to the catalog, at once and without servers.</summary>
internal static class StepReconciler
{
    public static void Settle(ResourceCatalog catalog, string id)
    {
        if (catalog.FileSystems.Find(id)?.Description.Lifecycle == FileSystemLifecycle.Deleting)
        {
            catalog.FileSystems.Remove(id);
            return;
        }
        catalog.FileSystems.Update(id, entry => entry with { Description = Finish(Create(entry.Description)) });
    }

    private static FileSystem Create(FileSystem now) => now.Lifecycle != FileSystemLifecycle.Creating ? now : now with
    {
        Lifecycle = FileSystemLifecycle.Available,
        NetworkInterfaceIds = Sizing.NetworkInterfaceIds(now),
    };

    private static FileSystem Finish(FileSystem now)
    {
        var actions = now.AdministrativeActions ?? [];
        foreach (var action in actions.Reverse().Where(Actions.IsUnsettled))
        {
            now = action.TargetFileSystemValues is { } target ? TargetValues.Apply(now, target) : now;
        }
        return now with
        {
            AdministrativeActions = now.AdministrativeActions is null ? null :
            [
                .. actions.Where(action => action.AdministrativeActionType == ActionType.FileSystemUpdate)
                    .Select(action => Actions.IsUnsettled(action) ? action with { Status = ActionStatus.Completed } : action),
            ],
        };
    }
}
