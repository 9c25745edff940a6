using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Tests.Ost;

public class RangeLockTests
{
    [Fact]
    public async Task Only_overlapping_ranges_wait_in_order_of_arrival()
    {
        var ranges = new RangeLock();
        var first = await ranges.AcquireAsync(0, 10, default);
        var apart = ranges.AcquireAsync(10, 20, default);
        Assert.True(apart.IsCompleted);
        var second = ranges.AcquireAsync(5, 15, default).AsTask();
        var third = ranges.AcquireAsync(0, 6, default).AsTask();
        first.Dispose();
        Assert.False(second.IsCompleted);
        Assert.False(third.IsCompleted);
        (await apart).Dispose();
        var held = await second.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(third.IsCompleted);
        held.Dispose();
        (await third.WaitAsync(TimeSpan.FromSeconds(10))).Dispose();
    }

    [Fact]
    public async Task Who_gives_up_waiting_lets_others_pass()
    {
        var ranges = new RangeLock();
        var first = await ranges.AcquireAsync(0, 10, default);
        using var giveUp = new CancellationTokenSource();
        var second = ranges.AcquireAsync(0, 20, giveUp.Token).AsTask();
        var third = ranges.AcquireAsync(15, 20, default).AsTask();
        Assert.False(third.IsCompleted);
        giveUp.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        (await third.WaitAsync(TimeSpan.FromSeconds(10))).Dispose();
        first.Dispose();
        (await ranges.AcquireAsync(0, 100, default)).Dispose();
    }
}
