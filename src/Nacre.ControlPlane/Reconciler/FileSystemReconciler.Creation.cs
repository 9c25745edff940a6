using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.DataPlane;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Reconciler;

// CREATING -> AVAILABLE or FAILED.
public sealed partial class FileSystemReconciler
{
    private async Task<Progress> CreateAsync(FileSystemEntry entry, Worker worker)
    {
        var description = entry.Description;
        if (!await WaitAsync(worker, description.CreationTime, _options.Times.Creating))
        {
            return Progress.Continue;
        }

        var osts = 0;
        try
        {
            var shape = ServerPlan.Of(description);
            osts = shape.OstCount;
            await WithServersAsync(stop => _plane.EnsureAsync(shape, stop));
        }
        catch (DataPlaneException failure)
        {
            if (await JudgeAsync(description.FileSystemId, worker, failure, mayGiveUp: true) is { } why)
            {
                await AbandonAsync(description, worker, why);
            }

            return Progress.Continue;
        }

        Settle(description.FileSystemId, worker, FileSystemLifecycle.Creating, present => present with
        {
            Lifecycle = FileSystemLifecycle.Available,
            NetworkInterfaceIds = Sizing.NetworkInterfaceIds(present),
            LustreConfiguration = WithRepository(present.LustreConfiguration),
        }, osts);
        return Progress.Continue;
    }

    /// <summary>What was made of it goes again; a file system that could not be made is kept to be described and deleted (api.md 16).</summary>
    private async Task AbandonAsync(FileSystem description, Worker worker, string why)
    {
        try
        {
            await WithServersAsync(stop => _plane.RemoveAsync(ServerPlan.MountNameOf(description), stop));
        }
        catch (DataPlaneException failure)
        {
            // The deletion of the failed file system tries it again.
            LogTriedAgain(_log, description.FileSystemId, 0, failure.Message);
        }

        Settle(description.FileSystemId, worker, FileSystemLifecycle.Creating, present => present with
        {
            Lifecycle = FileSystemLifecycle.Failed,
            FailureDetails = new FailureDetails(Shorten(why)),
        });
    }

    /// <summary>
    /// Writes down what has become of a file system, unless something else is wanted of it by now: it was deleted while the servers worked.
    /// </summary>
    private void Settle(string id, Worker worker, string expected, Func<FileSystem, FileSystem> change, int? ostCount = null)
    {
        worker.Failures = 0;
        var changed = _catalog.FileSystems.Update(id, present => present.Description.Lifecycle != expected
            ? present
            : present with { Description = change(present.Description), OstCount = ostCount ?? present.OstCount });
        if (changed is not null && changed.Description.Lifecycle != expected)
        {
            LogLifecycle(_log, id, changed.Description.Lifecycle);
        }
    }

    private static LustreFileSystemConfiguration WithRepository(LustreFileSystemConfiguration configuration) =>
        configuration.DataRepositoryConfiguration is { } repository
            ? configuration with { DataRepositoryConfiguration = repository with { Lifecycle = FileSystemLifecycle.Available } }
            : configuration;

    /// <summary>The service model allows 256 characters.</summary>
    private static string Shorten(string message) => message.Length <= 256 ? message : message[..256];
}
