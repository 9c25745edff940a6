namespace Nacre.PtlRpc.Tests.Client;

public class TagSlotsTests
{
    [Fact]
    public async Task ThereIsOneSlotUntilTheServerGrantsMore()
    {
        var slots = new TagSlots();
        Assert.Equal(1, await slots.AcquireAsync(close: false));
        var waiting = slots.AcquireAsync(close: false).AsTask();
        Assert.False(waiting.IsCompleted);

        slots.Resize(2);
        Assert.Equal(2, await waiting);
    }

    [Fact]
    public async Task ACloseHasASlotOfItsOwn()
    {
        var slots = new TagSlots();
        slots.Resize(2);
        var taken = new[] { await slots.AcquireAsync(close: false), await slots.AcquireAsync(close: false) };
        Assert.Equal([1, 2], taken.Select(tag => (int)tag).Order());

        Assert.Equal(3, await slots.AcquireAsync(close: true));
        var secondClose = slots.AcquireAsync(close: true).AsTask();
        var another = slots.AcquireAsync(close: false).AsTask();
        slots.Release(3);
        Assert.Equal(3, await secondClose);
        Assert.False(another.IsCompleted);
        slots.Release(taken[0]);
        Assert.Equal(taken[0], await another);
    }

    [Fact]
    public async Task FewerSlotsTakeEffectWhenNoneIsTaken()
    {
        var slots = new TagSlots();
        slots.Resize(4);
        var tag = await slots.AcquireAsync(close: false);
        slots.Resize(1);
        var others = new[] { await slots.AcquireAsync(false), await slots.AcquireAsync(false), await slots.AcquireAsync(false) };
        foreach (var taken in others.Append(tag))
        {
            slots.Release(taken);
        }

        slots.Resize(1);
        Assert.Equal(1, await slots.AcquireAsync(close: false));
        Assert.False(slots.AcquireAsync(close: false).AsTask().IsCompleted);
    }
}
