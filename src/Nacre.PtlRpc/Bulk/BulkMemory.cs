namespace Nacre.PtlRpc;

/// <summary>
/// Native memory for bulk data, 1 MiB at a time, two pieces in each huge page where the system has such. A kernel that copies from or to user memory
/// looks up every page of it, and counts a reference to each: one page in place of 256 saves most of that. Safe for any thread.
/// </summary>
/// <remarks>
/// A piece that is given back while the other half of its page is in use gives its memory back to the system, and is among the next to be handed out.
/// </remarks>
public static unsafe class BulkMemory
{
    /// <summary>Bytes of a piece: what one bulk descriptor carries at most.</summary>
    public const int Size = 1 << 20;

    private const int HugePage = 2 * Size;
    private static readonly Lock Gate = new();

    /// <summary>Halves of huge pages whose other half is in use.</summary>
    private static readonly HashSet<nint> Spares = [];

    /// <summary>A piece, page-aligned, its contents undefined.</summary>
    /// <exception cref="OutOfMemoryException">The system gives none.</exception>
    public static byte* Allocate()
    {
        lock (Gate)
        {
            foreach (var spare in Spares)
            {
                Spares.Remove(spare);
                return (byte*)spare;
            }

            var whole = MapHugePage();
            Spares.Add((nint)(whole + Size));
            return whole;
        }
    }

    /// <summary>Gives back what <see cref="Allocate"/> returned.</summary>
    public static void Free(byte* piece)
    {
        lock (Gate)
        {
            var other = (nint)piece ^ Size;
            if (Spares.Remove(other))
            {
                MemoryCalls.Unmap((byte*)Math.Min((nint)piece, other), HugePage);
                return;
            }

            MemoryCalls.GiveBack(piece, Size);
            Spares.Add((nint)piece);
        }
    }

    /// <summary>Maps a page more than is wanted and gives back what lies before and behind the aligned part.</summary>
    private static byte* MapHugePage()
    {
        var mapped = MemoryCalls.Map(2 * HugePage);
        var aligned = (byte*)(((nint)mapped + HugePage - 1) & -HugePage);
        var before = (nuint)(aligned - mapped);
        MemoryCalls.Unmap(mapped, before);
        MemoryCalls.Unmap(aligned + HugePage, HugePage - before);
        MemoryCalls.WantHugePages(aligned, HugePage);
        return aligned;
    }
}
