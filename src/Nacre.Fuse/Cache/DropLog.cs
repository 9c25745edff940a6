using Nacre.Client.Vfs;

namespace Nacre.Fuse.Cache;

/// <summary>
/// The last promises taken back, so that the answer to a request that was under way meanwhile does not renew one: the file
/// system said
/// "may be cached" before it took that back, and the kernel would hear it after.
/// </summary>
internal sealed class DropLog
{
    /// <summary>Stands for a node's attributes where a name's hash would.</summary>
    public const int Attributes = 0;

    private readonly Lock _gate = new();
    private readonly (Node Node, int What)[] _last = new (Node, int)[1024];
    private long _count;

    /// <summary>Drops so far.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Never <see cref="Attributes"/>.</summary>
    public static int Hash(ReadOnlySpan<byte> name)
    {
        var hash = default(HashCode);
        hash.AddBytes(name);
        return hash.ToHashCode() | 1;
    }

    public void Add(Node node, int what)
    {
        lock (_gate)
        {
            _last[_count % _last.Length] = (node, what);
            Interlocked.Increment(ref _count);
        }
    }

    /// <summary>
    /// Whether what was to be promised has not been dropped since the count was <paramref name="since"/>; false also when
    /// that is not known.
    /// </summary>
    public bool MayPromise(long since, Node node, int what)
    {
        Interlocked.MemoryBarrier();
        if (Count == since) return true;
        lock (_gate)
        {
            if (_count - since > _last.Length) return false;
            for (long i = since; i < _count; i++)
            {
                var dropped = _last[i % _last.Length];
                if (dropped.Node == node && dropped.What == what) return false;
            }
        }

        return true;
    }
}
