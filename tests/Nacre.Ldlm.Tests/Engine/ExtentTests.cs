using System.Runtime.InteropServices;
using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>Expansion, group locks and glimpses by example: 03 sections 13.2, 13.3 and 14.2.</summary>
public sealed class ExtentTests : IDisposable
{
    private const ulong Eof = ulong.MaxValue;
    private const ulong Mega = 1 << 20;
    private readonly Harness _h = new();

    public void Dispose() => _h.Dispose();

    [Theory]
    [InlineData(0, 4095)]
    [InlineData(Mega, (2 * Mega) - 1)]
    [InlineData(17, 18)]
    public void FirstLockGetsTheWholeObject(ulong start, ulong end)
    {
        _h.Extent(_h.A, LockMode.PW, start, end);
        AssertGranted(0, Eof);
        Assert.Equal(LdlmFlags.LockChanged, _h.LastReply.LockFlags);
    }

    [Fact]
    public void WholeObjectAsAskedIsNoChange()
    {
        _h.Extent(_h.A, LockMode.PW, 0, Eof);
        Assert.Equal(LdlmFlags.None, _h.LastReply.LockFlags);
    }

    [Fact]
    public void ReadersExpandBesideReaders()
    {
        _h.Extent(_h.A, LockMode.PR, 0, 4095);
        _h.Extent(_h.B, LockMode.PR, Mega, Mega + 4095);
        AssertGranted(0, Eof);
    }

    [Fact]
    public void GrowsUpToTheNextHolderAndNotDownwards()
    {
        _h.Extent(_h.A, LockMode.PW, 8 * Mega, (9 * Mega) - 1, LockMarks.NoExpansion);
        _h.Extent(_h.B, LockMode.PW, Mega, (2 * Mega) - 1);
        AssertGranted(Mega, (8 * Mega) - 1);
        _h.Extent(_h.B, LockMode.PW, 16 * Mega, (17 * Mega) - 1);
        AssertGranted(16 * Mega, Eof);
    }

    [Fact]
    public void NoExpansionAndServerLocksGetWhatTheyAsk()
    {
        _h.Extent(_h.A, LockMode.PW, 5, 6, LockMarks.NoExpansion);
        AssertGranted(5, 6);
        var mine = _h.Extent(null, LockMode.PW, 4096, 8191);
        Assert.Equal((4096ul, 8191ul), (mine.Policy.Start, mine.Policy.End));
    }

    [Fact]
    public void CrowdedObjectLimitsWriters()
    {
        for (var i = 0u; i < 33; i++)
            _h.Extent(_h.A, LockMode.PR, i * 4096, (i * 4096) + 4095, LockMarks.NoExpansion);
        _h.Extent(_h.B, LockMode.PW, 64 * Mega, (64 * Mega) + 4095);
        AssertGranted(64 * Mega, (96 * Mega) - 1);
    }

    [Fact]
    public void DoesNotReachIntoWhatAnotherWaitsFor()
    {
        _h.Extent(_h.A, LockMode.PR, 0, Mega - 1, LockMarks.NoExpansion);
        _h.Extent(_h.A, LockMode.PR, 8 * Mega, (9 * Mega) - 1, LockMarks.NoExpansion);
        _h.Extent(_h.C, LockMode.PW, 8 * Mega, (9 * Mega) - 1);
        _h.Extent(_h.B, LockMode.PR, 4 * Mega, (5 * Mega) - 1);
        AssertGranted(0, (8 * Mega) - 1);
    }

    [Fact]
    public void SpeculativeFailsAndCallsNobody()
    {
        _h.Extent(_h.A, LockMode.PW, 0, Eof);
        _h.Extent(_h.B, LockMode.PW, 0, 4095, rule: WaitRule.Never);
        Assert.Equal(EnqueueResult.Conflict, _h.LastResult);
        Assert.Empty(_h.A.All);
        Assert.Equal(1, _h.Table.LockCount);
    }

    [Fact]
    public void GroupTryWaitsForOrdinaryLocksAndFailsOnOtherGroups()
    {
        var ordinary = _h.Extent(_h.A, LockMode.PW, 0, Eof);
        var first = _h.Extent(_h.B, LockMode.Group, 0, Eof, rule: WaitRule.WaitUnlessGroup, gid: 1);
        Assert.Equal(EnqueueResult.Waiting, _h.LastResult);
        Assert.Single(_h.A.Of(Opcode.LdlmBlCallback));
        _h.Extent(_h.C, LockMode.Group, 0, Eof, rule: WaitRule.WaitUnlessGroup, gid: 2);
        Assert.Equal(EnqueueResult.Conflict, _h.LastResult);
        _h.Cancel(ordinary);
        Assert.Equal(LockState.Granted, first.State);
        _h.Extent(_h.C, LockMode.PR, 0, 4095, rule: WaitRule.WaitUnlessGroup);
        Assert.Equal(EnqueueResult.Conflict, _h.LastResult);
    }

    [Fact]
    public void GroupMembersJoinWhoeverWaits()
    {
        _h.Extent(_h.A, LockMode.Group, 0, Eof, gid: 1);
        var writer = _h.Extent(_h.B, LockMode.PW, 0, 4095);
        var other = _h.Extent(_h.B, LockMode.Group, 0, Eof, gid: 2);
        var member = _h.Extent(_h.C, LockMode.Group, 0, Eof, gid: 1);
        Assert.Equal(LockState.Granted, member.State);
        Assert.Equal((LockState.Waiting, LockState.Waiting), (writer.State, other.State));
        Assert.Empty(_h.A.All);
    }

    [Fact]
    public async Task GlimpseAsksTheWriterBehindTheSize()
    {
        _h.Lvb = new OstLvb { ObjectSize = Mega, MTime = 100, Blocks = 8 };
        _h.Extent(_h.A, LockMode.PW, 0, Mega - 1, LockMarks.NoExpansion);
        var writer = _h.Extent(_h.B, LockMode.PW, Mega, Eof);
        _h.B.Answer = _ => Lvb(new OstLvb { ObjectSize = 3 * Mega, MTime = 90, Blocks = 9 });
        var (error, lvb) = await _h.Table.GlimpseAsync(Harness.File);

        Assert.Equal(0, error);
        Assert.Equal((3 * Mega, 100L, 9ul), (lvb.ObjectSize, lvb.MTime, lvb.Blocks));
        Assert.Empty(_h.A.All);
        var call = Assert.Single(_h.B.All);
        Assert.Equal((Opcode.LdlmGlCallback, writer.ClientHandle, 0ul), (call.Opcode, call.ClientHandle, call.ServerHandle));
        Assert.Equal((LockMode.PW, LockMode.PW), (call.Request.LockDesc.ReqMode, call.Request.LockDesc.GrantedMode));
        Assert.Equal((Mega, Eof), (call.Request.LockDesc.Policy.Start, call.Request.LockDesc.Policy.End));
    }

    [Fact]
    public async Task GlimpseAsksNobodyBelowTheSize()
    {
        _h.Lvb = new OstLvb { ObjectSize = 4 * Mega };
        _h.Extent(_h.A, LockMode.PW, 0, Mega - 1, LockMarks.NoExpansion);
        _h.Extent(_h.B, LockMode.PR, Mega, Eof);
        await _h.Table.GlimpseAsync(Harness.File);
        Assert.Empty(_h.A.All);
        Assert.Empty(_h.B.All);
    }

    [Fact]
    public async Task GlimpseGoesOnBelowUnexpandedLocksOneAClient()
    {
        _h.Extent(_h.A, LockMode.PW, 0, Mega - 1, LockMarks.NoExpansion);
        _h.Extent(_h.B, LockMode.PW, 2 * Mega, (3 * Mega) - 1, LockMarks.NoExpansion);
        _h.Extent(_h.B, LockMode.PW, 4 * Mega, (5 * Mega) - 1, LockMarks.NoExpansion);
        _h.A.Answer = _ => Lvb(new OstLvb { ObjectSize = 10, MTime = 7 });
        _h.B.Answer = _ => Lvb(new OstLvb { ObjectSize = 5 * Mega });
        var (_, lvb) = await _h.Table.GlimpseAsync(Harness.File);
        Assert.Equal((5 * Mega, 7L), (lvb.ObjectSize, lvb.MTime));
        Assert.Equal(4 * Mega, Assert.Single(_h.B.All).Request.LockDesc.Policy.Start);
        Assert.Single(_h.A.All);
    }

    [Theory]
    [InlineData(-303, true, 0)]
    [InlineData(-Errno.EINVAL, false, 0)]
    [InlineData(-Errno.EIO, false, 1)]
    public async Task GlimpseFallsBackToTheObject(int status, bool keepsTheLock, int evictions)
    {
        _h.Lvb = new OstLvb { ObjectSize = 5 };
        var writer = _h.Extent(_h.A, LockMode.PW, 0, Eof);
        _h.A.Answer = _ => new(new CallbackReply(status, default));
        var (error, lvb) = await _h.Table.GlimpseAsync(Harness.File);
        Assert.Equal((0, 5ul), (error, lvb.ObjectSize));
        Assert.Equal((keepsTheLock, evictions), (writer.State == LockState.Granted, _h.A.Evictions.Count));
    }

    [Fact]
    public async Task GlimpseSeesWhatWasWrittenWhileItAsked()
    {
        _h.Extent(_h.A, LockMode.PW, 0, Eof);
        var answer = new LateAnswer();
        _h.A.Answer = _ => answer.Task;
        var glimpse = _h.Table.GlimpseAsync(Harness.File);
        _h.Lvb = new OstLvb { ObjectSize = 77 };
        answer.Give(-303);
        Assert.Equal(77ul, (await glimpse).Lvb.ObjectSize);
    }

    [Fact]
    public async Task GlimpseOfAMissingObjectFails()
    {
        _h.LvbError = -Errno.ENOENT;
        Assert.Equal(-Errno.ENOENT, (await _h.Table.GlimpseAsync(Harness.File)).Error);
    }

    private static ValueTask<CallbackReply> Lvb(OstLvb lvb) => new(new CallbackReply(
        0, MemoryMarshal.AsBytes(new ReadOnlySpan<OstLvb>(in lvb)).ToArray()));

    private void AssertGranted(ulong start, ulong end)
    {
        Assert.Equal(EnqueueResult.Granted, _h.LastResult);
        Assert.Equal((start, end), (_h.LastReply.LockDesc.Policy.Start, _h.LastReply.LockDesc.Policy.End));
    }
}
