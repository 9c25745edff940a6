namespace Nacre.PtlRpc.Tests;

public class BulkBufferPoolTests
{
    private readonly BulkShare _one = new();
    private readonly BulkShare _other = new();

    [Fact]
    public async Task BuffersAreAlignedAndCounted()
    {
        using var pool = new BulkBufferPool(3 << 20);
        var first = await pool.RentAsync(_one, default);
        var second = await pool.RentAsync(_other, default);

        Assert.Equal((3, 2, 0), (pool.Capacity, pool.InUse, pool.Waiting));
        Assert.Equal(0, first.Address % 4096);
        Assert.Equal(BulkBufferPool.BufferSize, first.Memory.Length);
        first.Memory.Span.Fill(1);
        second.Memory.Span.Fill(2);
        Assert.Equal((1, 1), (first.Memory.Span[0], first.Memory.Span[^1]));

        first.Dispose();
        first.Dispose();
        Assert.Equal(1, pool.InUse);
        second.Dispose();
    }

    [Fact]
    public async Task RentersWaitInOrder()
    {
        using var pool = new BulkBufferPool(2 << 20);
        var held = new BulkBuffer[2];
        await pool.RentAsync(_one, held, 2, default);

        var two = new BulkBuffer[2];
        var large = pool.RentAsync(_other, two, 2, default).AsTask();
        var small = pool.RentAsync(new BulkShare(), default).AsTask();
        Assert.Equal(2, pool.Waiting);

        // One is free, but the renter of two is first: the small one must not overtake it for ever.
        held[0].Dispose();
        Assert.False(large.IsCompleted || small.IsCompleted);
        held[1].Dispose();
        await large;
        Assert.False(small.IsCompleted);
        two[0].Dispose();
        (await small).Dispose();
        two[1].Dispose();
        Assert.Equal((0, 0), (pool.InUse, pool.Waiting));
    }

    [Fact]
    public async Task AWaitCanBeGivenUp()
    {
        using var pool = new BulkBufferPool(1);
        var held = await pool.RentAsync(_one, default);
        using var giveUp = new CancellationTokenSource();
        var waiting = pool.RentAsync(_other, giveUp.Token).AsTask();
        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, pool.Waiting);
        held.Dispose();
        (await pool.RentAsync(_one, default)).Dispose();
    }

    [Fact]
    public async Task MoreThanThereIsCannotBeRented()
    {
        using var pool = new BulkBufferPool(2 << 20);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => pool.RentAsync(_one, new BulkBuffer[3], 3, default).AsTask());
    }

    [Fact]
    public async Task ADisposedPoolLetsNobodyWait()
    {
        var pool = new BulkBufferPool(1);
        var held = await pool.RentAsync(_one, default);
        var waiting = pool.RentAsync(_other, default).AsTask();
        pool.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pool.RentAsync(_one, default).AsTask());
        held.Dispose();
        Assert.Equal(0, pool.InUse);
    }

    [Fact]
    public async Task ManyRentersNeverGetTheSameBuffer()
    {
        using var pool = new BulkBufferPool(4 << 20);
        await Task.WhenAll(Enumerable.Range(1, 16).Select(worker => Task.Run(async () =>
        {
            // Some are alone, some share a client.
            var client = worker < 8 ? new BulkShare() : _one;
            var buffers = new BulkBuffer[3];
            for (var i = 0; i < 100; i++)
            {
                var count = 1 + (i % 3);
                await pool.RentAsync(client, buffers, count, default);
                for (var b = 0; b < count; b++)
                {
                    buffers[b].Memory.Span[0] = (byte)worker;
                }

                await Task.Yield();
                for (var b = 0; b < count; b++)
                {
                    Assert.Equal(worker, buffers[b].Memory.Span[0]);
                    buffers[b].Dispose();
                }
            }
        })));
        Assert.Equal((0, 0), (pool.InUse, pool.Waiting));
    }

    [Fact]
    public async Task OneGreedyClientGetsHalfAndTwoAThirdEach()
    {
        using var pool = new BulkBufferPool(12 << 20);
        var (first, second) = (RentMany(pool, _one, 20), RentMany(pool, _other, 20));
        Assert.Equal((6, 3), (_one.Held, _other.Held));

        // What the first gives back goes to the second until both have as much as is left.
        await GiveBackAsync(first, 2);
        Assert.Equal((4, 4), (_one.Held, _other.Held));
        Assert.Equal(4, pool.Capacity - pool.InUse);
        pool.Dispose();
        await Settle([.. first, .. second]);
    }

    [Fact]
    public async Task AGreedyClientAndManyModestOnesAllGoOn()
    {
        const int Rounds = 50;
        using var pool = new BulkBufferPool(8 << 20);
        // It holds whatever it can get and gives nothing back.
        var greedy = RentMany(pool, _one, 1000);
        var modest = Enumerable.Range(0, 20).Select(_ => Task.Run(async () =>
        {
            var (client, buffers) = (new BulkShare(), new BulkBuffer[2]);
            for (var i = 0; i < Rounds; i++)
            {
                await pool.RentAsync(client, buffers, 2, default);
                await Task.Yield();
                buffers[0].Dispose();
                buffers[1].Dispose();
            }
        }));
        await Task.WhenAll(modest).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((4, 4), (_one.Held, pool.InUse));
        pool.Dispose();
        await Settle(greedy);
    }

    [Fact]
    public async Task ClientsTakeTurnsHoweverManyRequestsOneHas()
    {
        using var pool = new BulkBufferPool(1 << 20);
        var held = await pool.RentAsync(new BulkShare(), default);
        var many = RentMany(pool, _one, 5);
        var single = pool.RentAsync(_other, default).AsTask();
        held.Dispose();
        (await many[0]).Dispose();
        (await single.WaitAsync(TimeSpan.FromSeconds(30))).Dispose();
        foreach (var next in many[1..])
        {
            (await next.WaitAsync(TimeSpan.FromSeconds(30))).Dispose();
        }

        Assert.Equal((0, 0), (pool.InUse, pool.Waiting));
    }

    [Fact]
    public async Task ALargeRequestIsNotStarvedBySmallOnes()
    {
        using var pool = new BulkBufferPool(4 << 20);
        var small = new[] { await pool.RentAsync(_one, default), await pool.RentAsync(_other, default) };
        var large = pool.RentAsync(new BulkShare(), new BulkBuffer[4], 4, default).AsTask();
        // Two are free, but they are what the large one waits for.
        var newcomer = pool.RentAsync(new BulkShare(), default).AsTask();
        Assert.False(large.IsCompleted || newcomer.IsCompleted);
        small[0].Dispose();
        Assert.False(large.IsCompleted || newcomer.IsCompleted);
        small[1].Dispose();
        await large.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(newcomer.IsCompleted);
        pool.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => newcomer);
    }

    private static Task<BulkBuffer>[] RentMany(BulkBufferPool pool, BulkShare client, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => pool.RentAsync(client, default).AsTask())];

    private static async Task GiveBackAsync(Task<BulkBuffer>[] rents, int count)
    {
        foreach (var rent in rents[..count])
        {
            (await rent).Dispose();
        }
    }

    private static async Task Settle(Task<BulkBuffer>[] rents)
    {
        foreach (var rent in rents)
        {
            await ((Task)rent).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (rent.IsCompletedSuccessfully)
            {
                (await rent).Dispose();
            }
        }
    }
}
