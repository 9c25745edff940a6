namespace Nacre.Fuse.Cache;

/// <summary>Arithmetic of byte ranges in whole pages.</summary>
internal static class PageRanges
{
    public const long PageSize = 4096;

    /// <summary>
    /// The range without what any of <paramref name="holes"/> touches. Ends are exclusive; all are rounded to pages.
    /// </summary>
    public static List<(long Offset, long Length)> Without(long offset, long length, List<(long Start, long End)> holes)
    {
        long position = Down(offset);
        long end = length >= long.MaxValue - offset ? long.MaxValue : Up(offset + length);
        var pieces = new List<(long, long)>();
        holes.Sort();
        foreach (var (start, holeEnd) in holes)
        {
            if (Down(start) > position) Add(position, Math.Min(Down(start), end));
            position = Math.Max(position, Up(holeEnd));
        }

        Add(position, end);
        return pieces;

        void Add(long from, long to)
        {
            // Length 0 says "to the end" to the kernel.
            if (from < to) pieces.Add((from, to == long.MaxValue ? 0 : to - from));
        }
    }

    public static long Down(long value) => value & ~(PageSize - 1);

    public static long Up(long value) => value > long.MaxValue - PageSize ? long.MaxValue : (value + PageSize - 1) & ~(PageSize - 1);
}
