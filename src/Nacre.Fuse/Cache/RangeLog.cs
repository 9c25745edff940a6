namespace Nacre.Fuse.Cache;

/// <summary>The last ranges of a file that were read, or written.</summary>
internal sealed class RangeLog
{
    private const int Kept = 16;

    private readonly Lock _gate = new();
    private PageRange[]? _last;
    private long _count;

    /// <summary>Ranges so far.</summary>
    public long Count => Volatile.Read(ref _count);

    public void Add(PageRange range)
    {
        lock (_gate)
        {
            (_last ??= new PageRange[Kept])[_count % Kept] = range;
            Volatile.Write(ref _count, _count + 1);
        }
    }

    /// <summary>Whether one that touches the range was added since the count was <paramref name="since"/>; true also when that is not known.</summary>
    public bool MayHave(long since, PageRange range)
    {
        if (Count == since) return false;
        lock (_gate)
        {
            if (_count - since > Kept) return true;
            for (long i = since; i < _count; i++)
            {
                if (_last![i % Kept].Touches(range)) return true;
            }

            return false;
        }
    }
}
