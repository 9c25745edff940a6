using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Tests.Rpc;

/// <summary>Enqueues, cancels and callbacks between real peers, as in the walks of 03 section 23.</summary>
public class EnqueueTests
{
    private const ulong Eof = ulong.MaxValue;
    private const LdlmFlags Waits = LdlmFlags.BlockGranted | LdlmFlags.NoTimeout;

    [Fact]
    public async Task AppendMovesTheLockBetweenClients()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Ost);
        var (a, b) = (await world.ConnectAsync(), await world.ConnectAsync());
        var first = await a.EnqueueAsync(LockType.Extent, LockMode.PW, LdlmPolicy.Extent(0, 0xfffff));
        Assert.Equal((0, LdlmFlags.LockChanged, 3), (first.Status, first.Flags, first.BufferCount));
        Assert.Equal((0ul, Eof), (first.Reply.LockDesc.Policy.Start, first.Reply.LockDesc.Policy.End));
        Assert.Equal(OstLvb.Size, first.Lvb.Length);

        var mine = LockClient.NewHandle();
        var second = await b.EnqueueAsync(LockType.Extent, LockMode.PW, LdlmPolicy.Extent(0, Eof), handle: mine);
        Assert.Equal((0, Waits, LockMode.None), (second.Status, second.Flags, second.Reply.LockDesc.GrantedMode));
        var blocking = await a.NextAsync();
        Assert.Equal((Opcode.LdlmBlCallback, first.Reply.LockHandle), (blocking.Opcode, blocking.Request.Handle1));

        world.Target.Lvb = new OstLvb { ObjectSize = 130 };
        Assert.Equal(0, await a.CancelAsync(first.Reply.LockHandle));
        var completion = await b.NextAsync();
        Assert.Equal((Opcode.LdlmCpCallback, mine, second.Reply.LockHandle),
            (completion.Opcode, completion.Request.Handle0, completion.Request.Handle1));
        Assert.Equal(130ul, OstLvb.Read(completion.Lvb).ObjectSize);
        Assert.Equal(Errno.ESTALE, await a.CancelAsync(first.Reply.LockHandle));
    }

    [Fact]
    public async Task OldClientsGetShortLvbs()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Ost);
        var a = await world.ConnectAsync(without: ConnectFlags.LvbType);
        var reply = await a.EnqueueAsync(LockType.Extent, LockMode.PR, LdlmPolicy.Extent(0, Eof));
        Assert.Equal(OstLvb.SizeV1, reply.Lvb.Length);
    }

    [Fact]
    public async Task EnqueueOfAMissingObjectLeavesNoLock()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Ost);
        var a = await world.ConnectAsync();
        world.Target.LvbError = -Errno.ENOENT;
        var reply = await a.EnqueueAsync(LockType.Extent, LockMode.PR, LdlmPolicy.Extent(0, Eof));
        Assert.Equal(-Errno.ENOENT, reply.Status);
        Assert.Equal((0, 0), (world.Locks.LockCount, world.Locks.ResourceCount));
    }

    [Fact]
    public async Task GlimpseIsGrantedOrAnsweredByTheWriter()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Ost);
        var (a, b) = (await world.ConnectAsync(), await world.ConnectAsync());
        var granted = await b.EnqueueAsync(LockType.Extent, LockMode.PR, LdlmPolicy.Extent(0, Eof), LdlmFlags.HasIntent);
        Assert.Equal((0, LdlmFlags.HasIntent | LdlmFlags.LockChanged), (granted.Status, granted.Flags));
        await b.CancelAsync(granted.Reply.LockHandle);

        a.Answer = request =>
        {
            if (request.Opcode != Opcode.LdlmGlCallback)
                return;
            request.StartReply(OstLvb.Size);
            request.Reply<OstLvb>(1) = new OstLvb { ObjectSize = 4711, MTime = 5 };
        };
        await a.EnqueueAsync(LockType.Extent, LockMode.PW, LdlmPolicy.Extent(0, 4095));
        var glimpsed = await b.EnqueueAsync(LockType.Extent, LockMode.PR, LdlmPolicy.Extent(0, Eof), LdlmFlags.HasIntent);
        Assert.Equal((LdlmStatus.LockAborted, false, LdlmFlags.None), (glimpsed.Status, glimpsed.IsError, glimpsed.Flags));
        Assert.Equal((0ul, LockType.None), (glimpsed.Reply.LockHandle, glimpsed.Reply.LockDesc.Resource.Type));
        Assert.Equal((4711ul, 5L), (OstLvb.Read(glimpsed.Lvb).ObjectSize, OstLvb.Read(glimpsed.Lvb).MTime));
        Assert.Equal(Opcode.LdlmGlCallback, (await a.NextAsync()).Opcode);
        Assert.Equal(1, world.Locks.LockCount);

        var ahead = await b.EnqueueAsync(LockType.Extent, LockMode.PR, LdlmPolicy.Extent(0, Eof),
            LdlmFlags.HasIntent | LdlmFlags.BlockNoWait | LdlmFlags.Speculative);
        Assert.Equal((LdlmStatus.LockAborted, OstLvb.Size), (ahead.Status, ahead.Lvb.Length));
        Assert.False(a.HasCallback);
    }

    [Fact]
    public async Task ReadDirectoryIsGrantedAsAsked()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var a = await world.ConnectAsync();
        var reply = await a.EnqueueAsync(
            LockType.IBits, LockMode.PR, LdlmPolicy.IBits(InodeBits.Update), LdlmFlags.HasIntent);
        Assert.Equal((0, LdlmFlags.HasIntent), (reply.Status, reply.Flags));
        Assert.Equal(LockMode.PR, reply.Reply.LockDesc.GrantedMode);
        Assert.Empty(reply.Lvb);

        // The directory changes: the server waits for the client, the client's thread for nobody.
        var change = world.Locks.LockAsync(LockWorld.File, LockMode.CW, InodeBits.Update, CancellationToken.None);
        Assert.False(change.IsCompleted);
        var again = await a.EnqueueAsync(
            LockType.IBits, LockMode.PR, LdlmPolicy.IBits(InodeBits.Update), LdlmFlags.HasIntent);
        Assert.Equal(LdlmFlags.HasIntent | Waits, again.Flags);
        Assert.Equal(LockMode.CW, (await a.NextAsync()).Request.LockDesc.ReqMode);
        await a.CancelAsync(reply.Reply.LockHandle);
        (await change).Dispose();
        Assert.Equal(again.Reply.LockHandle, (await a.NextAsync()).Request.Handle1);
    }

    [Fact]
    public async Task EarlyCancelsComeFirst()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var (a, b) = (await world.ConnectAsync(), await world.ConnectAsync());
        var held = await a.EnqueueAsync(LockType.IBits, LockMode.PR, LdlmPolicy.IBits(InodeBits.Update));
        var request = LockClient.Request(LockType.IBits, LockMode.EX, LdlmPolicy.IBits(InodeBits.Update));

        // A handle of another client is no use.
        var foreign = await b.EnqueueAsync(request with { Handle0 = LockClient.NewHandle() }, null, held.Reply.LockHandle);
        Assert.Equal(Waits, foreign.Flags);
        await b.CancelAsync(foreign.Reply.LockHandle);
        var own = await a.EnqueueAsync(request, null, held.Reply.LockHandle, 12345, held.Reply.LockHandle);
        Assert.True(own.Granted);
        Assert.Equal(1, world.Locks.LockCount);
    }

    [Fact]
    public async Task FileLocksExcludeAndHandOver()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var (a, b) = (await world.ConnectAsync(), await world.ConnectAsync());
        var range = LdlmPolicy.Flock(0, 0x7fffffffffffffff, owner: 0xff11_3fab_4758_3500, pid: 1051);
        var held = await a.EnqueueAsync(LockType.Flock, LockMode.PW, range);
        Assert.Equal((0, LdlmFlags.None, LockMode.PW), (held.Status, held.Flags, held.Reply.LockDesc.GrantedMode));
        Assert.Equal((3, 0), (held.BufferCount, held.Lvb.Length));

        var tried = await b.EnqueueAsync(LockType.Flock, LockMode.PW, range, LdlmFlags.BlockNoWait);
        Assert.Equal((-Errno.EAGAIN, true), (tried.Status, tried.IsError));
        var test = await b.EnqueueAsync(LockType.Flock, LockMode.PR, range, LdlmFlags.TestLock);
        Assert.Equal((0, LdlmFlags.TestLock | LdlmFlags.LockChanged), (test.Status, test.Flags));
        Assert.Equal((LockMode.PW, 1051u), (test.Reply.LockDesc.ReqMode, test.Reply.LockDesc.Policy.FlockPid));
        var waits = await b.EnqueueAsync(LockType.Flock, LockMode.PW, range);
        Assert.Equal((LdlmFlags.BlockGranted, LockMode.None), (waits.Flags, waits.Reply.LockDesc.GrantedMode));

        var unlock = await a.EnqueueAsync(LockType.Flock, LockMode.NL, range, LdlmFlags.BlockNoWait);
        Assert.Equal((0, LdlmFlags.BlockNoWait), (unlock.Status, unlock.Flags));
        Assert.Equal((LockMode.NL, LockMode.NL), (unlock.Reply.LockDesc.ReqMode, unlock.Reply.LockDesc.GrantedMode));
        var completion = await b.NextAsync();
        Assert.Equal((Opcode.LdlmCpCallback, LockMode.PW), (completion.Opcode, completion.Request.LockDesc.GrantedMode));
        Assert.False(a.HasCallback);
        await b.EnqueueAsync(LockType.Flock, LockMode.NL, range);
        test = await a.EnqueueAsync(LockType.Flock, LockMode.PW, range, LdlmFlags.TestLock);
        Assert.Equal(LockMode.NL, test.Reply.LockDesc.ReqMode);
    }

    [Fact]
    public async Task DisconnectGivesEverythingBack()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var (a, b) = (await world.ConnectAsync(), await world.ConnectAsync());
        await a.EnqueueAsync(LockType.Flock, LockMode.PW, LdlmPolicy.Flock(0, 9, 1, 1));
        await a.EnqueueAsync(LockType.IBits, LockMode.PR, LdlmPolicy.IBits(InodeBits.Update));
        await b.EnqueueAsync(LockType.Flock, LockMode.PW, LdlmPolicy.Flock(0, 9, 1, 1));
        await a.Import.DisconnectAsync();
        Assert.Equal(Opcode.LdlmCpCallback, (await b.NextAsync()).Opcode);
        Assert.Equal(1, world.Locks.LockCount);
    }

    [Fact]
    public async Task SilentHolderIsEvicted()
    {
        var options = new LdlmOptions { MinCallbackTimeout = TimeSpan.FromSeconds(1.5), AssumedCancelTime = TimeSpan.Zero };
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt, options);
        var (a, b) = (await world.ConnectAsync(), await world.ConnectAsync());
        await a.EnqueueAsync(LockType.IBits, LockMode.PR, LdlmPolicy.IBits(InodeBits.Update));
        await b.EnqueueAsync(LockType.IBits, LockMode.EX, LdlmPolicy.IBits(InodeBits.Update));
        Assert.Equal(Opcode.LdlmCpCallback, (await b.NextAsync()).Opcode);
        Assert.Single(world.Server.Exports(world.Target));
    }

    [Theory]
    [InlineData((uint)LockType.Extent, 0u, -Errno.EFAULT)]
    [InlineData((uint)LockType.Extent, 3u, -Errno.EFAULT)]
    [InlineData((uint)LockType.Extent, 128u, -Errno.EFAULT)]
    [InlineData((uint)LockType.Extent, 0x80000000u, -Errno.EFAULT)]
    [InlineData(0u, 4u, -Errno.EFAULT)]
    [InlineData(14u, 4u, -Errno.EFAULT)]
    [InlineData((uint)LockType.Plain, 16u, -Errno.EFAULT)]
    [InlineData((uint)LockType.IBits, 4u, -Errno.EFAULT)]
    public async Task BadTypesAndModesAreRefused(uint type, uint mode, int status)
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Ost, new LdlmOptions { ClientTypes = LockTypes.Extent });
        var a = await world.ConnectAsync();
        var reply = await a.EnqueueAsync((LockType)type, (LockMode)mode, LdlmPolicy.Extent(0, 5));
        Assert.Equal((status, true), (reply.Status, reply.IsError));
        Assert.Equal((0, 0), (world.Locks.LockCount, world.Locks.ResourceCount));
    }

    [Fact]
    public async Task MalformedRequestsAreRefused()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var a = await world.ConnectAsync();
        var good = LockClient.Request(LockType.IBits, LockMode.PR, LdlmPolicy.IBits(InodeBits.Update));
        await RefusedAsync(good with { Handle0 = 0 });
        await RefusedAsync(LockClient.Request(LockType.IBits, LockMode.PR, LdlmPolicy.IBits(InodeBits.Update), name: default(LdlmResId)));
        await RefusedAsync(LockClient.Request(LockType.IBits, LockMode.PR, LdlmPolicy.IBits((InodeBits)0x80)));
        await RefusedAsync(LockClient.Request(LockType.IBits, LockMode.PR, LdlmPolicy.IBits(InodeBits.Update), name: LockWorld.Flocks));
        await RefusedAsync(LockClient.Request(LockType.Flock, LockMode.PR, LdlmPolicy.Flock(0, 1, 1, 1), name: LockWorld.File));
        await RefusedAsync(LockClient.Request(LockType.Flock, LockMode.EX, LdlmPolicy.Flock(0, 1, 1, 1)));
        await RefusedAsync(LockClient.Request(LockType.Flock, LockMode.PR, LdlmPolicy.Flock(2, 1, 1, 1)));
        await RefusedAsync(LockClient.Request(LockType.Extent, LockMode.PR, LdlmPolicy.Extent(2, 1)));
        // A replay outside recovery would stand beside what excludes it.
        await RefusedAsync(good with { LockFlags = LdlmFlags.Replay | LdlmFlags.BlockGranted });

        Assert.Equal((-Errno.EPROTO, true), await a.SendAsync(Opcode.LdlmEnqueue, new byte[100]));
        Assert.Equal((-Errno.EPROTO, true), await a.SendAsync(Opcode.LdlmCancel, new byte[16]));
        var tooMany = new byte[LdlmRequest.Size];
        tooMany[4] = 3;
        Assert.Equal((-Errno.EPROTO, true), await a.SendAsync(Opcode.LdlmCancel, tooMany));
        // A list that does not fit is void in an enqueue, and the enqueue goes on.
        var elc = good with { LockCount = uint.MaxValue };
        Assert.True((await a.EnqueueAsync(elc)).Granted);

        async Task RefusedAsync(LdlmRequest request)
        {
            var reply = await a.EnqueueAsync(request);
            Assert.True(reply is { IsError: true, Status: < 0 });
            Assert.Equal(0, world.Locks.LockCount);
        }
    }

    [Fact]
    public async Task ConvertAnswersWithTheClientsHandle()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var a = await world.ConnectAsync();
        var mine = LockClient.NewHandle();
        var held = await a.EnqueueAsync(
            LockType.IBits, LockMode.PW, LdlmPolicy.IBits(InodeBits.Layout | InodeBits.Dom), handle: mine);
        var call = new RpcCall(Opcode.LdlmConvert, LdlmRequest.Size);
        call.Get<LdlmRequest>(1) = new LdlmRequest
        {
            LockCount = 1,
            Handle0 = held.Reply.LockHandle,
            LockDesc = new LdlmLockDesc
            {
                ReqMode = LockMode.PW,
                GrantedMode = LockMode.PW,
                Policy = LdlmPolicy.IBits(InodeBits.Layout),
            },
        };
        using var reply = await a.Import.SendAsync(call);
        Assert.Equal((0, mine, InodeBits.Layout),
            (reply.Status, reply.Get<LdlmReply>(1).LockHandle, reply.Get<LdlmReply>(1).LockDesc.Policy.Bits));
        call.Get<LdlmRequest>(1).Handle0 = 99;
        using var unknown = await a.Import.SendAsync(call);
        Assert.Equal(LdlmStatus.NoLockData, unknown.Status);
    }

    /// <summary>The reply was lost: the same request again must not make a second lock.</summary>
    [Fact]
    public async Task ResentEnqueueFindsItsLock()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Ost);
        var (a, b) = (await world.ConnectAsync(), await world.ConnectAsync());
        var request = LockClient.Request(LockType.Extent, LockMode.PW, LdlmPolicy.Extent(0, 4095));
        var first = await a.EnqueueAsync(request);
        var again = await ResentCall.SendAsync(a, request);
        Assert.Equal(first.Reply.LockHandle, again.Reply.LockHandle);
        Assert.Equal(LdlmFlags.LockChanged, again.Flags);
        Assert.Equal(1, world.Locks.LockCount);

        var waiting = LockClient.Request(LockType.Extent, LockMode.PW, LdlmPolicy.Extent(0, Eof));
        var waits = await b.EnqueueAsync(waiting);
        again = await ResentCall.SendAsync(b, waiting);
        Assert.Equal((waits.Reply.LockHandle, Waits | LdlmFlags.LockChanged), (again.Reply.LockHandle, again.Flags));
        Assert.Equal(2, world.Locks.LockCount);
    }

    [Fact]
    public async Task ResentFileLockIsNotExecutedTwice()
    {
        await using var world = await LockWorld.StartAsync(TargetKind.Mdt);
        var (a, b) = (await world.ConnectAsync(), await world.ConnectAsync());
        var range = LdlmPolicy.Flock(0, 9, 1, 1);
        var locked = LockClient.Request(LockType.Flock, LockMode.PW, range);
        var unlocked = LockClient.Request(LockType.Flock, LockMode.NL, range);
        var first = await ResentCall.SendAsync(a, locked, xid: 0x5000_0000_0000_0100, resent: false);
        await ResentCall.SendAsync(a, unlocked, xid: 0x5000_0000_0000_0200, resent: false);
        Assert.True((await b.EnqueueAsync(LockType.Flock, LockMode.PW, range)).Granted);

        // The lost reply to the lock request of long ago: still "granted", and the range stays with b.
        var again = await ResentCall.SendAsync(a, locked, xid: 0x5000_0000_0000_0100, resent: true);
        Assert.Equal((0, first.Reply.LockHandle), (again.Status, again.Reply.LockHandle));
        Assert.Equal(1, world.Locks.LockCount);
    }
}
