using Nacre.ControlPlane.DataPlane;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Tests.Reconciler;

public class UpdateTests
{
    [Fact]
    public async Task A_quick_change_is_completed_without_the_servers()
    {
        await using var world = await AvailableAsync();
        var calls = world.Plane.Calls.Count;

        world.Request(Values(new LustreFileSystemConfiguration { WeeklyMaintenanceStartTime = "2:05:00" }));

        await world.UntilAsync(one => Update(one).Status == ActionStatus.Completed);
        Assert.Equal("2:05:00", world.Current!.LustreConfiguration.WeeklyMaintenanceStartTime);
        Assert.Equal(calls, world.Plane.Calls.Count);
        Assert.All(world.History.Skip(2), one => Assert.Equal(FileSystemLifecycle.Available, one!.Lifecycle));
    }

    [Fact]
    public async Task Root_squash_reaches_the_servers_before_it_is_completed()
    {
        await using var world = await AvailableAsync();
        world.Request(Values(new LustreFileSystemConfiguration
        {
            RootSquashConfiguration = new RootSquashConfiguration { RootSquash = "65534:65533", NoSquashNids = ["10.0.0.1@tcp"] },
        }));
        await world.UntilAsync(one => Update(one).Status == ActionStatus.Completed);

        var squash = world.Plane.FileSystems[ReconcilerWorld.MountName].RootSquash!;
        Assert.Equal((65534u, 65533u, "10.0.0.1@tcp"), (squash.Uid, squash.Gid, squash.ExceptNids.Single()));

        // Off again.
        world.Request(Values(new LustreFileSystemConfiguration { RootSquashConfiguration = new RootSquashConfiguration { RootSquash = "0:0" } }));
        await world.UntilAsync(one => Update(one).Status == ActionStatus.Completed && one!.AdministrativeActions!.Count == 2);
        Assert.Null(world.Plane.FileSystems[ReconcilerWorld.MountName].RootSquash);
    }

    [Fact]
    public async Task A_growth_passes_through_the_states_of_the_documentation()
    {
        await using var world = await AvailableAsync();
        var primary = world.Current!.NetworkInterfaceIds![0];

        world.Request(new TargetFileSystemValues { StorageCapacity = 4800 }, optimizing: true);

        await world.UntilAsync(one => Update(one).Status == ActionStatus.Completed);
        var states = world.History.Skip(2)
            .Select(one => (Update(one).Status, one!.Lifecycle, one.StorageCapacity, Optimization(one)?.Status))
            .Distinct();
        Assert.Equal(
            [
                (ActionStatus.Pending, FileSystemLifecycle.Available, 1200, ActionStatus.Pending),
                (ActionStatus.InProgress, FileSystemLifecycle.Updating, 1200, ActionStatus.Pending),
                (ActionStatus.UpdatedOptimizing, FileSystemLifecycle.Available, 4800, ActionStatus.InProgress),
                (ActionStatus.Completed, FileSystemLifecycle.Available, 4800, null),
            ],
            states);
        var progress = world.History.Select(one => Optimization(one)?.ProgressPercent).OfType<int>().ToList();
        Assert.Equal(0, progress[0]);
        Assert.Equal(progress.Order(), progress);
        Assert.Equal(4, world.Plane.FileSystems[ReconcilerWorld.MountName].OstCount);
        Assert.Equal(3, world.Current!.NetworkInterfaceIds!.Count);
        Assert.Equal(primary, world.Current.NetworkInterfaceIds[0]);
        Assert.Equal(4800, Update(world.Current).TargetFileSystemValues!.StorageCapacity);
    }

    [Fact]
    public async Task A_growth_that_fails_leaves_the_capacity_and_says_why()
    {
        await using var world = await AvailableAsync();
        world.Plane.Before = (_, _) => throw new DataPlaneException("The disk of the file servers is full.", isPermanent: false);

        world.Request(new TargetFileSystemValues { StorageCapacity = 2400 }, optimizing: true);

        await world.UntilAsync(one => Update(one).Status == ActionStatus.Failed);
        Assert.Equal((1200, FileSystemLifecycle.Available), (world.Current!.StorageCapacity, world.Current.Lifecycle));
        Assert.Equal("The disk of the file servers is full.", Update(world.Current).FailureDetails!.Message);
        Assert.Null(Optimization(world.Current));
    }

    [Fact]
    public async Task Changes_are_made_in_the_order_of_their_requests()
    {
        await using var world = await AvailableAsync();
        var gate = new TaskCompletionSource();
        world.Plane.Before = (_, ct) => gate.Task.WaitAsync(ct);
        world.Request(new TargetFileSystemValues { StorageCapacity = 2400 }, optimizing: true);
        world.Request(Values(new LustreFileSystemConfiguration { DataCompressionType = "LZ4" }));
        world.Request(Values(new LustreFileSystemConfiguration { DataCompressionType = "NONE" }));
        await world.UntilAsync(one => one!.Lifecycle == FileSystemLifecycle.Updating);

        gate.SetResult();

        await world.UntilAsync(one => one!.AdministrativeActions!.All(action => action.Status == ActionStatus.Completed));
        Assert.Equal(("NONE", 2400), (world.Current!.LustreConfiguration.DataCompressionType, world.Current.StorageCapacity));
        Assert.Equal(3, world.Current.AdministrativeActions!.Count);
    }

    private static async Task<ReconcilerWorld> AvailableAsync()
    {
        var world = new ReconcilerWorld();
        world.Start();
        world.Insert();
        await world.UntilAsync(one => one?.Lifecycle == FileSystemLifecycle.Available);
        return world;
    }

    private static TargetFileSystemValues Values(LustreFileSystemConfiguration changed) => new() { LustreConfiguration = changed };

    private static AdministrativeAction Update(FileSystem? one) =>
        one!.AdministrativeActions!.First(action => action.AdministrativeActionType == ActionType.FileSystemUpdate);

    private static AdministrativeAction? Optimization(FileSystem? one) =>
        one!.AdministrativeActions?.FirstOrDefault(action => action.AdministrativeActionType == ActionType.StorageOptimization);
}
