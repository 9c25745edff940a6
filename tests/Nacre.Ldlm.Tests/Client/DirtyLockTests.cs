using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;
using Nacre.Testing;
using HeldLock = Nacre.Ldlm.Client.ClientLock;

namespace Nacre.Ldlm.Tests.Client;

/// <summary>The two ends of a lock's life: nobody uses it before its owner knows what came with it, and what became dirty under it is written under it to the last.</summary>
public sealed class DirtyLockTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task NobodyMatchesALockBeforeItsOwnerHasTakenItOver(bool waits)
    {
        await using var world = await NamespaceWorld.StartAsync();
        var matched = true;
        var owner = new TakingOver(held => matched = Matches(world) || TryMatchDirty(world) is not null || held.Lvb.ObjectSize != 77);
        var asked = world.EnqueueAsync(owner);
        var enqueue = await world.NextEnqueueAsync();
        if (waits)
        {
            enqueue.Block();
            await world.Import.PingAsync().AsTask().Within();
            Assert.Equal(0, await world.CompleteAsync(enqueue, size: 77));
        }
        else
        {
            enqueue.Grant(size: 77);
        }

        using var reference = await asked.Within();
        Assert.False(matched);
        Assert.True(Matches(world));
    }

    [Fact]
    public async Task WhatIsDirtyIsWrittenUnderALockThatWasCalledBack()
    {
        await using var world = await NamespaceWorld.StartAsync();
        var flush = new TaskCompletionSource();
        var owner = new NotingOwner { Flush = flush.Task };
        var (reference, enqueue) = await world.GrantAsync(owner);
        Assert.Equal(0, await world.CallbackAsync(Opcode.LdlmBlCallback, enqueue));

        // Called back, and in use.
        Assert.False(Matches(world));
        TryMatchDirty(world)!.Value.Dispose();
        reference.Dispose();
        await owner.Asked.Within();

        // On its way out.
        Assert.False(Matches(world));
        var writer = TryMatchDirty(world)!.Value;
        var closed = world.Locks.CloseAsync(writer.Lock);
        Assert.Null(TryMatchDirty(world));
        Assert.False(closed.IsCompleted);
        writer.Dispose();
        await closed.Within();
        Assert.Empty(world.Cancelled);
        flush.SetResult();
        await Eventually.TrueAsync(() => world.Cancelled.Length == 1);
    }

    [Fact]
    public async Task NothingIsDirtyUnderALockThatOnlyReads()
    {
        await using var world = await NamespaceWorld.StartAsync();
        var (reference, _) = await world.GrantAsync(mode: LockMode.PR);
        Assert.Null(TryMatchDirty(world));
        reference.Dispose();
    }

    private static bool Matches(NamespaceWorld world)
    {
        var found = world.Locks.TryMatch(NamespaceWorld.Object, LockType.Extent, LockMode.PR, LdlmPolicy.Extent(0, 4095));
        found?.Dispose();
        return found is not null;
    }

    private static LockReference? TryMatchDirty(NamespaceWorld world) => world.Locks.TryMatchDirty(NamespaceWorld.Object, 4096);

    private sealed class TakingOver(Action<HeldLock> onGranted) : ILockOwner
    {
        public void OnGranted(HeldLock granted) => onGranted(granted);

        public ValueTask OnCancelAsync(HeldLock heldLock, LockLoss reason) => ValueTask.CompletedTask;

        public bool TryGlimpse(HeldLock heldLock, out OstLvb lvb)
        {
            lvb = default;
            return false;
        }
    }
}
