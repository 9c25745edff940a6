using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Tests.Rpc;

/// <summary>Locks that the target takes and gives: 03 sections 12 and 16.</summary>
public class IntentTests
{
    private const InodeBits GetAttrBits = InodeBits.Lookup | InodeBits.Update | InodeBits.Perm;
    private static readonly LdlmResId Child = LdlmResId.OfFid(new LuFid(0x200000401, 77));

    [Fact]
    public async Task ChildLockIsHandedToTheClient()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var a = await world.ConnectAsync();
        world.Target.Intent = (r, opcode) => GiveAsync(world, r, LockMode.PR, GetAttrBits, InodeBits.Layout, (IntentOpcode)opcode);
        var request = Lookup();
        var reply = await a.EnqueueAsync(request, IntentOpcode.GetAttr);

        Assert.Equal((0, LdlmFlags.HasIntent | LdlmFlags.LockChanged), (reply.Status, reply.Flags));
        var desc = reply.Reply.LockDesc;
        Assert.Equal((LockType.IBits, Child), (desc.Resource.Type, desc.Resource.Name));
        Assert.Equal((LockMode.PR, LockMode.PR, GetAttrBits | InodeBits.Layout, InodeBits.None),
            (desc.ReqMode, desc.GrantedMode, desc.Policy.Bits, desc.Policy.TryBits));
        Assert.Equal((ulong)IntentOpcode.GetAttr, reply.Reply.LockPolicyRes1);

        // Called back by the handle the client chose for the parent's lock.
        var change = world.Locks.LockAsync(Child, LockMode.EX, InodeBits.Lookup, CancellationToken.None);
        Assert.Equal(request.Handle0, (await a.NextAsync()).Request.Handle0);
        await a.CancelAsync(reply.Reply.LockHandle);
        (await change).Dispose();
        Assert.Equal((0, 0), (world.Locks.LockCount, world.Locks.ResourceCount));
    }

    [Fact]
    public async Task TakenOptionalBitsAreLeftOut()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var a = await world.ConnectAsync();
        using var held = await world.Locks.LockAsync(Child, LockMode.EX, InodeBits.Layout, CancellationToken.None);
        world.Target.Intent = (r, opcode) =>
            GiveAsync(world, r, LockMode.CR, InodeBits.None, InodeBits.Lookup | InodeBits.Layout, (IntentOpcode)opcode);
        var reply = await a.EnqueueAsync(Lookup(), IntentOpcode.Open);
        Assert.Equal(InodeBits.Lookup, reply.Reply.LockDesc.Policy.Bits);

        world.Target.Intent = (r, opcode) =>
            GiveAsync(world, r, LockMode.CR, InodeBits.None, InodeBits.Layout, (IntentOpcode)opcode);
        reply = await a.EnqueueAsync(Lookup(), IntentOpcode.Open);
        Assert.Equal((LdlmStatus.LockAborted, 0ul), (reply.Status, reply.Reply.LockHandle));
    }

    [Fact]
    public async Task LockWantedBeforeTheReplyIsTold()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var a = await world.ConnectAsync();
        ValueTask<ServerLock> change = default;
        world.Target.Intent = async (r, _) =>
        {
            var granted = await world.Locks.GrantToClientAsync(r, Child, LockMode.PR, GetAttrBits, 0, CancellationToken.None);
            change = world.Locks.LockAsync(Child, LockMode.PW, InodeBits.Update, CancellationToken.None);
            Finish(r, granted, 0);
        };
        var reply = await a.EnqueueAsync(Lookup(), IntentOpcode.GetAttr);
        Assert.Equal(LdlmFlags.HasIntent | LdlmFlags.LockChanged | LdlmFlags.AstSent, reply.Flags);
        Assert.Equal(InodeBits.Update, reply.Reply.LockDesc.Policy.CancelBits);
        Assert.Equal(1, world.Locks.CalledBackCount);
        Assert.False(a.HasCallback);
        await a.CancelAsync(reply.Reply.LockHandle);
        (await change).Dispose();
    }

    [Fact]
    public async Task IntentWaitsForOtherClients()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var (a, b) = (await world.ConnectAsync(), await world.ConnectAsync());
        var held = await a.EnqueueAsync(LockClient.Request(LockType.IBits, LockMode.EX, LdlmPolicy.IBits(InodeBits.Lookup), name: Child));
        world.Target.Intent = (r, opcode) => GiveAsync(world, r, LockMode.PR, GetAttrBits, 0, (IntentOpcode)opcode);
        var stat = b.EnqueueAsync(Lookup(), IntentOpcode.GetAttr);
        Assert.Equal(Opcode.LdlmBlCallback, (await a.NextAsync()).Opcode);
        Assert.False(stat.IsCompleted);
        await a.CancelAsync(held.Reply.LockHandle);
        Assert.True((await stat).Granted);
    }

    [Fact]
    public async Task FailedIntentLeavesNoLock()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var a = await world.ConnectAsync();
        world.Target.Intent = async (r, _) =>
        {
            await world.Locks.GrantToClientAsync(r, Child, LockMode.PR, GetAttrBits, 0, CancellationToken.None);
            throw new RpcException(Errno.EIO);
        };
        Assert.Equal(-Errno.EIO, (await a.EnqueueAsync(Lookup(), IntentOpcode.GetAttr)).Status);
        Assert.Equal((0, 0), (world.Locks.LockCount, world.Locks.ResourceCount));
    }

    [Fact]
    public async Task ServersLockBecomesTheClients()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var (a, b) = (await world.ConnectAsync(), await world.ConnectAsync());
        world.Target.Intent = async (r, _) =>
        {
            var held = await world.Locks.LockAsync(
                Child, LockMode.EX, InodeBits.Layout | InodeBits.Update, CancellationToken.None);
            Finish(r, world.Locks.HandToClient(held, r, LockMode.CR, InodeBits.Layout), 1);
            held.Dispose(); // nothing left to release
        };
        var reply = await a.EnqueueAsync(Lookup(), IntentOpcode.Layout);
        Assert.Equal((LockMode.CR, InodeBits.Layout), (reply.Reply.LockDesc.GrantedMode, reply.Reply.LockDesc.Policy.Bits));
        Assert.Equal(1, world.Locks.LockCount);
        var other = LockClient.Request(LockType.IBits, LockMode.CR, LdlmPolicy.IBits(InodeBits.Layout), name: Child);
        Assert.True((await b.EnqueueAsync(other)).Granted);
    }

    [Fact]
    public async Task LayoutIsReadOnceTheLockIsGranted()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var a = await world.ConnectAsync();
        var asked = 0;
        world.Target.Intent = (r, _) => world.Locks.EnqueuePlainAsync(r, name =>
        {
            Assert.Equal(LockWorld.File, name);
            asked++;
            return new ValueTask<ReadOnlyMemory<byte>>(new byte[] { 1, 2, 3 });
        });
        var request = LayoutAccess();
        var reply = await a.EnqueueAsync(request, IntentOpcode.Layout);
        Assert.Equal((LdlmFlags.HasIntent, 1), (reply.Flags, asked));
        Assert.Equal([1, 2, 3], reply.Lvb);

        await a.CancelAsync(reply.Reply.LockHandle);
        using var restoring = await world.Locks.LockAsync(LockWorld.File, LockMode.EX, InodeBits.Layout, CancellationToken.None);
        reply = await a.EnqueueAsync(request with { Handle0 = LockClient.NewHandle() }, IntentOpcode.Layout);
        Assert.Equal((LdlmFlags.BlockGranted, 1), (reply.Flags & LdlmFlags.BlockGranted, asked));
        Assert.Empty(reply.Lvb);
        restoring.Dispose();
        var completion = await a.NextAsync();
        Assert.Equal((Opcode.LdlmCpCallback, 0), (completion.Opcode, completion.Lvb.Length));
    }

    /// <summary>The layout may have to be committed first; a conflict that comes up in the meantime is told in the same reply.</summary>
    [Fact]
    public async Task LockWantedWhileTheLayoutIsFetchedIsTold()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var a = await world.ConnectAsync();
        var committed = new TaskCompletionSource<ReadOnlyMemory<byte>>();
        var fetching = new TaskCompletionSource();
        world.Target.Intent = (r, _) => world.Locks.EnqueuePlainAsync(r, _ =>
        {
            fetching.SetResult();
            return new ValueTask<ReadOnlyMemory<byte>>(committed.Task);
        });
        var enqueue = a.EnqueueAsync(LayoutAccess(), IntentOpcode.Layout);
        await fetching.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var change = world.Locks.LockAsync(LockWorld.File, LockMode.EX, InodeBits.Layout, CancellationToken.None);
        committed.SetResult(new byte[] { 7 });
        var reply = await enqueue;
        Assert.Equal(LdlmFlags.HasIntent | LdlmFlags.AstSent, reply.Flags);
        Assert.Equal([7], reply.Lvb);
        Assert.False(a.HasCallback);
        await a.CancelAsync(reply.Reply.LockHandle);
        (await change).Dispose();
    }

    [Fact]
    public async Task LayoutThatCannotBeReadLeavesNoLock()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var a = await world.ConnectAsync();
        world.Target.Intent = (r, _) => world.Locks.EnqueuePlainAsync(r, _ => throw new RpcException(Errno.EIO));
        Assert.Equal(-Errno.EIO, (await a.EnqueueAsync(LayoutAccess(), IntentOpcode.Layout)).Status);
        Assert.Equal((0, 0), (world.Locks.LockCount, world.Locks.ResourceCount));
    }

    /// <summary>Its reply was lost while it waited: the lock of the first copy, in whatever state it is by now.</summary>
    [Fact]
    public async Task ResentLayoutRequestFindsItsWaitingLock()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var a = await world.ConnectAsync();
        world.Target.Intent = (r, _) => world.Locks.EnqueuePlainAsync(r, _ => new ValueTask<ReadOnlyMemory<byte>>(new byte[] { 9 }));
        var restoring = await world.Locks.LockAsync(LockWorld.File, LockMode.EX, InodeBits.Layout, CancellationToken.None);
        var request = LayoutAccess();
        var waits = await a.EnqueueAsync(request, IntentOpcode.Layout);
        var again = await ResentCall.SendAsync(a, request, IntentOpcode.Layout);
        Assert.Equal((waits.Reply.LockHandle, LockMode.None), (again.Reply.LockHandle, again.Reply.LockDesc.GrantedMode));
        Assert.Equal(2, world.Locks.LockCount);
        restoring.Dispose();
        Assert.Equal(waits.Reply.LockHandle, (await a.NextAsync()).Request.Handle1);
        again = await ResentCall.SendAsync(a, request, IntentOpcode.Layout);
        Assert.Equal((waits.Reply.LockHandle, LockMode.CR), (again.Reply.LockHandle, again.Reply.LockDesc.GrantedMode));
        Assert.Equal([9], again.Lvb);
        Assert.False(a.HasCallback);
    }

    [Fact]
    public async Task ResentIntentGetsTheSameLock()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var a = await world.ConnectAsync();
        var (bits, first) = (GetAttrBits, 0ul);
        world.Target.Intent = (r, _) => GiveAsync(world, r, LockMode.PR, bits, 0, 0);
        var request = Lookup();
        first = (await a.EnqueueAsync(request, IntentOpcode.GetAttr)).Reply.LockHandle;
        Assert.Equal(first, (await a.EnqueueAsync(request, IntentOpcode.GetAttr)).Reply.LockHandle);
        bits |= InodeBits.Xattr; // something changed: the old lock will not do
        Assert.NotEqual(first, (await a.EnqueueAsync(request, IntentOpcode.GetAttr)).Reply.LockHandle);
        Assert.Equal(1, world.Locks.LockCount);
    }

    [Fact]
    public async Task ClosedExportEndsTheWait()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var a = await world.ConnectAsync();
        using var held = await world.Locks.LockAsync(Child, LockMode.EX, InodeBits.Lookup, CancellationToken.None);
        var entered = new TaskCompletionSource();
        var ended = new TaskCompletionSource<Exception>();
        world.Target.Intent = async (r, _) =>
        {
            try
            {
                var wait = world.Locks.GrantToClientAsync(r, Child, LockMode.PR, GetAttrBits, 0, CancellationToken.None);
                entered.SetResult();
                Finish(r, await wait, 0);
            }
            catch (Exception e)
            {
                ended.SetResult(e);
                throw;
            }
        };
        var stat = a.EnqueueAsync(Lookup(), IntentOpcode.GetAttr);
        await entered.Task;
        world.Server.Evict(world.Server.Exports(world.Target).Single(), "test");
        var error = Assert.IsType<RpcException>(await ended.Task.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(Errno.ENOTCONN, error.Errno);
        Assert.Equal(1, world.Locks.LockCount);
        await a.Import.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => stat);
    }

    [Fact]
    public async Task CancelledServerRequestLeavesTheQueue()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        using var first = await world.Locks.LockAsync(Child, LockMode.PR, InodeBits.Update, CancellationToken.None);
        using var giveUp = new CancellationTokenSource();
        var writer = world.Locks.LockAsync(Child, LockMode.EX, InodeBits.Update, giveUp.Token);
        var reader = world.Locks.LockAsync(Child, LockMode.PR, InodeBits.Update, CancellationToken.None);
        Assert.False(reader.IsCompleted);
        Assert.True(world.Locks.HasConflict(Child, LockMode.PR, InodeBits.Update));
        Assert.Null(world.Locks.TryLock(Child, LockMode.PR, InodeBits.Update));
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await writer);
        using var second = await reader;
        using var third = world.Locks.TryLock(Child, LockMode.PR, InodeBits.Update);
        Assert.NotNull(third);
        Assert.Equal(3, world.Locks.LockCount);
    }

    [Fact]
    public async Task DestroyDiscardsWhatClientsHold()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Ost);
        var a = await world.ConnectAsync();
        var held = await a.EnqueueAsync(LockType.Extent, LockMode.PW, LdlmPolicy.Extent(0, 4095));
        var destroy = world.Locks.LockExtentAsync(
            LockWorld.File, LockMode.PW, 0, ulong.MaxValue, LdlmFlags.AstDiscardData, CancellationToken.None);
        Assert.Equal(LdlmFlags.DiscardData, (await a.NextAsync()).Request.LockFlags);
        await a.CancelAsync(held.Reply.LockHandle);
        (await destroy).Dispose();
        Assert.Equal(0, world.Locks.LockCount);
    }

    private static LdlmRequest LayoutAccess() => LockClient.Request(
        LockType.IBits, LockMode.CR, LdlmPolicy.IBits(InodeBits.Layout), LdlmFlags.HasIntent);

    private static LdlmRequest Lookup() => LockClient.Request(
        LockType.IBits, LockMode.CR, LdlmPolicy.IBits(InodeBits.Lookup), LdlmFlags.HasIntent);

    private static async ValueTask GiveAsync(
        LockWorld world, RpcRequest r, LockMode mode, InodeBits bits, InodeBits tryBits, IntentOpcode opcode)
    {
        var granted = await world.Locks.GrantToClientAsync(r, Child, mode, bits, tryBits, r.Aborted);
        Finish(r, granted, (ulong)opcode);
    }

    private static void Finish(RpcRequest r, ClientLock? granted, ulong disposition)
    {
        r.StartReply(LdlmReply.Size);
        ref var reply = ref r.Reply<LdlmReply>(1);
        reply.LockPolicyRes1 = disposition;
        if (granted is null)
            r.Status = LdlmStatus.LockAborted;
        else
            LdlmNamespace.FillReply(r, ref reply, granted);
    }
}
