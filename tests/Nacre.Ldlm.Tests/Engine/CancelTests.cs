using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>Cancels, converts, and clients that go: 03 sections 8.4, 8.5 and 20.</summary>
public sealed class CancelTests : IDisposable
{
    private readonly Harness _h = new();

    public void Dispose() => _h.Dispose();

    [Fact]
    public void BatchSkipsUnknownAndForeignHandles()
    {
        var mine = _h.IBits(_h.A, LockMode.PR, InodeBits.Update);
        var alsoMine = _h.IBits(_h.A, LockMode.PR, InodeBits.Lookup);
        var foreign = _h.IBits(_h.B, LockMode.PR, InodeBits.Update);
        var local = _h.IBits(null, LockMode.PR, InodeBits.Update);
        var found = _h.Table.Cancel(_h.A.Owner, [0, mine.Handle, foreign.Handle, 77, local.Handle, alsoMine.Handle, mine.Handle]);
        Assert.Equal(2, found);
        Assert.Equal((LockState.Granted, LockState.Granted), (foreign.State, local.State));
        Assert.Equal(0, _h.Cancel(mine));
    }

    [Fact]
    public void LongBatchReprocessesEachResource()
    {
        var held = Enumerable.Range(0, 1500).Select(_ => _h.IBits(_h.A, LockMode.PR, InodeBits.Update)).ToArray();
        var waiting = _h.IBits(_h.B, LockMode.EX, InodeBits.Update);
        Assert.Equal(1500, _h.Table.Cancel(_h.A.Owner, held.Select(l => l.Handle).ToArray()));
        Assert.Equal(LockState.Granted, waiting.State);
    }

    [Fact]
    public void WaitingLockCanBeCancelled()
    {
        var held = _h.IBits(_h.A, LockMode.PR, InodeBits.Update);
        var first = _h.IBits(_h.B, LockMode.EX, InodeBits.Update);
        var behind = _h.IBits(_h.C, LockMode.PR, InodeBits.Update);
        Assert.Equal((LockState.Waiting, LockState.Waiting), (first.State, behind.State));
        _h.Cancel(first);
        Assert.Equal((LockState.Granted, LockState.Granted), (held.State, behind.State));
    }

    [Fact]
    public void ConvertKeepsTheRestAndCanBeCalledBackAgain()
    {
        var held = _h.IBits(_h.A, LockMode.PW, InodeBits.Lookup | InodeBits.Layout | InodeBits.Dom);
        var first = _h.IBits(_h.B, LockMode.PR, InodeBits.Lookup | InodeBits.Update);
        Assert.Equal(ConvertResult.Converted,
            _h.Table.Convert(_h.A.Owner, held.Handle, LockMode.PW, InodeBits.Layout | InodeBits.Dom, out var bits));
        Assert.Equal(InodeBits.Layout | InodeBits.Dom, bits);
        Assert.Equal(LockState.Granted, first.State);
        Assert.Equal(0, _h.Table.RunningTimers);

        var second = _h.IBits(_h.C, LockMode.PW, InodeBits.Dom);
        Assert.Equal(2, _h.A.Of(Opcode.LdlmBlCallback).Length);
        _h.Table.Convert(_h.A.Owner, held.Handle, LockMode.PW, InodeBits.Layout, out _);
        Assert.Equal(LockState.Granted, second.State);
        Assert.Equal(LockState.Granted, held.State);
    }

    /// <summary>The holder dropped bits that someone else wants less than the ones it kept.</summary>
    [Fact]
    public void ConvertThatIsNotEnoughIsCalledBackAtOnce()
    {
        var held = _h.IBits(_h.A, LockMode.PW, InodeBits.Lookup | InodeBits.Dom);
        _h.IBits(_h.B, LockMode.EX, InodeBits.Lookup);
        _h.IBits(_h.C, LockMode.EX, InodeBits.Dom);
        Assert.Single(_h.A.All);
        _h.Table.Convert(_h.A.Owner, held.Handle, LockMode.PW, InodeBits.Dom, out _);
        Assert.Equal(InodeBits.Dom, _h.A.All[1].Request.LockDesc.Policy.CancelBits);
        Assert.Equal(1, _h.Table.RunningTimers);
    }

    [Fact]
    public void ConvertRefusesWhatIsNoDowngrade()
    {
        var held = _h.IBits(_h.A, LockMode.PR, InodeBits.Lookup);
        Assert.Equal(ConvertResult.Refused, Convert(LockMode.PW, InodeBits.Lookup));
        Assert.Equal(ConvertResult.Refused, Convert(LockMode.PR, InodeBits.Lookup | InodeBits.Update));
        Assert.Equal(ConvertResult.Refused, Convert(LockMode.PR, InodeBits.None));
        Assert.Equal(ConvertResult.Converted, Convert(LockMode.PR, InodeBits.Lookup));
        Assert.Equal(ConvertResult.Unknown, _h.Table.Convert(_h.B.Owner, held.Handle, LockMode.PR, InodeBits.Lookup, out _));

        ConvertResult Convert(LockMode mode, InodeBits kept) =>
            _h.Table.Convert(_h.A.Owner, held.Handle, mode, kept, out _);
    }

    [Fact]
    public void DropReleasesEverythingAndAdmitsNothing()
    {
        var held = Enumerable.Range(0, 2000).Select(_ => _h.IBits(_h.A, LockMode.PR, InodeBits.Update)).ToArray();
        var waiting = _h.IBits(_h.B, LockMode.EX, InodeBits.Update);
        var behind = _h.IBits(_h.A, LockMode.PR, InodeBits.Update);
        _h.Flock(_h.A, LockMode.PW, 0, 9);
        var (_, flock) = _h.Flock(_h.B, LockMode.PW, 5, 6);
        _h.Table.Drop(_h.A.Owner, new InvalidOperationException());

        Assert.All(held, l => Assert.Equal(LockState.Gone, l.State));
        Assert.Equal((LockState.Granted, LockState.Gone, LockState.Granted), (waiting.State, behind.State, flock.State));
        _h.IBits(_h.A, LockMode.PR, InodeBits.Lookup);
        Assert.Equal(EnqueueResult.OwnerGone, _h.LastResult);
        Assert.Equal(EnqueueResult.OwnerGone, _h.Flock(_h.A, LockMode.NL, 0, 9).Result);
        Assert.Equal(2, _h.Table.LockCount);
    }

    [Fact]
    public void HandlesAreUniqueAndNeverZero()
    {
        var handles = new HashSet<ulong>();
        for (var i = 0; i < 200_000; i++)
            Assert.True(handles.Add(HandleSource.Next()));
        Assert.DoesNotContain(0ul, handles);
    }

    [Fact]
    public void LimitsRefuse()
    {
        using var h = new Harness(new LdlmOptions { MaxLocksPerExport = 3, MaxWaitingPerResource = 2 });
        h.IBits(h.A, LockMode.PR, InodeBits.Update);
        for (var i = 0; i < 2; i++)
            h.IBits(h.B, LockMode.EX, InodeBits.Update);
        h.IBits(h.C, LockMode.EX, InodeBits.Update);
        Assert.Equal(EnqueueResult.Limit, h.LastResult);
        for (var i = 0; i < 3; i++)
            h.IBits(h.A, LockMode.CR, InodeBits.Lookup);
        Assert.Equal(EnqueueResult.Limit, h.LastResult);
        Assert.Equal(3, h.A.Owner.LockCount);
    }

    [Fact]
    public void UnlockingWorksAtTheLimitUnlessItSplits()
    {
        using var h = new Harness(new LdlmOptions { MaxLocksPerExport = 2 });
        h.Flock(h.A, LockMode.PW, 0, 99);
        h.Flock(h.A, LockMode.PW, 200, 299);
        Assert.Equal(EnqueueResult.Limit, h.Flock(h.A, LockMode.PR, 400, 499).Result);
        Assert.Equal(EnqueueResult.Limit, h.Flock(h.A, LockMode.NL, 10, 20).Result);
        Assert.Equal(EnqueueResult.Granted, h.Flock(h.A, LockMode.NL, 0, 20).Result);
        Assert.Equal(EnqueueResult.Granted, h.Flock(h.A, LockMode.NL, 0, ulong.MaxValue).Result);
        Assert.Equal(0, h.Table.LockCount);
    }

    [Fact]
    public void ReplayedLocksAreTakenAsTheyAreAndSortedOutAfterwards()
    {
        _h.Table.BeginRecovery();
        var held = Replay(_h.A, LockMode.PW, granted: true);
        var waiting = Replay(_h.B, LockMode.PR, granted: false);
        Assert.Empty(_h.A.All);
        Assert.Equal(0, _h.Table.RunningTimers);
        _h.Table.EndRecovery();
        Assert.Single(_h.A.Of(Opcode.LdlmBlCallback));
        _h.Cancel(held);
        Assert.Equal(LockState.Granted, waiting.State);

        LdlmLock Replay(FakeClient client, LockMode mode, bool granted)
        {
            var l = _h.Make(client, mode, LdlmPolicy.Extent(0, 4095));
            l.Set(LockMarks.ReplyOpen);
            _h.Table.Replay(l, Harness.File, LockType.Extent, granted);
            _h.Announce(l);
            return l;
        }
    }
}
