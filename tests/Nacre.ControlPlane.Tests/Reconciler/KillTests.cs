using Nacre.ControlPlane.DataPlane;
using Nacre.ControlPlane.Shapes;
using Nacre.Testing;

namespace Nacre.ControlPlane.Tests.Reconciler;

/// <summary>A process that ends at each point of the life of a file system, and the next one that goes on.</summary>
public class KillTests
{
    /// <summary>A whole life has three calls of the servers: made, grown, removed. Each is cut off before its effect, and behind it.</summary>
    [Theory]
    [InlineData("ensure", 1, false)]
    [InlineData("ensure", 1, true)]
    [InlineData("ensure", 2, false)]
    [InlineData("ensure", 2, true)]
    [InlineData("remove", 1, false)]
    [InlineData("remove", 1, true)]
    public async Task A_life_that_is_cut_off_anywhere_goes_on(string call, int which, bool behindTheEffect)
    {
        await using var world = new ReconcilerWorld();
        var reached = new TaskCompletionSource();
        var seen = 0;
        Func<string, CancellationToken, Task> park = async (called, ct) =>
        {
            if (called.StartsWith(call, StringComparison.Ordinal) && Interlocked.Increment(ref seen) == which)
            {
                reached.SetResult();
                await Task.Delay(Timeout.Infinite, ct);
            }
        };
        (world.Plane.Before, world.Plane.After) = behindTheEffect ? (null, park) : (park, (Func<string, CancellationToken, Task>?)null);
        var killing = KillAsync(world, reached.Task);
        world.Start();

        world.Insert();
        await world.UntilAsync(one => one!.Lifecycle == FileSystemLifecycle.Available);
        world.Request(new TargetFileSystemValues { StorageCapacity = 2400 }, optimizing: true);
        await world.UntilAsync(one => one!.AdministrativeActions!.Single(IsUpdate).Status is not (ActionStatus.Pending or ActionStatus.InProgress));
        Assert.Equal(2400, world.Current!.StorageCapacity);
        Assert.Equal(2, world.Plane.FileSystems[ReconcilerWorld.MountName].OstCount);
        world.Delete();
        await world.UntilAsync(one => one is null);

        await killing.Within();
        Assert.Empty(world.Plane.FileSystems);
        Assert.Empty(world.Catalog.FileSystems.Unsettled());
    }

    [Fact]
    public async Task A_file_system_that_is_deleted_while_it_is_made_goes()
    {
        await using var world = new ReconcilerWorld();
        var reached = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        world.Plane.Before = (call, ct) =>
        {
            reached.TrySetResult();
            return call.StartsWith("ensure", StringComparison.Ordinal) ? gate.Task.WaitAsync(ct) : Task.CompletedTask;
        };
        world.Start();
        world.Insert();
        await reached.Task.Within();

        world.Delete();
        gate.SetResult();

        await world.UntilAsync(one => one is null);
        Assert.Empty(world.Plane.FileSystems);
        Assert.DoesNotContain(world.History, one => one?.Lifecycle == FileSystemLifecycle.Available);
    }

    [Fact]
    public async Task A_deletion_is_tried_until_it_succeeds()
    {
        await using var world = new ReconcilerWorld(maxTries: 2);
        var failures = 10;
        world.Plane.Before = (call, _) => call.StartsWith("remove", StringComparison.Ordinal) && failures-- > 0
            ? throw new DataPlaneException("not now", isPermanent: true)
            : Task.CompletedTask;
        world.Start();
        world.Insert();
        await world.UntilAsync(one => one?.Lifecycle == FileSystemLifecycle.Available);

        world.Delete();

        await world.UntilAsync(one => one is null);
        Assert.Equal(11, world.Plane.Calls.Count(call => call.StartsWith("remove", StringComparison.Ordinal)));
    }

    private static bool IsUpdate(AdministrativeAction action) => action.AdministrativeActionType == ActionType.FileSystemUpdate;

    private static async Task KillAsync(ReconcilerWorld world, Task reached)
    {
        await reached;
        await world.KillAndStartAsync();
    }
}
