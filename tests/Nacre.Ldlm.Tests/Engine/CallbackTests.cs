using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>What callbacks say, and what the answers do: 03 sections 8.6, 8.7, 9.2 and 18.2.</summary>
public sealed class CallbackTests : IDisposable
{
    private const ulong Eof = ulong.MaxValue;
    private readonly Harness _h = new();

    public void Dispose() => _h.Dispose();

    [Fact]
    public void BlockingCallbackNamesTheNewcomer()
    {
        var held = _h.IBits(_h.A, LockMode.PR, InodeBits.Lookup | InodeBits.Update);
        var wanted = _h.IBits(_h.B, LockMode.EX, InodeBits.Update | InodeBits.Xattr);

        var call = Assert.Single(_h.A.All);
        Assert.Equal(Opcode.LdlmBlCallback, call.Opcode);
        Assert.False(call.HasLvb);
        Assert.Equal((held.ClientHandle, held.Handle), (call.ClientHandle, call.ServerHandle));
        Assert.Equal(Harness.File, call.Request.LockDesc.Resource.Name);
        Assert.Equal((LockMode.EX, LockMode.None), (call.Request.LockDesc.ReqMode, call.Request.LockDesc.GrantedMode));
        Assert.Equal(InodeBits.Update | InodeBits.Xattr, call.Request.LockDesc.Policy.Bits);
        Assert.Equal(InodeBits.Update | InodeBits.Xattr, call.Request.LockDesc.Policy.CancelBits);
        Assert.Equal(LdlmFlags.None, call.Request.LockFlags);
        Assert.Equal(LockState.Waiting, wanted.State);
        Assert.Equal(LdlmFlags.BlockGranted | LdlmFlags.NoTimeout, _h.LastReply.LockFlags);
    }

    [Fact]
    public void ExtentBlockingCallbackRepeatsTheStart()
    {
        _h.Extent(_h.A, LockMode.PR, 0, Eof);
        _h.Extent(_h.B, LockMode.PW, 4096, Eof);
        var policy = Assert.Single(_h.A.All).Request.LockDesc.Policy;
        Assert.Equal((4096ul, 4096ul), (policy.Start, policy.End));
    }

    [Fact]
    public void CompletionCarriesTheGrantAndTheLvb()
    {
        _h.Lvb = new OstLvb { ObjectSize = 130, MTime = 7 };
        var held = _h.Extent(_h.A, LockMode.PW, 0, 4095);
        var waiting = _h.Extent(_h.B, LockMode.PR, 0, 0x3fff);
        Assert.Equal((0ul, 0x3ffful), (_h.LastReply.LockDesc.Policy.Start, _h.LastReply.LockDesc.Policy.End));
        Assert.Equal(LockMode.None, _h.LastReply.LockDesc.GrantedMode);
        _h.Lvb = new OstLvb { ObjectSize = 260 };
        _h.Cancel(held);

        var call = Assert.Single(_h.B.All);
        Assert.Equal(Opcode.LdlmCpCallback, call.Opcode);
        Assert.Equal((waiting.ClientHandle, waiting.Handle), (call.ClientHandle, call.ServerHandle));
        Assert.Equal((LockMode.PR, LockMode.PR), (call.Request.LockDesc.ReqMode, call.Request.LockDesc.GrantedMode));
        Assert.Equal((0ul, Eof), (call.Request.LockDesc.Policy.Start, call.Request.LockDesc.Policy.End));
        Assert.Equal(OstLvb.Size, call.Lvb.Length);
        Assert.Equal(260ul, OstLvb.Read(call.Lvb).ObjectSize);
    }

    [Fact]
    public void OldClientsGetTheShortLvb()
    {
        _h.B.LvbLength = OstLvb.SizeV1;
        var held = _h.Extent(_h.A, LockMode.PW, 0, Eof);
        _h.Extent(_h.B, LockMode.PW, 0, Eof);
        _h.Cancel(held);
        Assert.Equal(OstLvb.SizeV1, Assert.Single(_h.B.All).Lvb.Length);
    }

    [Fact]
    public void InodeBitsCompletionHasNoLvbAndNoTryBits()
    {
        var held = _h.IBits(_h.A, LockMode.EX, InodeBits.Layout);
        _h.IBits(_h.B, LockMode.CR, InodeBits.Layout, InodeBits.Dom);
        _h.Cancel(held);
        var call = Assert.Single(_h.B.All);
        Assert.True(call.HasLvb);
        Assert.Empty(call.Lvb);
        Assert.Equal((InodeBits.Layout | InodeBits.Dom, InodeBits.None),
            (call.Request.LockDesc.Policy.Bits, call.Request.LockDesc.Policy.TryBits));
    }

    [Fact]
    public void ClientThatConflictsWithItselfIsCalledBack()
    {
        var held = _h.Extent(_h.A, LockMode.PR, 0, Eof);
        var wanted = _h.Extent(_h.A, LockMode.PW, 0, Eof);
        Assert.Equal(held.ClientHandle, Assert.Single(_h.A.Of(Opcode.LdlmBlCallback)).ClientHandle);
        _h.Cancel(held);
        Assert.Equal(LockState.Granted, wanted.State);
    }

    [Fact]
    public void ContendedGrantIsToldInTheCompletion()
    {
        var first = _h.IBits(_h.A, LockMode.EX, InodeBits.Update);
        var second = _h.IBits(_h.B, LockMode.EX, InodeBits.Update);
        _h.IBits(_h.C, LockMode.EX, InodeBits.Update);
        _h.Cancel(first);

        var call = Assert.Single(_h.B.All);
        Assert.Equal((Opcode.LdlmCpCallback, LdlmFlags.AstSent), (call.Opcode, call.Request.LockFlags));
        Assert.Equal(1, _h.Table.RunningTimers);
        _h.Cancel(second);
        Assert.Equal(LdlmFlags.None, Assert.Single(_h.C.All).Request.LockFlags);
        Assert.Equal(0, _h.Table.RunningTimers);
    }

    /// <summary>An intent's lock is granted long before its reply: no BL AST may go out, the reply tells instead.</summary>
    [Fact]
    public void ContentionBeforeTheReplyIsToldInTheReply()
    {
        var l = _h.Make(_h.A, LockMode.PR, LdlmPolicy.IBits(InodeBits.Lookup | InodeBits.Update));
        l.Set(LockMarks.ReplyOpen | LockMarks.WakesTask);
        Assert.Equal(EnqueueResult.Granted, _h.Table.Enqueue(l, Harness.File, LockType.IBits, WaitRule.Wait));
        _h.IBits(_h.B, LockMode.CW, InodeBits.Update);
        Assert.Empty(_h.A.All);
        Assert.Equal(0, _h.Table.RunningTimers);

        var reply = _h.Announce(l);
        Assert.Equal(LdlmFlags.AstSent, reply.LockFlags);
        Assert.Equal(InodeBits.Update, reply.LockDesc.Policy.CancelBits);
        Assert.Equal(1, _h.Table.RunningTimers);
        Assert.Empty(_h.A.All);
    }

    /// <summary>The reply is being built as "waiting" while the holder cancels: the reply is corrected, no CP AST follows.</summary>
    [Fact]
    public void GrantDuringTheReplyNeedsNoCompletion()
    {
        var held = _h.Extent(_h.A, LockMode.PW, 0, Eof);
        var l = _h.Make(_h.B, LockMode.PW, LdlmPolicy.Extent(0, 4095));
        l.Set(LockMarks.ReplyOpen);
        Assert.Equal(EnqueueResult.Waiting, _h.Table.Enqueue(l, Harness.File, LockType.Extent, WaitRule.Wait));
        _h.Cancel(held);

        var reply = default(LdlmReply);
        Assert.Equal(Announcement.Changed, _h.Table.Announce(l, LockState.Waiting, ref reply));
        Assert.Equal(Announcement.Final, _h.Table.Announce(l, LockState.Granted, ref reply));
        Assert.Equal(LdlmFlags.LockChanged, reply.LockFlags);
        Assert.Equal((LockMode.PW, Eof), (reply.LockDesc.GrantedMode, reply.LockDesc.Policy.End));
        Assert.Empty(_h.B.All);
    }

    [Fact]
    public void DiscardIsPassedToHoldersOfNowAndLater()
    {
        _h.Extent(_h.A, LockMode.PW, 0, Eof);
        var next = _h.Extent(_h.B, LockMode.PW, 0, Eof);
        _h.Extent(null, LockMode.PW, 0, Eof, LockMarks.DiscardBlockers);
        // A was called back for B already, without discard.
        Assert.Equal(LdlmFlags.None, Assert.Single(_h.A.All).Request.LockFlags);
        _h.Table.Drop(_h.A.Owner, new InvalidOperationException());
        Assert.Equal(LockState.Granted, next.State);
        Assert.Equal(LdlmFlags.AstSent | LdlmFlags.DiscardData, Assert.Single(_h.B.All).Request.LockFlags);
    }

    [Fact]
    public void DiscardGoesOutWithTheBlockingCallback()
    {
        _h.Extent(_h.A, LockMode.PR, 0, Eof);
        _h.Extent(null, LockMode.PW, 0, Eof, LockMarks.DiscardBlockers);
        Assert.Equal(LdlmFlags.DiscardData, Assert.Single(_h.A.All).Request.LockFlags);
    }

    [Theory]
    [InlineData(Opcode.LdlmBlCallback)]
    [InlineData(Opcode.LdlmCpCallback)]
    public void UnknownLockIsDroppedAsIfCancelled(uint opcode)
    {
        var forgetful = opcode == Opcode.LdlmBlCallback ? _h.A : _h.B;
        forgetful.Answer = received => new(new CallbackReply(received.Opcode == opcode ? -Errno.EINVAL : 0, default));
        var held = _h.Extent(_h.A, LockMode.PW, 0, Eof);
        var second = _h.Extent(_h.B, LockMode.PW, 0, Eof);
        var third = _h.Extent(_h.C, LockMode.PW, 0, Eof);
        if (opcode == Opcode.LdlmCpCallback)
            _h.Cancel(held);

        Assert.Equal(LockState.Gone, held.State);
        Assert.Equal(opcode == Opcode.LdlmCpCallback ? LockState.Gone : LockState.Granted, second.State);
        Assert.Equal(opcode == Opcode.LdlmCpCallback ? LockState.Granted : LockState.Waiting, third.State);
        Assert.Empty(_h.A.Evictions);
        Assert.Empty(_h.B.Evictions);
    }

    [Theory]
    [InlineData(-Errno.ENOTCONN)]
    [InlineData(-Errno.EPROTO)]
    [InlineData(-303)]
    [InlineData(1)]
    public void AnyOtherAnswerEvicts(int status)
    {
        _h.A.Answer = _ => new(new CallbackReply(status, default));
        _h.IBits(_h.A, LockMode.PR, InodeBits.Update);
        var waiting = _h.IBits(_h.B, LockMode.PW, InodeBits.Update);
        Assert.Single(_h.A.Evictions);
        Assert.Equal(LockState.Granted, waiting.State);
    }

    [Fact]
    public void SilenceEvictsUnlessTheCancelCame()
    {
        var answer = new LateAnswer();
        _h.A.Answer = _h.B.Answer = _ => answer.Task;
        var first = _h.IBits(_h.A, LockMode.PR, InodeBits.Update);
        var second = _h.IBits(_h.B, LockMode.PR, InodeBits.Update);
        var waiting = _h.IBits(_h.C, LockMode.PW, InodeBits.Update);
        _h.Cancel(first);
        answer.Fail(new TimeoutException());

        Assert.Empty(_h.A.Evictions);
        Assert.Single(_h.B.Evictions);
        Assert.Equal(LockState.Gone, second.State);
        Assert.Equal(LockState.Granted, waiting.State);
    }

    [Fact]
    public void CancelBeforeTheCompletionIsAnswered()
    {
        var answer = new LateAnswer();
        _h.B.Answer = _ => answer.Task;
        var held = _h.IBits(_h.A, LockMode.EX, InodeBits.Update);
        var second = _h.IBits(_h.B, LockMode.EX, InodeBits.Update);
        var third = _h.IBits(_h.C, LockMode.EX, InodeBits.Update);
        _h.Cancel(held);
        Assert.Equal(1, _h.Cancel(second));
        Assert.Equal(LockState.Granted, third.State);
        answer.Give(-Errno.ENOTCONN);
        Assert.Empty(_h.B.Evictions);
    }

    /// <summary>A lock is asked for once, however many want it, until it is cancelled or converted.</summary>
    [Fact]
    public void OneBlockingCallbackALock()
    {
        _h.IBits(_h.A, LockMode.PR, InodeBits.Update);
        for (var i = 0; i < 5; i++)
            _h.IBits(_h.B, LockMode.PW, InodeBits.Update);
        Assert.Single(_h.A.All);
    }

    [Fact]
    public void ServersOwnLocksAreNotCalledBack()
    {
        var mine = _h.IBits(null, LockMode.CW, InodeBits.Update);
        var parallel = _h.IBits(null, LockMode.CW, InodeBits.Update);
        var waiting = _h.IBits(_h.A, LockMode.PR, InodeBits.Update);
        Assert.Equal((LockState.Granted, LockState.Granted, LockState.Waiting), (mine.State, parallel.State, waiting.State));
        _h.Table.Release(mine);
        Assert.Equal(LockState.Waiting, waiting.State);
        _h.Table.Release(parallel);
        Assert.Equal(LockState.Granted, waiting.State);
        Assert.Single(_h.A.Of(Opcode.LdlmCpCallback));
    }

    /// <summary>A client that does not answer has a bounded number of callbacks in flight; the others are not held up.</summary>
    [Fact]
    public void WindowBoundsOneClientOnly()
    {
        using var h = new Harness(new LdlmOptions { CallbackWindow = 2 });
        var answers = new List<LateAnswer>();
        h.A.Answer = _ =>
        {
            answers.Add(new LateAnswer());
            return answers[^1].Task;
        };
        var mine = Enumerable.Range(1, 5).Select(i => h.IBits(h.A, LockMode.PR, InodeBits.Update, name: Name(i))).ToArray();
        h.IBits(h.B, LockMode.PR, InodeBits.Update, name: Name(1));
        for (var i = 1; i <= 5; i++)
            h.IBits(h.C, LockMode.PW, InodeBits.Update, name: Name(i));
        Assert.Equal(2, h.A.All.Length);
        Assert.Single(h.B.All);

        h.Cancel(mine[2]); // before its turn: never sent
        answers[0].Give(0);
        Assert.Equal(3, h.A.All.Length);
        Assert.Equal(mine[3].ClientHandle, h.A.All[2].ClientHandle);
        answers[1].Give(0);
        answers[2].Give(0);
        Assert.Equal(4, h.A.All.Length);

        static LdlmResId Name(int i) => LdlmResId.OfFid(new LuFid(0x200000401, (uint)i));
    }

    [Fact]
    public void MissingObjectStillCompletesTheGrant()
    {
        var held = _h.Extent(_h.A, LockMode.PW, 0, Eof);
        _h.Extent(_h.B, LockMode.PW, 0, Eof);
        _h.LvbError = -Errno.ENOENT;
        _h.Cancel(held);
        Assert.Equal(OstLvb.Size, Assert.Single(_h.B.All).Lvb.Length);
    }
}
