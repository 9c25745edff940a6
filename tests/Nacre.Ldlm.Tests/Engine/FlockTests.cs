using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>File locks by example, where the model says nothing about messages: 03 section 15.</summary>
public sealed class FlockTests : IDisposable
{
    private const ulong End = 0x7fffffffffffffff;
    private readonly Harness _h = new();

    public void Dispose() => _h.Dispose();

    [Fact]
    public void WaiterGetsACompletionAndNobodyABlockingCallback()
    {
        _h.Flock(_h.A, LockMode.PW, 0, End, owner: 7);
        var (result, waiting) = _h.Flock(_h.B, LockMode.PW, 0, End, owner: 8);
        Assert.Equal(EnqueueResult.Waiting, result);
        for (var i = 0; i < 1000; i++)
            _h.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(_h.A.All);

        Assert.Equal(EnqueueResult.Granted, _h.Flock(_h.A, LockMode.NL, 0, End, owner: 7).Result);
        var call = Assert.Single(_h.B.All);
        Assert.Equal((Opcode.LdlmCpCallback, LdlmFlags.None), (call.Opcode, call.Request.LockFlags));
        Assert.Equal((waiting.ClientHandle, waiting.Handle), (call.ClientHandle, call.ServerHandle));
        Assert.Equal((LockMode.PW, LockMode.PW), (call.Request.LockDesc.ReqMode, call.Request.LockDesc.GrantedMode));
        Assert.Equal((0ul, End, 8ul, 42u), (call.Request.LockDesc.Policy.Start, call.Request.LockDesc.Policy.End,
            call.Request.LockDesc.Policy.FlockOwner, call.Request.LockDesc.Policy.FlockPid));
        Assert.True(call.HasLvb);
        Assert.Empty(call.Lvb);
    }

    [Fact]
    public void SameOwnerNumberOfAnotherClientIsSomeoneElse()
    {
        _h.Flock(_h.A, LockMode.PW, 0, 9, owner: 7);
        Assert.Equal(EnqueueResult.Conflict, _h.Flock(_h.B, LockMode.PR, 0, 0, owner: 7, wait: false).Result);
    }

    [Fact]
    public void UnlockWithoutALockSucceeds() =>
        Assert.Equal(EnqueueResult.Granted, _h.Flock(_h.A, LockMode.NL, 0, End).Result);

    [Fact]
    public void GetLkReportsTheFirstBlocker()
    {
        _h.Flock(_h.A, LockMode.PR, 20, 29, owner: 1);
        _h.Flock(_h.B, LockMode.PR, 10, 24, owner: 2);
        var blocker = _h.GetLk(_h.C, LockMode.PW, 0, End)!.Value;
        Assert.Equal((LockMode.PR, 10ul, 24ul, 42u),
            (blocker.ReqMode, blocker.Policy.Start, blocker.Policy.End, blocker.Policy.FlockPid));
        Assert.Null(_h.GetLk(_h.C, LockMode.PR, 0, End));
        Assert.Null(_h.GetLk(_h.C, LockMode.PW, 0, 9));
        Assert.Equal(2, _h.Table.LockCount);
    }

    [Fact]
    public void AdjacentRangesMergeAlsoAtTheEndsOfTheNumbers()
    {
        _h.Flock(_h.A, LockMode.PW, 1, ulong.MaxValue - 1);
        _h.Flock(_h.A, LockMode.PW, 0, 0);
        _h.Flock(_h.A, LockMode.PW, ulong.MaxValue, ulong.MaxValue);
        Assert.Equal(1, _h.Table.LockCount);
        _h.Flock(_h.A, LockMode.PR, 0, 0);
        Assert.Equal(2, _h.Table.LockCount);
    }

    [Fact]
    public void DowngradeLetsReadersIn()
    {
        _h.Flock(_h.A, LockMode.PW, 0, 99);
        var (_, reader) = _h.Flock(_h.B, LockMode.PR, 10, 19);
        _h.Flock(_h.A, LockMode.PR, 0, 99);
        Assert.Equal(LockState.Granted, reader.State);
    }

    [Fact]
    public void InterruptedWaiterFreesTheRangeForTheNext()
    {
        _h.B.Answer = _ => new(new CallbackReply(-Errno.EINVAL, default));
        _h.Flock(_h.A, LockMode.PW, 0, 9);
        _h.Flock(_h.B, LockMode.PW, 0, 9);
        var (_, next) = _h.Flock(_h.C, LockMode.PW, 0, 9);
        _h.Flock(_h.A, LockMode.NL, 0, 9);
        Assert.Equal(LockState.Granted, next.State);
        Assert.Empty(_h.B.Evictions);
        Assert.Equal(1, _h.Table.LockCount);
    }

    /// <summary>A process that gave up waiting, by an alarm for instance, keeps the locks it had before.</summary>
    [Fact]
    public void InterruptedWaiterKeepsWhatItHad()
    {
        var answer = new LateAnswer();
        _h.B.Answer = _ => answer.Task;
        _h.Flock(_h.B, LockMode.PR, 0, 4);
        _h.Flock(_h.A, LockMode.PW, 5, 9);
        _h.Flock(_h.B, LockMode.PW, 0, 9); // waits
        _h.Flock(_h.A, LockMode.NL, 5, 9); // granted
        _h.Flock(_h.B, LockMode.NL, 0, 1); // the process goes on meanwhile
        answer.Give(-Errno.EINVAL);

        Assert.Null(_h.GetLk(_h.C, LockMode.PW, 0, 1));
        var kept = _h.GetLk(_h.C, LockMode.PW, 2, 9)!.Value;
        Assert.Equal((LockMode.PR, 2ul, 4ul), (kept.ReqMode, kept.Policy.Start, kept.Policy.End));
        Assert.Null(_h.GetLk(_h.C, LockMode.PW, 5, 9));
    }

    [Fact]
    public void UnansweredCompletionEvicts()
    {
        _h.B.Answer = _ => throw new TimeoutException();
        _h.Flock(_h.A, LockMode.PW, 0, 9);
        _h.Flock(_h.B, LockMode.PW, 0, 9);
        var (_, next) = _h.Flock(_h.C, LockMode.PW, 0, 9);
        _h.Flock(_h.A, LockMode.NL, 0, 9);
        Assert.Single(_h.B.Evictions);
        Assert.Equal(LockState.Granted, next.State);
    }

    [Fact]
    public void SimpleDeadlockIsRefused()
    {
        _h.Flock(_h.A, LockMode.PW, 0, 0, owner: 1);
        _h.Flock(_h.B, LockMode.PW, 1, 1, owner: 2);
        Assert.Equal(EnqueueResult.Waiting, _h.Flock(_h.A, LockMode.PW, 1, 1, owner: 1).Result);
        Assert.Equal(EnqueueResult.Deadlock, _h.Flock(_h.B, LockMode.PW, 0, 0, owner: 2).Result);
    }

    /// <summary>Two exports of one node: the owner is the same process.</summary>
    [Fact]
    public void OwnersAreComparedAcrossExportsOfANode()
    {
        _h.B.Node = _h.A.Node;
        _h.Flock(_h.A, LockMode.PW, 0, 0, owner: 1);
        Assert.Equal(EnqueueResult.Deadlock, _h.Flock(_h.B, LockMode.PW, 0, 0, owner: 1).Result);
    }

    /// <summary>
    /// A process waits with one thread and takes a lock with another: those who wait for that lock now wait in a circle,
    /// although no enqueue closed it.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void CycleThatAGrantClosesIsBroken(bool understands)
    {
        _h.B.UnderstandsFlockDeadlock = understands;
        _h.Flock(_h.B, LockMode.PW, 0, 0, owner: 2);
        _h.Flock(_h.C, LockMode.PR, 5, 5, owner: 3);
        var (_, threadA) = _h.Flock(_h.A, LockMode.PW, 0, 0, owner: 1); // A waits for B
        var (_, waiterB) = _h.Flock(_h.B, LockMode.PW, 5, 5, owner: 2); // B waits for C
        _h.Flock(_h.A, LockMode.PR, 5, 5, owner: 1); // and now for A too

        Assert.Equal(LockState.Waiting, threadA.State);
        Assert.Equal(understands ? LockState.Gone : LockState.Waiting, waiterB.State);
        if (!understands)
            return;
        var call = Assert.Single(_h.B.All);
        Assert.Equal(LdlmFlags.AstSent | LdlmFlags.FlockDeadlock, call.Request.LockFlags);
        Assert.Equal(LockMode.None, call.Request.LockDesc.GrantedMode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NewClientsWithdrawAWaiterByUnlockingItsRange(bool withdraws)
    {
        _h.B.WithdrawsFlockByUnlock = withdraws;
        _h.Flock(_h.A, LockMode.PW, 0, 9);
        var (_, waiting) = _h.Flock(_h.B, LockMode.PW, 0, 9);
        _h.Flock(_h.B, LockMode.NL, 0, 8);
        Assert.Equal(LockState.Waiting, waiting.State);
        _h.Flock(_h.B, LockMode.NL, 0, 9);
        Assert.Equal(withdraws ? LockState.Gone : LockState.Waiting, waiting.State);
        Assert.Equal(withdraws ? 1 : 0, _h.B.All.Length);
        if (withdraws)
            Assert.Equal((LdlmFlags.AstSent, LockMode.None),
                (_h.B.All[0].Request.LockFlags, _h.B.All[0].Request.LockDesc.GrantedMode));
    }

    [Fact]
    public void WaitingFlockCanBeCancelled()
    {
        _h.Flock(_h.A, LockMode.PW, 0, 9);
        var (_, waiting) = _h.Flock(_h.B, LockMode.PW, 0, 9);
        Assert.Equal(1, _h.Cancel(waiting));
        _h.Flock(_h.A, LockMode.NL, 0, 9);
        Assert.Empty(_h.B.All);
        Assert.Equal((0, 0), (_h.Table.LockCount, _h.Table.ResourceCount));
    }

    [Fact]
    public void OneNameHasOneType()
    {
        _h.IBits(_h.A, LockMode.PR, InodeBits.Update);
        Assert.Equal(EnqueueResult.WrongType, _h.Flock(_h.B, LockMode.PW, 0, 9, name: Harness.File).Result);
    }
}
