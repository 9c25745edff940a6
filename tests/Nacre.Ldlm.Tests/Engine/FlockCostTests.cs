using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>What operations on a file with very many locked ranges cost, counted in ranges looked at.</summary>
public sealed class FlockCostTests : IDisposable
{
    private const int Many = 100_000;

    /// <summary>A few times the height that a treap of so many nodes has; a walk over the ranges would take thousands.</summary>
    private const int Few = 600;

    private readonly Harness _h = new();
    private FlockResource? _file;

    public void Dispose() => _h.Dispose();

    [Fact]
    public void TwoHoldersLockEveryOtherByte()
    {
        for (var i = 0; i < Many; i++)
        {
            // One from the front, the other from the back: every place of insertion occurs.
            AtMost(Few, () => Locked(_h.A, LockMode.PW, (ulong)i * 4));
            AtMost(Few, () => Locked(_h.B, LockMode.PW, ((ulong)(Many - i) * 4) + 2));
        }
        Assert.Equal(2 * Many, _file!.GrantedCount);
        Assert.InRange(HeightOf(_file.Writers), 17, 150);

        AtMost(Few, () => Assert.Equal(EnqueueResult.Conflict, _h.Flock(_h.A, LockMode.PR, 0, (ulong)Many * 8, wait: false).Result));
        AtMost(Few, () => Locked(_h.A, LockMode.PR, Many));
        AtMost(Few, () => Locked(_h.A, LockMode.NL, Many * 2));
        Assert.Equal((2 * Many) - 1, _file.GrantedCount);
    }

    /// <summary>Its own ranges are in nobody's way, and none of them is looked at to see that.</summary>
    [Theory]
    [InlineData(LockMode.PW)]
    [InlineData(LockMode.PR)]
    public void AHolderOfManyRangesLooksForSomebodyElses(LockMode mode)
    {
        for (ulong i = 0; i < Many; i++)
            Locked(_h.A, mode, i * 2);
        AtMost(Few, () => Assert.Null(_h.GetLk(_h.A, LockMode.PW, 0, ulong.MaxValue)));
        Locked(_h.B, LockMode.PR, (Many * 2) + 1);
        AtMost(Few, () => Assert.Equal((Many * 2) + 1ul, _h.GetLk(_h.A, LockMode.PW, 0, ulong.MaxValue)!.Value.Policy.Start));
        AtMost(Few, () => Assert.Null(_h.GetLk(_h.A, LockMode.PW, 0, Many * 2)));
    }

    /// <summary>Whether waiting would close a cycle depends on who waits, not on how many ranges there are.</summary>
    [Fact]
    public void AWaiterBehindManyRanges()
    {
        for (ulong i = 0; i < Many; i++)
            Locked(_h.A, LockMode.PR, i * 2);
        Locked(_h.A, LockMode.PW, Many * 2);
        // A waits for C on another file, so the search has to ask whether A is in the way here.
        var other = Harness.Flocks with { Name1 = 77 };
        _h.Flock(_h.C, LockMode.PW, 0, 0, name: other);
        Assert.Equal(EnqueueResult.Waiting, _h.Flock(_h.A, LockMode.PW, 0, 0, name: other).Result);

        AtMost(Few, () => Assert.Equal(EnqueueResult.Waiting, _h.Flock(_h.B, LockMode.PR, 0, ulong.MaxValue).Result));
        AtMost(Few, () => Assert.Equal(EnqueueResult.Deadlock, _h.Flock(_h.C, LockMode.PR, 0, ulong.MaxValue).Result));
    }

    private void Locked(FakeClient client, LockMode mode, ulong at)
    {
        var (result, l) = _h.Flock(client, mode, at, at, wait: false);
        Assert.Equal(EnqueueResult.Granted, result);
        _file ??= (FlockResource)l.Resource;
    }

    private void AtMost(int steps, Action operation)
    {
        var before = _file?.Steps ?? 0;
        operation();
        Assert.InRange(_file!.Steps - before, 0, steps);
    }

    private static int HeightOf(FlockRange? node) => node is null ? 0 : 1 + Math.Max(HeightOf(node.Left), HeightOf(node.Right));
}
