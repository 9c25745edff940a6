using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Testing;

namespace Nacre.Ldlm.Tests.Client;

/// <summary>Matching, refusals, waiters that give up, the cache of unused locks, early cancels, eviction.</summary>
public sealed class ClientNamespaceTests
{
    private static readonly LdlmPolicy Middle = LdlmPolicy.Extent(4096, 8191);

    [Fact]
    public async Task AHeldLockServesWhatItCovers()
    {
        await using var world = await NamespaceWorld.StartAsync();
        var asked = world.EnqueueAsync(mode: LockMode.PR, policy: Middle);
        (await world.NextEnqueueAsync()).Grant(policy: LdlmPolicy.Extent(0, 65535), size: 5);
        using var held = await asked.Within();
        Assert.Equal(65535UL, held.Lock.Policy.End);
        Assert.Equal(5UL, held.Lock.Lvb.ObjectSize);
        Assert.True(Matches(world, LockMode.PR, LdlmPolicy.Extent(0, 65535)));
        Assert.False(Matches(world, LockMode.PR, LdlmPolicy.Extent(0, 65536)));
        Assert.False(Matches(world, LockMode.PW, Middle));
        Assert.False(world.Locks.TryMatch(new LdlmResId(0x100, 8), LockType.Extent, LockMode.PR, Middle) is not null);
    }

    [Fact]
    public async Task ARefusedEnqueueLeavesNothing()
    {
        await using var world = await NamespaceWorld.StartAsync();
        var asked = world.EnqueueAsync();
        (await world.NextEnqueueAsync()).Refuse(Errno.ENOENT);
        Assert.Equal(Errno.ENOENT, (await Assert.ThrowsAsync<RpcException>(() => asked.Within())).Errno);
        Assert.Equal(0, world.Locks.Count);
    }

    [Fact]
    public async Task AnAbortedGlimpseGivesTheValueBlockAndNoLock()
    {
        await using var world = await NamespaceWorld.StartAsync();
        var asked = world.Locks.GlimpseAsync(
            new LockRequest(NamespaceWorld.Object, LockType.Extent, LockMode.PR, NamespaceWorld.Whole), default).AsTask();
        var enqueue = await world.NextEnqueueAsync();
        Assert.Equal(LdlmFlags.HasIntent, enqueue.Request.LockFlags);
        enqueue.Abort(size: 99);
        var (reference, lvb) = await asked.Within();
        Assert.False(reference.IsHeld);
        Assert.Equal(99UL, lvb.ObjectSize);
        Assert.Equal(0, world.Locks.Count);
    }

    [Fact]
    public async Task AWaiterThatGivesUpTakesItsLockBack()
    {
        await using var world = await NamespaceWorld.StartAsync();
        using var patience = new CancellationTokenSource();
        var asked = world.EnqueueAsync(ct: patience.Token);
        var enqueue = await world.NextEnqueueAsync();
        enqueue.Block();
        await world.Import.PingAsync().AsTask().Within();
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked.Within());
        await Eventually.TrueAsync(() => world.Cancelled.Length == 1);
        Assert.Equal([enqueue.ServerHandle], world.Cancelled);
        Assert.Equal(-Errno.EINVAL, await world.CompleteAsync(enqueue));
        Assert.Equal(0, world.Locks.Count);
    }

    [Fact]
    public async Task ALockGrantedAfterItsUserGaveUpIsCancelled()
    {
        await using var world = await NamespaceWorld.StartAsync();
        using var patience = new CancellationTokenSource();
        var asked = world.EnqueueAsync(ct: patience.Token);
        var enqueue = await world.NextEnqueueAsync();
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked.Within());
        enqueue.Grant();
        await Eventually.TrueAsync(() => world.Cancelled.Length == 1);
        Assert.Equal([enqueue.ServerHandle], world.Cancelled);
        Assert.Equal(0, world.Locks.Count);
    }

    [Fact]
    public async Task TheLongestUnusedGoFirstWhenThereAreTooMany()
    {
        await using var world = await NamespaceWorld.StartAsync(new ClientNamespaceOptions { MaxUnused = 2 });
        var owner = new NotingOwner();
        List<ulong> handles = [];
        for (var i = 1UL; i <= 4; i++)
        {
            var (reference, enqueue) = await world.GrantAsync(owner, resource: new LdlmResId(0x100, i));
            handles.Add(enqueue.ServerHandle);
            reference.Dispose();
        }

        await Eventually.TrueAsync(() => world.Cancelled.Length == 2);
        Assert.Equal(handles[..2], world.Cancelled.Order());
        Assert.All(owner.Losses, loss => Assert.Equal(LockLoss.Lru, loss));
        Assert.Equal(2, world.Locks.UnusedCount);
    }

    [Fact]
    public async Task UnmountCancelsAllInFewRequests()
    {
        await using var world = await NamespaceWorld.StartAsync();
        for (var i = 1UL; i <= 50; i++)
        {
            (await world.GrantAsync(resource: new LdlmResId(0x100, i))).Reference.Dispose();
        }

        await world.Locks.CancelAllAsync().AsTask().Within();
        Assert.Equal(50, world.Cancelled.Length);
        Assert.Equal(1, world.CancelRequests);
        Assert.Equal(0, world.Locks.Count);
    }

    [Fact]
    public async Task EarlyCancelsAreFlushedAndTravelWithAnotherRequest()
    {
        await using var world = await NamespaceWorld.StartAsync();
        var owner = new NotingOwner();
        var (reference, enqueue) = await world.GrantAsync(owner);
        var handles = new ulong[4];
        Assert.Equal(0, await world.Locks.TakeForEarlyCancelAsync(NamespaceWorld.Object, LockMode.PW, 0, handles));
        reference.Dispose();
        Assert.Equal(0, await world.Locks.TakeForEarlyCancelAsync(NamespaceWorld.Object, LockMode.PR, 0, handles));
        Assert.Equal(1, await world.Locks.TakeForEarlyCancelAsync(NamespaceWorld.Object, LockMode.PW | LockMode.PR, 0, handles));
        Assert.Equal(enqueue.ServerHandle, handles[0]);
        Assert.Equal([LockLoss.Early], owner.Losses);
        Assert.Equal(-Errno.EINVAL, await world.CallbackAsync(Opcode.LdlmBlCallback, enqueue));
        Assert.Empty(world.Cancelled);
    }

    [Fact]
    public async Task AnEvictionLosesHeldAndWaitedForLocksWithoutACancel()
    {
        await using var world = await NamespaceWorld.StartAsync();
        var owner = new NotingOwner();
        var (held, _) = await world.GrantAsync(owner, policy: Middle);
        var asked = world.EnqueueAsync();
        (await world.NextEnqueueAsync()).Block();
        await world.Import.PingAsync().AsTask().Within();
        world.Locks.OnEvicted();
        Assert.Equal([LockLoss.Evicted], owner.Losses);
        Assert.Equal(Errno.EIO, (await Assert.ThrowsAsync<RpcException>(() => asked.Within())).Errno);
        Assert.True(held.Lock.IsGone);
        held.Dispose();
        Assert.Equal(0, world.Locks.Count);
        Assert.Empty(world.Cancelled);
    }

    private static bool Matches(NamespaceWorld world, LockMode mode, LdlmPolicy policy)
    {
        var found = world.Locks.TryMatch(NamespaceWorld.Object, LockType.Extent, mode, policy);
        found?.Dispose();
        return found is not null;
    }
}
