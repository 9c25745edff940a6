using Nacre.Client.Lov;
using Nacre.PtlRpc.Wire;
using Xunit.Abstractions;

namespace Nacre.Client.Tests.Lov;

/// <summary>The arithmetic of stripes: 06 section 8.1.</summary>
public sealed class FileLayoutTests(ITestOutputHelper output)
{
    [Fact]
    public void TheVectorsOfTheProtocolReferenceHold()
    {
        var component = Plain(4, 1 << 20).Components[0];
        const long MiB = 1 << 20;
        Assert.Equal([3 * MiB, 3 * MiB, 2 * MiB, 2 * MiB], Enumerable.Range(0, 4).Select(i => component.ObjectSize(i, 10 * MiB)));
        Assert.Equal([MiB, MiB / 2, 0, 0], Enumerable.Range(0, 4).Select(i => component.ObjectSize(i, 3 * MiB / 2)));
        Assert.Equal((1, (2 * MiB) + 5, MiB - 5), component.Locate((9 * MiB) + 5));
    }

    [Fact]
    public void EveryByteHasOnePlaceAndComesBackFromIt()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var i = 0; i < 2000; i++)
        {
            var component = Plain((ushort)random.Next(1, 9), (uint)random.Next(1, 33) << 16).Components[0];
            var offset = random.NextInt64(1L << 40);
            var (stripe, place, _) = component.Locate(offset);
            Assert.Equal(offset, component.FileOffset(stripe, place));
            // A dense file that ends behind this byte ends there by the sizes of its objects too.
            var size = Enumerable.Range(0, component.StripeCount).Max(k => component.FileSize(k, component.ObjectSize(k, offset + 1)));
            Assert.Equal(offset + 1, size);
            Assert.Equal(place + 1, component.ObjectSize(stripe, offset + 1));
        }
    }

    [Fact]
    public void OffsetsBehindEverythingSaturate()
    {
        var component = Plain(4, 1 << 20).Components[0];
        Assert.Equal(long.MaxValue, component.FileOffset(3, long.MaxValue - 1));
        Assert.Equal(long.MaxValue, component.ObjectSize(0, long.MaxValue));
    }

    [Theory]
    [InlineData(0u, 1)]
    [InlineData(4096u, 1)]
    [InlineData(65536u, 2)]
    public void UnsoundStripesAreRefused(uint stripeSize, int stripeCount)
    {
        var raw = LovLayout.Plain(new LovComponent
        {
            StripeSize = stripeSize,
            StripeCount = (ushort)stripeCount,
            Objects = [new LovOstData { Object = new LuFid(0x100, 1) }],
        });
        Assert.Null(FileLayout.TryBuild(raw));
    }

    [Fact]
    public void MirrorsAndDataOnAnMdtAreRefused()
    {
        var mirrored = Plain(1, 65536).Raw.Clone();
        mirrored.MirrorCount = 1;
        Assert.Null(FileLayout.TryBuild(mirrored));
        var onMdt = Plain(1, 65536).Raw.Clone();
        onMdt.Components[0].Pattern = LovPattern.Mdt;
        Assert.Null(FileLayout.TryBuild(onMdt));
    }

    [Fact]
    public void ComponentsWithoutObjectsAreNeededByWritesThatTouchThem()
    {
        var raw = new LovLayout { IsComposite = true };
        var first = Part(1, 65536);
        (first.End, first.Flags) = (1 << 20, LovCompFlags.Init);
        var second = Part(0, 65536);
        second.Start = 1 << 20;
        raw.Components.AddRange([first, second]);
        var layout = FileLayout.TryBuild(raw)!;
        Assert.False(layout.NeedsObjects(0, 1 << 20));
        Assert.True(layout.NeedsObjects(0, (1 << 20) + 1));
        Assert.Same(layout.Components[1], layout.Find(1 << 20));
        Assert.Same(layout.Components[0], layout.Find((1 << 20) - 1));
    }

    private static FileLayout Plain(ushort count, uint size) => FileLayout.TryBuild(LovLayout.Plain(Part(count, size)))!;

    private static LovComponent Part(ushort count, uint size) => new()
    {
        StripeCount = count,
        StripeSize = size,
        Objects = [.. Enumerable.Range(1, count).Select(i => new LovOstData { Object = new LuFid(0x100, (uint)i) })],
    };
}
