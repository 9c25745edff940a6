using Microsoft.Extensions.Time.Testing;
using Nacre.ControlPlane.DataPlane;
using Nacre.ControlPlane.Reconciler;
using Nacre.ControlPlane.Shapes;
using Nacre.Testing;

namespace Nacre.ControlPlane.Tests.Reconciler;

public class CreationTests
{
    [Fact]
    public async Task A_file_system_becomes_available_once_the_servers_have_made_it()
    {
        await using var world = new ReconcilerWorld();
        world.Start();
        world.Insert(one => one with { StorageCapacity = 4800 });

        await world.UntilAsync(one => one?.Lifecycle == FileSystemLifecycle.Available);

        Assert.Equal(new FileSystemShape(ReconcilerWorld.MountName, 4, 4800, null), world.Plane.FileSystems[ReconcilerWorld.MountName]);
        Assert.Equal(4, world.Catalog.FileSystems.Find(ReconcilerWorld.Id)!.OstCount);
        var interfaces = world.Current!.NetworkInterfaceIds!;
        Assert.Equal(3, interfaces.Distinct().Count());
        Assert.All(interfaces, id => Assert.Matches("^eni-[0-9a-f]{17}$", id));
        Assert.All(world.History, one => Assert.Equal(one!.Lifecycle == FileSystemLifecycle.Available, one.NetworkInterfaceIds is not null));
    }

    [Fact]
    public async Task Whoever_polls_sees_it_being_created()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50));
        await using var world = new ReconcilerWorld(time, new TransitionTimes { Creating = TimeSpan.FromMinutes(5) });
        world.Start();
        world.Insert();
        time.Advance(TimeSpan.FromMinutes(4));
        Assert.Empty(world.Plane.Calls);
        Assert.Equal(FileSystemLifecycle.Creating, world.Current!.Lifecycle);

        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMinutes(1));
            return world.Current!.Lifecycle == FileSystemLifecycle.Available;
        });
    }

    [Theory]
    [InlineData("refused")]
    [InlineData("cancelled by the servers")]
    public async Task What_fails_for_a_while_is_tried_again(string how)
    {
        await using var world = new ReconcilerWorld();
        var failures = 2;
        world.Plane.Before = (_, _) => failures-- > 0
            ? throw (how == "refused" ? new DataPlaneException("not now", isPermanent: false) : new OperationCanceledException())
            : Task.CompletedTask;
        world.Start();
        world.Insert();

        await world.UntilAsync(one => one?.Lifecycle == FileSystemLifecycle.Available);

        Assert.Equal(3, world.Plane.Calls.Count);
    }

    [Theory]
    [InlineData(false, 3)]
    [InlineData(true, 1)]
    public async Task What_cannot_be_made_is_failed_and_leaves_nothing_behind(bool isPermanent, int tries)
    {
        await using var world = new ReconcilerWorld();
        // Half of it is made before it fails.
        world.Plane.After = (call, _) => call.StartsWith("ensure", StringComparison.Ordinal)
            ? throw new DataPlaneException("The disk of the file servers is full.", isPermanent)
            : Task.CompletedTask;
        world.Start();
        world.Insert();

        await world.UntilAsync(one => one?.Lifecycle == FileSystemLifecycle.Failed);

        Assert.Equal("The disk of the file servers is full.", world.Current!.FailureDetails!.Message);
        Assert.Equal(tries, world.Plane.Calls.Count(call => call.StartsWith("ensure", StringComparison.Ordinal)));
        Assert.Empty(world.Plane.FileSystems);
        // It can be deleted as any other.
        world.Delete();
        await world.UntilAsync(one => one is null);
    }

    [Fact]
    public async Task Many_are_made_at_a_time_and_the_servers_are_not_flooded()
    {
        await using var world = new ReconcilerWorld();
        var (now, most) = (0, 0);
        world.Plane.Before = async (_, ct) =>
        {
            var running = Interlocked.Increment(ref now);
            InterlockedMax(ref most, running);
            await Task.Delay(5, ct);
            Interlocked.Decrement(ref now);
        };
        world.Start();
        for (var number = 0; number < 20; number++)
        {
            var (id, name) = ($"fs-{number:x17}", $"many{number}");
            world.Insert(one => one with { FileSystemId = id, LustreConfiguration = one.LustreConfiguration with { MountName = name } });
        }

        await Eventually.TrueAsync(() => world.Catalog.FileSystems.Unsettled().Count == 0);

        Assert.Equal(20, world.Plane.FileSystems.Count);
        Assert.InRange(most, 2, 4);
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); seen < value; seen = Volatile.Read(ref target))
        {
            Interlocked.CompareExchange(ref target, value, seen);
        }
    }
}
