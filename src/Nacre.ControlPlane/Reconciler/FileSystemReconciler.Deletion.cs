using Microsoft.Extensions.Logging;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.DataPlane;

namespace Nacre.ControlPlane.Reconciler;

// DELETING -> gone.
public sealed partial class FileSystemReconciler
{
    private async Task<Progress> DeleteAsync(FileSystemEntry entry, Worker worker)
    {
        var id = entry.Description.FileSystemId;
        // Nothing else can come of it, so it does not matter what wakes the worker.
        await PauseAsync(worker, _options.Times.Deleting);
        try
        {
            await WithServersAsync(stop => _plane.RemoveAsync(ServerPlan.MountNameOf(entry.Description), stop));
        }
        catch (DataPlaneException failure)
        {
            await JudgeAsync(id, worker, failure, mayGiveUp: false);
            return Progress.Continue;
        }

        _catalog.FileSystems.Remove(id);
        LogDeleted(_log, id);
        return Progress.Settled;
    }

    [LoggerMessage(5114, LogLevel.Information, "{Id}: deleted")]
    private static partial void LogDeleted(ILogger log, string id);
}
