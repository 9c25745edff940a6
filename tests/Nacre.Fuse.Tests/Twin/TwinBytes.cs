namespace Nacre.Fuse.Tests.Twin;

/// <summary>Sparse bytes in pages of 4 KiB.</summary>
internal sealed class TwinBytes
{
    public const int PageSize = 4096;
    private readonly Dictionary<long, byte[]> _pages = [];

    public long Length { get; private set; }

    public long Allocated => (long)_pages.Count * PageSize;

    public byte[] Read(long offset, int length)
    {
        length = (int)Math.Clamp(Length - offset, 0, length);
        byte[] result = new byte[length];
        Each(offset, length, (page, at, count, done) =>
        {
            if (_pages.TryGetValue(page, out byte[]? bytes)) bytes.AsSpan(at, count).CopyTo(result.AsSpan(done));
        });
        return result;
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        byte[] copy = data.ToArray();
        Each(offset, copy.Length, (page, at, count, done) => copy.AsSpan(done, count).CopyTo(Page(page).AsSpan(at)));
        Length = Math.Max(Length, offset + copy.Length);
    }

    public void SetLength(long length)
    {
        if (length < Length)
        {
            foreach (long page in _pages.Keys.Where(page => page * PageSize >= length).ToList()) _pages.Remove(page);
            if (length % PageSize != 0 && _pages.TryGetValue(length / PageSize, out byte[]? last)) last.AsSpan((int)(length % PageSize)).Clear();
        }

        Length = length;
    }

    public void Allocate(long offset, long length, bool keepSize)
    {
        for (long page = offset / PageSize; page * PageSize < offset + length; page++) Page(page);
        if (!keepSize) Length = Math.Max(Length, offset + length);
    }

    public void Punch(long offset, long length)
    {
        length = Math.Min(length, Math.Max(0, Length - offset));
        Each(offset, length, (page, at, count, _) =>
        {
            if (count == PageSize) _pages.Remove(page);
            else if (_pages.TryGetValue(page, out byte[]? bytes)) bytes.AsSpan(at, count).Clear();
        });
    }

    /// <summary>
    /// The next place from <paramref name="offset"/> on that is data, or a hole; -1 when there is no data any more.
    /// </summary>
    public long Seek(long offset, bool data)
    {
        for (long position = offset; position < Length; position = (position / PageSize + 1) * PageSize)
        {
            if (_pages.ContainsKey(position / PageSize) == data) return position;
        }

        return data ? -1 : Length;
    }

    private byte[] Page(long page)
    {
        if (!_pages.TryGetValue(page, out byte[]? bytes)) _pages[page] = bytes = new byte[PageSize];
        return bytes;
    }

    private static void Each(long offset, long length, Action<long, int, int, int> visit)
    {
        for (long done = 0; done < length;)
        {
            int at = (int)((offset + done) % PageSize);
            int count = (int)Math.Min(PageSize - at, length - done);
            visit((offset + done) / PageSize, at, count, (int)done);
            done += count;
        }
    }
}
