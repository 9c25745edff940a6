using Nacre.Client.Tests.Harness;
using Nacre.Client.Vfs;
using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Tests.Operations;

public sealed class FileLockTests
{
    private static readonly FileLock Whole = new(FileLockType.Write, 0, long.MaxValue, 77);

    [Fact]
    public async Task A_lock_excludes_the_other_client_until_it_is_given_up()
    {
        await using var world = await ClientWorld.StartAsync();
        var ((one, here), (two, there)) = await OpenTwiceAsync(world);

        Assert.Equal(0, await SetAsync(one, here, 1, Whole));
        Assert.Equal(Errno.EAGAIN, await SetAsync(two, there, 2, Whole));
        var waiting = SetAsync(two, there, 2, Whole, wait: true);
        Assert.Equal(0, await SetAsync(one, here, 1, Whole with { Type = FileLockType.Unlock }));

        Assert.Equal(0, await waiting.WithinBoundsAsync());
        Assert.Equal(Errno.EAGAIN, await SetAsync(one, here, 1, Whole));
    }

    [Fact]
    public async Task The_lock_in_the_way_is_told()
    {
        await using var world = await ClientWorld.StartAsync();
        var ((one, here), (two, there)) = await OpenTwiceAsync(world);
        await SetAsync(one, here, 1, new FileLock(FileLockType.Read, 100, 199, 77));

        var free = await two.Vfs.GetLockAsync(there, Owner(2), new FileLock(FileLockType.Write, 0, 99, 0), CancellationToken.None);
        var taken = await two.Vfs.GetLockAsync(there, Owner(2), new FileLock(FileLockType.Write, 150, 300, 0), CancellationToken.None);

        Assert.Equal(FileLockType.Unlock, free.Value.Type);
        Assert.Equal(new FileLock(FileLockType.Read, 100, 199, 77), taken.Value);
    }

    [Fact]
    public async Task A_waiting_lock_can_be_given_up()
    {
        await using var world = await ClientWorld.StartAsync();
        var ((one, here), (two, there)) = await OpenTwiceAsync(world);
        await SetAsync(one, here, 1, Whole);
        using var interrupt = new CancellationTokenSource();
        var waiting = two.Vfs.SetLockAsync(there, Owner(2), Whole, wait: true, interrupt.Token).AsTask();

        await interrupt.CancelAsync();

        Assert.Equal(Errno.EINTR, (await waiting.WithinBoundsAsync()).Errno);
        Assert.Equal(0, await SetAsync(one, here, 1, Whole with { Type = FileLockType.Unlock }));
        Assert.Equal(0, await SetAsync(one, here, 3, Whole, wait: true).WithinBoundsAsync());
    }

    [Fact]
    public async Task Two_that_wait_for_each_other_are_told()
    {
        await using var world = await ClientWorld.StartAsync();
        var ((one, here), (two, there)) = await OpenTwiceAsync(world);
        var (low, high) = (new FileLock(FileLockType.Write, 0, 9, 1), new FileLock(FileLockType.Write, 10, 19, 1));
        await SetAsync(one, here, 1, low);
        await SetAsync(two, there, 2, high);

        var first = SetAsync(one, here, 1, high, wait: true);
        var second = SetAsync(two, there, 2, low, wait: true);
        var loser = await Task.WhenAny(first, second).WithinBoundsAsync();

        Assert.Equal(Errno.EDEADLK, await loser);
        Assert.Equal(0, await (loser == first
            ? SetAsync(one, here, 1, low with { Type = FileLockType.Unlock })
            : SetAsync(two, there, 2, high with { Type = FileLockType.Unlock })));
        Assert.Equal(0, await (loser == first ? second : first).WithinBoundsAsync());
    }

    [Fact]
    public async Task Closing_a_descriptor_drops_its_process_locks()
    {
        await using var world = await ClientWorld.StartAsync();
        var ((one, here), (two, there)) = await OpenTwiceAsync(world);
        await SetAsync(one, here, 1, Whole);

        await one.Vfs.FlushAsync(here, 1, CancellationToken.None);

        Assert.Equal(0, await SetAsync(two, there, 2, Whole));
    }

    private static LockOwner Owner(ulong owner) => new(owner, IsFlock: false);

    private static async Task<int> SetAsync(Mounted client, OpenNode file, ulong owner, FileLock wanted, bool wait = false) =>
        (await client.Vfs.SetLockAsync(file, Owner(owner), wanted, wait, CancellationToken.None)).Errno;

    private static async Task<((Mounted Client, OpenNode File) One, (Mounted Client, OpenNode File) Two)> OpenTwiceAsync(ClientWorld world)
    {
        var (one, two) = (await world.MountAsync(), await world.MountAsync());
        var here = await one.CreateAsync(one.Root, "f");
        return ((one, here), (two, await two.OpenAsync((await two.LookupAsync(two.Root, "f")).Node!, 2)));
    }
}
