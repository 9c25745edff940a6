using Microsoft.Extensions.Time.Testing;
using Nacre.PtlRpc.Timing;

namespace Nacre.PtlRpc.Tests.Timing;

public class TimingTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task DeadlinesComeWhenTheyAreDueAndInNoOtherTick()
    {
        var clock = new RpcClock(_time);
        await using var wheel = new DeadlineWheel(clock);
        // Beyond one turn of the wheel too.
        int[] delays = [1, 249, 250, 251, 1000, 5000, 256_000, 600_000];
        var owners = delays.Select(_ => new Owner()).ToArray();
        var start = clock.Milliseconds;
        foreach (var (owner, delay) in owners.Zip(delays))
        {
            wheel.Set(owner.Node, start + delay, version: delay);
        }

        for (var elapsed = 0; elapsed < 601_000; elapsed += 250)
        {
            _time.Advance(TimeSpan.FromMilliseconds(250));
        }

        foreach (var (owner, delay) in owners.Zip(delays))
        {
            var (version, at) = Assert.Single(owner.Calls);
            Assert.Equal(delay, version);
            Assert.InRange(at - start, delay, delay + (2 * DeadlineWheel.TickMilliseconds));
        }
    }

    [Fact]
    public async Task AClearedOrMovedDeadlineDoesNotCome()
    {
        var clock = new RpcClock(_time);
        await using var wheel = new DeadlineWheel(clock);
        var (cleared, moved) = (new Owner(), new Owner());
        wheel.Set(cleared.Node, clock.Milliseconds + 1000, 1);
        wheel.Set(moved.Node, clock.Milliseconds + 1000, 1);
        wheel.Clear(cleared.Node);
        wheel.Clear(cleared.Node);
        wheel.Set(moved.Node, clock.Milliseconds + 3000, 2);

        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Empty(moved.Calls);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Empty(cleared.Calls);
        Assert.Equal(2, Assert.Single(moved.Calls).Version);
    }

    [Fact]
    public async Task ALongPauseLosesNothing()
    {
        var clock = new RpcClock(_time);
        await using var wheel = new DeadlineWheel(clock);
        var owners = Enumerable.Range(0, 2000).Select(_ => new Owner()).ToList();
        foreach (var (owner, i) in owners.Select((owner, i) => (owner, i)))
        {
            wheel.Set(owner.Node, clock.Milliseconds + (i * 100), 1);
        }

        _time.Advance(TimeSpan.FromHours(1));
        Assert.All(owners, owner => Assert.Single(owner.Calls));
    }

    [Fact]
    public void TheEstimateIsTheMaximumOfTenMinutes()
    {
        var estimate = new ServiceEstimate(minimum: 5, maximum: 600);
        Assert.Equal(5, estimate.Current(0));
        estimate.Observe(1, 0);
        Assert.Equal(5, estimate.Current(0));
        estimate.Observe(31, 10_000);
        Assert.Equal(31, estimate.Current(10_000));
        estimate.Observe(7, 200_000);
        Assert.Equal(31, estimate.Current(590_000));
        Assert.Equal(7, estimate.Current(700_000));
        Assert.Equal(5, estimate.Current(1_000_000));
        estimate.Observe(10_000, 1_000_000);
        Assert.Equal(600, estimate.Current(1_000_000));
    }

    private sealed class Owner : IDeadlineOwner
    {
        public Owner() => Node = new DeadlineNode(this);

        public DeadlineNode Node { get; }

        public List<(int Version, long At)> Calls { get; } = [];

        public void OnDeadline(int version, long nowMilliseconds) => Calls.Add((version, nowMilliseconds));
    }
}
