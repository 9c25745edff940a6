using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>Callback timers and eviction: 03 sections 9.3 and 9.4. A client has 150 s at first.</summary>
public sealed class TimerTests : IDisposable
{
    private const ulong Eof = ulong.MaxValue;
    private readonly Harness _h = new();

    public void Dispose() => _h.Dispose();

    [Fact]
    public void HolderThatDoesNotCancelIsEvicted()
    {
        var held = _h.Extent(_h.A, LockMode.PW, 0, Eof);
        Pass(500); // nobody wants it yet
        Assert.Empty(_h.A.Evictions);
        var waiting = _h.Extent(_h.B, LockMode.PW, 0, Eof);
        Pass(149);
        Assert.Empty(_h.A.Evictions);
        Pass(2);
        Assert.Single(_h.A.Evictions);
        Assert.Equal((LockState.Gone, LockState.Granted), (held.State, waiting.State));
        Assert.Equal(0, _h.Table.RunningTimers);
    }

    [Fact]
    public void CancelStopsTheTimer()
    {
        var held = _h.Extent(_h.A, LockMode.PW, 0, Eof);
        _h.Extent(_h.B, LockMode.PW, 0, Eof);
        Pass(149);
        _h.Cancel(held);
        Pass(500);
        Assert.Empty(_h.A.Evictions);
        Assert.Empty(_h.B.Evictions);
    }

    [Fact]
    public void InputOutputUnderTheLockGivesMoreTime()
    {
        _h.Extent(_h.A, LockMode.PW, 0, 8191, LockMarks.NoExpansion);
        _h.Extent(_h.B, LockMode.PW, 0, Eof);
        for (var i = 0; i < 20; i++)
        {
            Pass(50);
            _h.Table.RefreshByIo(_h.A.Owner, Harness.File, 4096, 4096);
        }
        Assert.Empty(_h.A.Evictions);
        Pass(74);
        Assert.Empty(_h.A.Evictions);
        Pass(2);
        Assert.Single(_h.A.Evictions);
    }

    [Fact]
    public void RefreshNeverShortens()
    {
        _h.Extent(_h.A, LockMode.PW, 0, Eof);
        _h.Extent(_h.B, LockMode.PW, 0, Eof);
        _h.Table.RefreshByIo(_h.A.Owner, Harness.File, 0, 0);
        Pass(149);
        Assert.Empty(_h.A.Evictions);
    }

    [Fact]
    public void OtherInputOutputDoesNotCount()
    {
        _h.Extent(_h.A, LockMode.PW, 0, 4095, LockMarks.NoExpansion);
        _h.Extent(_h.B, LockMode.PW, 0, Eof);
        Pass(130);
        _h.Table.RefreshByIo(_h.A.Owner, Harness.File, 4096, Eof); // beside the lock
        _h.Table.RefreshByIo(_h.B.Owner, Harness.File, 0, Eof); // somebody else
        Pass(21);
        Assert.Single(_h.A.Evictions);
    }

    [Fact]
    public void WaitersAndGroupsHaveNoTimer()
    {
        var group = _h.Extent(_h.A, LockMode.Group, 0, Eof, gid: 5);
        var waiting = _h.Extent(_h.B, LockMode.PW, 0, Eof);
        Pass(1000);
        Assert.Equal((LockState.Granted, LockState.Waiting), (group.State, waiting.State));
        Assert.Empty(_h.A.All);
    }

    /// <summary>Were the eviction to come to nothing, it would be tried again.</summary>
    [Fact]
    public void EvictionIsRepeatedUntilItWorks()
    {
        _h.A.OnEvict = null;
        _h.Extent(_h.A, LockMode.PW, 0, Eof);
        _h.Extent(_h.B, LockMode.PW, 0, Eof);
        Pass(301);
        Assert.Equal(2, _h.A.Evictions.Count);
    }

    [Fact]
    public void AClientThatIsQuickGetsTheMinimum()
    {
        GiveUpAfter(1); // that it might need 100 s was only assumed
        AssertTimeout(100);
    }

    [Fact]
    public void AClientThatIsSlowGetsMoreTime()
    {
        GiveUpAfter(140);
        AssertTimeout(210);
    }

    [Fact]
    public void ASlowCancelIsForgottenByALaterOneOnly()
    {
        GiveUpAfter(140);
        Pass(2000);
        _h.Extent(_h.A, LockMode.PW, 0, Eof);
        _h.Extent(_h.B, LockMode.PR, 0, 0);
        Assert.Equal(TimeSpan.FromSeconds(210), _h.A.LastTimeout);
        Assert.Equal(1, _h.Table.RunningTimers);
        _h.Table.Drop(_h.B.Owner, new InvalidOperationException());
        _h.Table.Cancel(_h.A.Owner, [_h.A.All[^1].ServerHandle]);
        _h.B.Owner.Dropped = false;
        AssertTimeout(100);
    }

    [Fact]
    public void NoClientGetsMoreThanTheLimit()
    {
        var held = _h.Extent(_h.A, LockMode.PW, 0, Eof);
        _h.Extent(_h.B, LockMode.PR, 0, 0);
        for (var i = 0; i < 40; i++)
        {
            Pass(50);
            _h.Table.RefreshByIo(_h.A.Owner, Harness.File, 0, 0);
        }
        Assert.Equal(1, _h.Cancel(held));
        Drain();
        AssertTimeout(900);
    }

    /// <summary>Converting gives up what was wanted as a cancel does, and the next callback of the lock is timed anew.</summary>
    [Fact]
    public void AConvertedLockIsTimedAnew()
    {
        var held = _h.IBits(_h.A, LockMode.PR, InodeBits.Lookup | InodeBits.Layout);
        _h.IBits(_h.B, LockMode.EX, InodeBits.Lookup);
        Pass(140);
        Assert.Equal(ConvertResult.Converted, _h.Table.Convert(_h.A.Owner, held.Handle, LockMode.PR, InodeBits.Layout, out _));
        Assert.Equal(0, _h.Table.RunningTimers);
        Pass(300);
        _h.IBits(_h.B, LockMode.EX, InodeBits.Layout);
        Pass(209);
        Assert.Empty(_h.A.Evictions);
        Pass(2);
        Assert.Single(_h.A.Evictions);
    }

    [Fact]
    public void EachCopyOfTheCallbackGivesTheWholeTime()
    {
        _h.A.Answer = _ => new LateAnswer().Task;
        var held = _h.Extent(_h.A, LockMode.PW, 0, Eof);
        _h.Extent(_h.B, LockMode.PW, 0, Eof);
        Assert.Equal(TimeSpan.FromSeconds(150), _h.A.LastTimeout);
        Pass(140);
        _h.A.Resend!();
        Pass(149);
        Assert.Empty(_h.A.Evictions);
        Pass(2);
        Assert.Single(_h.A.Evictions);

        _h.A.Resend(); // a copy too late
        Assert.Equal((LockState.Gone, 0), (held.State, _h.Table.RunningTimers));
    }

    /// <summary>Timers of clients with different times run beside each other, in any order.</summary>
    [Fact]
    public void EachClientHasItsOwnTime()
    {
        GiveUpAfter(140);
        _h.Extent(_h.A, LockMode.PW, 0, 0, LockMarks.NoExpansion);
        _h.Extent(_h.C, LockMode.PW, 1, 1, LockMarks.NoExpansion);
        _h.Extent(_h.B, LockMode.PW, 0, Eof);
        Assert.Equal(2, _h.Table.RunningTimers);
        Pass(151);
        Assert.Equal((0, 1), (_h.A.Evictions.Count, _h.C.Evictions.Count));
        Pass(60);
        Assert.Single(_h.A.Evictions);
    }

    /// <summary>A machine that slept, or a tick that never came, must not make timers wait for another turn of the wheel.</summary>
    [Fact]
    public void ALongPauseExpiresEveryTimer()
    {
        var many = Enumerable.Range(0, 50).Select(_ => _h.NewClient()).ToList();
        for (var i = 0; i < many.Count; i++)
        {
            _h.Extent(many[i], LockMode.PW, (ulong)i, (ulong)i, LockMarks.NoExpansion);
            _h.Extent(_h.B, LockMode.PR, (ulong)i, (ulong)i, LockMarks.NoExpansion);
            Pass(1);
        }
        _h.Time.Advance(TimeSpan.FromHours(3));
        Assert.All(many, client => Assert.Single(client.Evictions));
        Assert.Equal(0, _h.Table.RunningTimers);
    }

    /// <summary>A callback that A answers with a cancel after so many seconds.</summary>
    private void GiveUpAfter(int seconds)
    {
        var held = _h.Extent(_h.A, LockMode.PW, 0, Eof);
        _h.Extent(_h.B, LockMode.PR, 0, 0);
        Pass(seconds);
        Assert.Equal(1, _h.Cancel(held));
        Drain();
    }

    private void Drain()
    {
        Assert.Empty(_h.A.Evictions);
        _h.Table.Drop(_h.B.Owner, new InvalidOperationException());
        _h.B.Owner.Dropped = false;
    }

    private void AssertTimeout(int seconds)
    {
        _h.Extent(_h.A, LockMode.PW, 0, Eof);
        _h.Extent(_h.B, LockMode.PW, 0, Eof);
        Pass(seconds - 1);
        Assert.Empty(_h.A.Evictions);
        Pass(2);
        Assert.Single(_h.A.Evictions);
    }

    private void Pass(int seconds)
    {
        for (var i = 0; i < seconds; i++)
            _h.Time.Advance(TimeSpan.FromSeconds(1));
    }
}
