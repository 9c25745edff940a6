namespace Nacre.PtlRpc.Tests;

public class BulkBufferPoolTests
{
    [Fact]
    public async Task BuffersAreAlignedAndCounted()
    {
        using var pool = new BulkBufferPool(3 << 20);
        var first = await pool.RentAsync(default);
        var second = await pool.RentAsync(default);

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
        await pool.RentAsync(held, 2, default);

        var two = new BulkBuffer[2];
        var large = pool.RentAsync(two, 2, default).AsTask();
        var small = pool.RentAsync(default).AsTask();
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
        var held = await pool.RentAsync(default);
        using var giveUp = new CancellationTokenSource();
        var waiting = pool.RentAsync(giveUp.Token).AsTask();
        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, pool.Waiting);
        held.Dispose();
        (await pool.RentAsync(default)).Dispose();
    }

    [Fact]
    public async Task MoreThanThereIsCannotBeRented()
    {
        using var pool = new BulkBufferPool(2 << 20);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => pool.RentAsync(new BulkBuffer[3], 3, default).AsTask());
    }

    [Fact]
    public async Task ADisposedPoolLetsNobodyWait()
    {
        var pool = new BulkBufferPool(1);
        var held = await pool.RentAsync(default);
        var waiting = pool.RentAsync(default).AsTask();
        pool.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pool.RentAsync(default).AsTask());
        held.Dispose();
        Assert.Equal(0, pool.InUse);
    }

    [Fact]
    public async Task ManyRentersNeverGetTheSameBuffer()
    {
        using var pool = new BulkBufferPool(4 << 20);
        await Task.WhenAll(Enumerable.Range(1, 16).Select(worker => Task.Run(async () =>
        {
            var buffers = new BulkBuffer[3];
            for (var i = 0; i < 100; i++)
            {
                var count = 1 + (i % 3);
                await pool.RentAsync(buffers, count, default);
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
}
