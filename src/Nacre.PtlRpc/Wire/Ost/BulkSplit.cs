namespace Nacre.PtlRpc.Wire;

/// <summary>
/// How the bytes of a bulk read or write are cut into MDs, one PUT or GET each (06 section 4.4, 02 section 7.3). Client and
/// server derive the same lengths from the niobufs: fragments are cut at page boundaries of the object offset, and a new MD
/// starts at every 256th fragment and where the current MD would exceed 1 MiB. Niobuf boundaries do not start an MD.
/// </summary>
public static class BulkSplit
{
    public const int FragmentsPerMd = 256;
    public const int MaxMdBytes = 1 << 20;

    /// <summary>
    /// Writes the MD lengths in bytes into <paramref name="lengths"/> and returns how many there are, or -1 when they do not
    /// fit: the caller answers EPROTO. <paramref name="pageSize"/> is the client's, a power of two of at most 1 MiB.
    /// Whole pages are stepped over in bulk, so the cost is per niobuf and MD, not per fragment.
    /// </summary>
    public static int Compute(ReadOnlySpan<NiobufRemote> niobufs, int pageSize, Span<int> lengths)
    {
        var state = new State(lengths);
        foreach (ref readonly var niobuf in niobufs)
        {
            ulong offset = niobuf.Offset;
            uint left = niobuf.Length;
            uint head = (uint)((ulong)pageSize - (offset & (ulong)(pageSize - 1)));
            if (head != pageSize)
            {
                uint first = Math.Min(head, left);
                if (!state.Add((int)first)) return -1;
                left -= first;
            }
            while (left >= pageSize)
            {
                int taken = state.AddPages((int)(left / (uint)pageSize), pageSize);
                if (taken == 0) return -1;
                left -= (uint)(taken * pageSize);
            }
            if (left > 0 && !state.Add((int)left)) return -1;
        }
        return state.Finish();
    }

    private ref struct State(Span<int> lengths)
    {
        private readonly Span<int> _lengths = lengths;
        private int _count;
        private int _bytes;
        private int _fragments;

        /// <summary>Fragments counted over the whole RPC: MDs start at multiples of 256 of it.</summary>
        private int _total;

        public bool Add(int bytes)
        {
            if (StartsNewMd(bytes) && !Close()) return false;
            _bytes += bytes;
            _fragments++;
            _total++;
            return true;
        }

        /// <summary>Adds as many of <paramref name="pages"/> whole pages as the current MD takes; 0 when MDs ran out.</summary>
        public int AddPages(int pages, int pageSize)
        {
            if (StartsNewMd(pageSize) && !Close()) return 0;
            int untilCount = FragmentsPerMd - (_total % FragmentsPerMd);
            int untilBytes = (MaxMdBytes - _bytes) / pageSize;
            int taken = Math.Min(pages, Math.Min(untilCount, untilBytes));
            _bytes += taken * pageSize;
            _fragments += taken;
            _total += taken;
            return taken;
        }

        public int Finish() => _fragments == 0 || Close() ? _count : -1;

        private readonly bool StartsNewMd(int next) =>
            _fragments > 0 && (_total % FragmentsPerMd == 0 || _bytes + next > MaxMdBytes);

        private bool Close()
        {
            if (_count == _lengths.Length) return false;
            _lengths[_count++] = _bytes;
            _bytes = 0;
            _fragments = 0;
            return true;
        }
    }
}
