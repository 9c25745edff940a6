using Nacre.Client.Lov;

namespace Nacre.Client.Tests.Lov;

/// <summary>What is worth reading before it is asked for.</summary>
public sealed class ReadAheadTests
{
    private const int MiB = 1 << 20;
    private const long Most = 8 * MiB;

    [Fact]
    public void AStreamIsReadAheadOnceEachByteAndNeverBeyondItsWindow()
    {
        var open = new OpenData(mayBeMappedWritable: false, errorsSeen: 0);
        long ahead = 0;
        for (long at = 0; at < 64 * MiB; at += MiB / 8)
        {
            var plan = open.Plan(at, MiB / 8, Most);
            if (plan.Count == 0)
            {
                continue;
            }

            Assert.True(plan.Offset >= ahead, "read twice");
            ahead = plan.Offset + plan.Length;
            Assert.InRange(ahead - at, 0, Most + (2 * MiB));
        }

        Assert.True(ahead >= 64 * MiB, $"only {ahead} bytes were read ahead");
    }

    [Fact]
    public void ReadsSlightlyOutOfOrderAreStillAStream()
    {
        var open = new OpenData(mayBeMappedWritable: false, errorsSeen: 0);
        var total = 0L;
        foreach (var at in (long[])[0, 2, 1, 3, 5, 4, 6, 7])
        {
            total += open.Plan(at * MiB / 4, MiB / 4, Most).Length;
        }

        Assert.True(total > 0);
    }

    [Fact]
    public void EqualStepsAreReadAheadAndScatteredReadsAreNot()
    {
        var open = new OpenData(mayBeMappedWritable: false, errorsSeen: 0);
        ReadAhead plan = default;
        for (var i = 1; i <= 5; i++)
        {
            plan = open.Plan(i * 10L * MiB, 4096, Most);
        }

        Assert.Equal((60L * MiB, 4096L, 10L * MiB), (plan.Offset, plan.Length, plan.Stride));
        Assert.InRange(plan.Count, 1, 16);

        foreach (var at in (int[])[500, 3, 900, 40, 77, 300])
        {
            Assert.Equal(0, open.Plan((long)at * MiB, 4096, Most).Count);
        }
    }

    [Fact]
    public void NothingIsReadAheadWhenItIsSwitchedOff() =>
        Assert.Equal(0, new OpenData(mayBeMappedWritable: false, errorsSeen: 0).Plan(0, MiB, most: 0).Count);
}
