using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Testing;

namespace Nacre.Ldlm.Tests.Client;

/// <summary>
/// What a server may say about one lock arrives in any order: the reply, the completion and the blocking callback, each perhaps twice. Every order is
/// tried, with the user letting go at every point.
/// </summary>
public sealed class CallbackOrderTests
{
    /// <summary>All orders of R (the reply that says waiting), C (completion), c (its copy), B (blocking) and b (its copy).</summary>
    public static TheoryData<string> Orders
    {
        get
        {
            var data = new TheoryData<string>();
            foreach (var letters in (string[])["RC", "RCB", "RCcB", "RCBb"])
            {
                foreach (var order in Permutations(letters).Distinct())
                {
                    data.Add(order);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task ALockIsGrantedOnceUsedOnceAndCancelledOnce(string order)
    {
        await using var world = await NamespaceWorld.StartAsync();
        var owner = new NotingOwner();
        var asked = world.EnqueueAsync(owner);
        var enqueue = await world.NextEnqueueAsync();
        foreach (var step in order)
        {
            Assert.Equal(0, await StepAsync(world, enqueue, step));
        }

        var reference = await asked.Within();
        Assert.Equal(enqueue.ServerHandle, reference.Lock.ServerHandle);
        // The completion's value block counts, wherever the older one of the reply came.
        Assert.Equal(77UL, reference.Lock.Lvb.ObjectSize);
        var isWanted = order.Contains('B') || order.Contains('b');
        Assert.Equal(isWanted, world.Locks.TryMatch(NamespaceWorld.Object, LockType.Extent, LockMode.PR, NamespaceWorld.Whole) is null);
        Assert.Empty(owner.Losses);

        if (isWanted)
        {
            reference.Dispose();
            await Eventually.TrueAsync(() => world.Cancelled.Length > 0);
            Assert.Equal([enqueue.ServerHandle], world.Cancelled);
            Assert.Equal([LockLoss.BlockingCallback], owner.Losses);
            Assert.Equal(0, world.Locks.Count);
        }
    }

    [Fact]
    public async Task AGrantWithSomebodyWaitingIsUsedOnce()
    {
        await using var world = await NamespaceWorld.StartAsync();
        var asked = world.EnqueueAsync();
        (await world.NextEnqueueAsync()).Grant(LdlmFlags.AstSent);
        var reference = await asked.Within();
        Assert.Null(world.Locks.TryMatch(NamespaceWorld.Object, LockType.Extent, LockMode.PR, NamespaceWorld.Whole));
        Assert.Empty(world.Cancelled);
        reference.Dispose();
        await Eventually.TrueAsync(() => world.Cancelled.Length == 1);
    }

    [Fact]
    public async Task TheCancelWaitsForTheFlushAndTheLastUser()
    {
        await using var world = await NamespaceWorld.StartAsync();
        var flush = new TaskCompletionSource();
        var owner = new NotingOwner { Flush = flush.Task };
        var (first, enqueue) = await world.GrantAsync(owner);
        var second = world.Locks.TryMatch(NamespaceWorld.Object, LockType.Extent, LockMode.PR, NamespaceWorld.Whole)!.Value;
        Assert.Equal(0, await world.CallbackAsync(Opcode.LdlmBlCallback, enqueue, LdlmFlags.DiscardData));
        first.Dispose();
        Assert.Empty(owner.Losses);
        second.Dispose();
        await owner.Asked.Within();
        Assert.True(owner.Discard);
        // A copy of the callback while the flush runs finds the lock still there.
        Assert.Equal(0, await world.CallbackAsync(Opcode.LdlmBlCallback, enqueue));
        Assert.Empty(world.Cancelled);
        flush.SetResult();
        await Eventually.TrueAsync(() => world.Cancelled.Length == 1);
        Assert.Equal(-Errno.EINVAL, await world.CallbackAsync(Opcode.LdlmBlCallback, enqueue));
        Assert.Single(owner.Losses);
    }

    [Fact]
    public async Task ACompletionWithoutItsValueBlockFailsTheLock()
    {
        await using var world = await NamespaceWorld.StartAsync();
        var asked = world.EnqueueAsync();
        var enqueue = await world.NextEnqueueAsync();
        enqueue.Block();
        Assert.Equal(-Errno.EINVAL, await world.CallbackAsync(Opcode.LdlmCpCallback, enqueue));
        Assert.Equal(Errno.EINVAL, (await Assert.ThrowsAsync<RpcException>(() => asked.Within())).Errno);
        Assert.Equal(0, world.Locks.Count);
    }

    [Fact]
    public async Task AGlimpseIsAnsweredByTheOwnerOrNot()
    {
        await using var world = await NamespaceWorld.StartAsync();
        var owner = new NotingOwner { Known = new OstLvb { ObjectSize = 4711 } };
        var (reference, enqueue) = await world.GrantAsync(owner);
        using (reference)
        {
            var (status, lvb) = await world.CallAsync(Opcode.LdlmGlCallback, enqueue, LdlmFlags.None, null, null);
            Assert.Equal((0, 4711UL), (status, OstLvb.Read(lvb).ObjectSize));
            owner.Known = null;
            Assert.Equal(-LdlmStatus.NoLockData, await world.CallbackAsync(Opcode.LdlmGlCallback, enqueue));
        }

        var stranger = new PendingEnqueue(new LdlmRequest { Handle0 = 1 }, 2);
        Assert.Equal(-Errno.EINVAL, await world.CallbackAsync(Opcode.LdlmGlCallback, stranger));
    }

    private static async Task<int> StepAsync(NamespaceWorld world, PendingEnqueue enqueue, char step)
    {
        switch (step)
        {
            case 'R':
                enqueue.Block();
                // The next step must not overtake what the reply changes: it shows by the server's handle only in some orders, so a round trip is
                // made on the same connection, behind the reply.
                await world.Import.PingAsync().AsTask().Within();
                return 0;
            case 'C' or 'c':
                return await world.CompleteAsync(enqueue, size: 77);
            default:
                return await world.CallbackAsync(Opcode.LdlmBlCallback, enqueue);
        }
    }

    private static IEnumerable<string> Permutations(string letters) => letters.Length <= 1
        ? [letters]
        : letters.SelectMany((letter, i) => Permutations(letters.Remove(i, 1)).Select(rest => letter + rest));
}
