using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>Callback timers and eviction: 03 section 9.4. The timeout here is the default, 120 s.</summary>
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
        Pass(119);
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
        Pass(119);
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
        Pass(59);
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
        Pass(119);
        Assert.Empty(_h.A.Evictions);
    }

    [Fact]
    public void OtherInputOutputDoesNotCount()
    {
        _h.Extent(_h.A, LockMode.PW, 0, 4095, LockMarks.NoExpansion);
        _h.Extent(_h.B, LockMode.PW, 0, Eof);
        Pass(100);
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
        Pass(241);
        Assert.Equal(2, _h.A.Evictions.Count);
    }

    private void Pass(int seconds)
    {
        for (var i = 0; i < seconds; i++)
            _h.Time.Advance(TimeSpan.FromSeconds(1));
    }
}
