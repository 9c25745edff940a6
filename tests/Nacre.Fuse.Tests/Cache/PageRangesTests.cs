using Nacre.Fuse.Cache;

namespace Nacre.Fuse.Tests.Cache;

public class PageRangesTests
{
    private static readonly PageRange All = new(0, long.MaxValue);

    [Fact]
    public void A_range_is_the_pages_it_touches()
    {
        Assert.Equal(new PageRange(4096, 12288), PageRanges.Of(5000, 5000));
        Assert.Equal(new PageRange(4096, long.MaxValue), PageRanges.Of(4096, long.MaxValue));
    }

    [Fact]
    public void Holes_are_left_out_whatever_their_order()
    {
        Assert.Equal([All], PageRanges.Without([All], []));
        Assert.Equal(
            [new(0, 4096), new(12288, 16384), new(20480, long.MaxValue)], PageRanges.Without([All], [new(16384, 20480), new(4096, 12288)]));
        Assert.Equal([new(8192, 12288)], PageRanges.Without([new(0, 12288)], [new(0, 4096), new(4096, 8192)]));
        Assert.Empty(PageRanges.Without([new(4096, 8192)], [new(0, 102400)]));
        Assert.Equal([new(0, 4096)], PageRanges.Without([new(0, 4096)], [new(8192, 12288)]));
        Assert.Equal([new(0, 4096), new(12288, 16384)], PageRanges.Without([new(0, 8192), new(12288, 16384)], [new(4096, 12288)]));
    }

    [Fact]
    public void What_ranges_have_in_common_with_others_is_each_part_once()
    {
        Assert.Equal([new(4096, 8192)], PageRanges.Common([new(0, 8192)], [new(4096, 12288), new(4096, 8192)]));
        Assert.Equal([new(0, 4096), new(12288, 16384)], PageRanges.Common([new(0, 4096), new(12288, long.MaxValue)], [new(0, 16384)]));
        Assert.Empty(PageRanges.Common([new(0, 4096)], [new(4096, 8192)]));
    }
}
