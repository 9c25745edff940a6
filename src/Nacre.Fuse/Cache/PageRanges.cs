namespace Nacre.Fuse.Cache;

/// <summary>Bytes of a file from <paramref name="Start"/> to before <paramref name="End"/>; <see cref="long.MaxValue"/>: to the end of the file, wherever.</summary>
internal readonly record struct PageRange(long Start, long End)
{
    public bool Touches(PageRange other) => Start < other.End && other.Start < End;
}

/// <summary>Arithmetic of byte ranges in whole pages.</summary>
internal static class PageRanges
{
    public const long PageSize = 4096;

    /// <summary>The pages a range touches.</summary>
    /// <param name="length">Bytes; <see cref="long.MaxValue"/> for all behind <paramref name="offset"/>.</param>
    public static PageRange Of(long offset, long length) =>
        new(Down(offset), length >= long.MaxValue - offset ? long.MaxValue : Up(offset + length));

    /// <summary>The ranges without what any of <paramref name="holes"/> touches. All are whole pages.</summary>
    public static List<PageRange> Without(IEnumerable<PageRange> ranges, IEnumerable<PageRange> holes)
    {
        var sorted = holes.OrderBy(static hole => hole.Start).ToList();
        var pieces = new List<PageRange>();
        foreach (var range in ranges) AddPieces(range, sorted, pieces);
        return pieces;
    }

    /// <summary>What of the ranges lies in any of <paramref name="others"/>.</summary>
    public static List<PageRange> Common(IReadOnlyCollection<PageRange> ranges, IEnumerable<PageRange> others) =>
        [.. others.SelectMany(other => ranges.Where(other.Touches).Select(
            range => new PageRange(Math.Max(range.Start, other.Start), Math.Min(range.End, other.End)))).Distinct()];

    public static long Down(long value) => value & ~(PageSize - 1);

    public static long Up(long value) => value > long.MaxValue - PageSize ? long.MaxValue : (value + PageSize - 1) & ~(PageSize - 1);

    private static void AddPieces(PageRange range, List<PageRange> holes, List<PageRange> pieces)
    {
        long position = range.Start;
        foreach (var hole in holes)
        {
            long end = Math.Min(hole.Start, range.End);
            if (position < end) pieces.Add(new PageRange(position, end));
            position = Math.Max(position, hole.End);
        }

        if (position < range.End) pieces.Add(new PageRange(position, range.End));
    }
}
