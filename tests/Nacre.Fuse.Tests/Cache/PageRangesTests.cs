using Nacre.Fuse.Cache;

namespace Nacre.Fuse.Tests.Cache;

public class PageRangesTests
{
    [Fact]
    public void A_range_without_holes_is_whole_pages()
    {
        Assert.Equal([(4096, 8192)], PageRanges.Without(5000, 5000, []));
        Assert.Equal([(4096, 0)], PageRanges.Without(4096, long.MaxValue, []));
    }

    [Fact]
    public void Holes_are_left_out_in_whole_pages_whatever_their_order()
    {
        Assert.Equal([(0, 4096), (12288, 4096), (20480, 0)], PageRanges.Without(0, long.MaxValue, [(16384, 16385), (5000, 9000)]));
        Assert.Equal([(8192, 4096)], PageRanges.Without(0, 12288, [(0, 10), (4096, 8192)]));
        Assert.Empty(PageRanges.Without(4096, 4096, [(0, 100000)]));
        Assert.Equal([(0, 4096)], PageRanges.Without(0, 4096, [(8192, 9000)]));
    }
}
