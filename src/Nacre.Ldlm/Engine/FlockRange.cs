using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>The place of one granted flock in the two trees it is in: all ranges of its mode, and those of its holder.</summary>
internal sealed class FlockRange(LdlmLock l, FlockHolding holding)
{
    // All ranges of the mode.
    public FlockRange? Left;
    public FlockRange? Right;

    // The ranges of the holder.
    public FlockRange? OwnLeft;
    public FlockRange? OwnRight;

    public LdlmLock Lock => l;

    public FlockHolding Holding => holding;

    public uint Priority { get; } = TreapPriority.Next();

    public ulong Start => l.Policy.Start;

    public ulong End => l.Policy.End;

    public bool IsWriter => l.Mode == LockMode.PW;

    /// <summary>All ranges of the mode: the one of this subtree with the greatest end.</summary>
    public FlockRange Last { get; private set; } = null!;

    /// <summary>As <see cref="Last"/>, among those of other holders than that one's; null when there are none.</summary>
    public FlockRange? LastOfOthers { get; private set; }

    /// <summary>The ranges of the holder: one in this subtree is PW.</summary>
    public bool HasWriter { get; private set; }

    public static bool Less(FlockRange a, FlockRange b) =>
        a.Start < b.Start || (a.Start == b.Start && a.Lock.Handle < b.Lock.Handle);

    /// <summary>Order of all ranges of a mode.</summary>
    internal readonly struct ByStart : ITreapLinks<FlockRange>
    {
        public static ref FlockRange? Left(FlockRange node) => ref node.Left;

        public static ref FlockRange? Right(FlockRange node) => ref node.Right;

        public static uint Priority(FlockRange node) => node.Priority;

        public static bool Less(FlockRange a, FlockRange b) => FlockRange.Less(a, b);

        public static void Update(FlockRange node)
        {
            node.Last = node;
            node.LastOfOthers = null;
            node.Consider(node.Left);
            node.Consider(node.Right);
        }
    }

    /// <summary>Order of the ranges of one holder.</summary>
    internal readonly struct OfHolder : ITreapLinks<FlockRange>
    {
        public static ref FlockRange? Left(FlockRange node) => ref node.OwnLeft;

        public static ref FlockRange? Right(FlockRange node) => ref node.OwnRight;

        public static uint Priority(FlockRange node) => node.Priority;

        public static bool Less(FlockRange a, FlockRange b) => FlockRange.Less(a, b);

        public static void Update(FlockRange node) =>
            node.HasWriter = node.IsWriter || node.OwnLeft is { HasWriter: true } || node.OwnRight is { HasWriter: true };
    }

    private void Consider(FlockRange? child)
    {
        if (child is null)
            return;
        ConsiderAsLast(child.Last);
        if (child.LastOfOthers is { } other)
            ConsiderAsLast(other);
    }

    private void ConsiderAsLast(FlockRange range)
    {
        if (range.Holding == Last.Holding)
        {
            if (range.End > Last.End)
                Last = range;
        }
        else if (range.End > Last.End)
        {
            LastOfOthers = Last;
            Last = range;
        }
        else if (LastOfOthers is null || range.End > LastOfOthers.End)
        {
            LastOfOthers = range;
        }
    }
}

/// <summary>
/// The granted ranges of one mode, those of all holders. The first in the way of a holder is found in O(log n), however many
/// of its own lie before it.
/// </summary>
internal struct FlockTree
{
    private Treap<FlockRange, FlockRange.ByStart> _ranges;

    public readonly FlockRange? Root => _ranges.Root;

    public void Insert(FlockRange range) => _ranges.Insert(range);

    public void Remove(FlockRange range) => _ranges.Remove(range);

    /// <summary>The range with the lowest start that overlaps [start, end] and belongs to somebody else than <paramref name="holding"/>.</summary>
    /// <param name="steps">Raised by the number of nodes looked at.</param>
    public readonly FlockRange? FirstOfOthers(ulong start, ulong end, FlockHolding? holding, ref long steps)
    {
        var node = Root;
        while (node is not null && Reaches(node, start, holding))
        {
            steps++;
            if (node.Left is { } left && Reaches(left, start, holding))
            {
                // It is in the left subtree, or nowhere: a range there that ends behind `start` without overlapping starts
                // behind `end`, and so does everything to its right.
                node = left;
                continue;
            }
            if (node.Start > end)
                return null;
            if (node.End >= start && node.Holding != holding)
                return node;
            node = node.Right;
        }
        return null;
    }

    /// <summary>The subtree has a range of somebody else that ends at the offset or behind it.</summary>
    private static bool Reaches(FlockRange node, ulong offset, FlockHolding? holding)
    {
        var last = node.Last.Holding != holding ? node.Last : node.LastOfOthers;
        return last is not null && last.End >= offset;
    }
}

/// <summary>The granted ranges of one holder: disjoint and, where the modes are equal, not adjacent.</summary>
internal sealed class FlockHolding
{
    private Treap<FlockRange, FlockRange.OfHolder> _ranges;

    public bool IsEmpty => _ranges.Count == 0;

    public FlockRange? Root => _ranges.Root;

    public void Insert(FlockRange range) => _ranges.Insert(range);

    public void Remove(FlockRange range) => _ranges.Remove(range);

    /// <summary>Adds the locks that overlap [start, end] to <paramref name="into"/>, by start.</summary>
    /// <param name="steps">Raised by the number of nodes looked at.</param>
    public void Collect(ulong start, ulong end, List<LdlmLock> into, ref long steps) => Collect(Root, start, end, into, ref steps);

    /// <summary>One of the ranges, a PW one if only those count, overlaps [start, end].</summary>
    /// <param name="steps">Raised by the number of nodes looked at.</param>
    public bool Overlaps(ulong start, ulong end, bool writersOnly, ref long steps) => Overlaps(Root, start, end, writersOnly, ref steps);

    private static void Collect(FlockRange? node, ulong start, ulong end, List<LdlmLock> into, ref long steps)
    {
        for (; node is not null; node = node.OwnRight)
        {
            steps++;
            // Disjoint ranges end in the order in which they start.
            if (node.End < start)
                continue;
            Collect(node.OwnLeft, start, end, into, ref steps);
            if (node.Start > end)
                return;
            into.Add(node.Lock);
        }
    }

    private static bool Overlaps(FlockRange? node, ulong start, ulong end, bool writersOnly, ref long steps)
    {
        while (node is not null && (!writersOnly || node.HasWriter))
        {
            steps++;
            if (node.End < start)
                node = node.OwnRight;
            else if (node.Start > end)
                node = node.OwnLeft;
            else if (!writersOnly || node.IsWriter || Overlaps(node.OwnLeft, start, end, writersOnly, ref steps))
                return true;
            else
                node = node.OwnRight;
        }
        return false;
    }
}
