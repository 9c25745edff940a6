using System.Diagnostics;

namespace Nacre.Ldlm.Engine;

/// <summary>Looks at overlapping locks one by one, in the order of their starts.</summary>
internal interface IExtentVisitor
{
    /// <summary>False ends the visit.</summary>
    bool Visit(LdlmLock l);
}

/// <summary>
/// Locks ordered by the start of their range, each subtree with its largest end: a treap whose nodes are the locks
/// themselves. Insert, remove and the search for one overlap take O(log n), also for thousands of equal ranges.
/// </summary>
/// <remarks>A lock's range must not change while it is in a tree, and a lock is in at most one tree.</remarks>
internal struct ExtentTree
{
    private static uint _seed = (uint)Environment.TickCount | 1;
    private LdlmLock? _root;

    public int Count { get; private set; }

    public void Insert(LdlmLock l)
    {
        Debug.Assert(l.TreeLeft is null && l.TreeRight is null);
        l.TreePriority = NextPriority();
        l.TreeMaxEnd = l.Policy.End;
        _root = Insert(_root, l);
        Count++;
    }

    public void Remove(LdlmLock l)
    {
        _root = Remove(_root, l);
        l.TreeLeft = l.TreeRight = null;
        Count--;
    }

    public readonly bool Overlaps(ulong start, ulong end) => FirstOverlap(start, end) is not null;

    /// <summary>Some lock that overlaps [start, end], or null.</summary>
    public readonly LdlmLock? FirstOverlap(ulong start, ulong end)
    {
        var node = _root;
        while (node is not null && node.TreeMaxEnd >= start)
        {
            if (node.TreeLeft is { } left && left.TreeMaxEnd >= start)
            {
                // An overlap is in the left subtree, or nowhere: a left node that ends behind `start` without overlapping
                // starts behind `end`, and so does everything to its right.
                node = left;
                continue;
            }
            if (node.Policy.Start > end)
                return null;
            if (node.Policy.End >= start)
                return node;
            node = node.TreeRight;
        }
        return null;
    }

    /// <summary>Shows the visitor every lock that overlaps [start, end], lowest start first. False when it stopped early.</summary>
    public readonly bool Visit<TVisitor>(ulong start, ulong end, ref TVisitor visitor)
        where TVisitor : struct, IExtentVisitor => Visit(_root, start, end, ref visitor);

    /// <summary>The lowest start that lies behind <paramref name="offset"/>.</summary>
    public readonly bool TryStartBehind(ulong offset, out ulong start)
    {
        start = 0;
        var found = false;
        for (var node = _root; node is not null;)
        {
            if (node.Policy.Start <= offset)
            {
                node = node.TreeRight;
                continue;
            }
            start = node.Policy.Start;
            found = true;
            node = node.TreeLeft;
        }
        return found;
    }

    /// <summary>
    /// Of the locks that reach <paramref name="offset"/> or beyond, the one with the highest start that comes before
    /// <paramref name="before"/> in the order (null: no such limit).
    /// </summary>
    public readonly LdlmLock? LastReaching(ulong offset, LdlmLock? before) => LastReaching(_root, offset, before);

    private static uint NextPriority()
    {
        // xorshift; a lost update between threads only repeats a priority.
        var x = _seed;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        _seed = x;
        return x;
    }

    /// <summary>Total order: by start, then by handle, which is unique.</summary>
    private static bool Less(LdlmLock a, LdlmLock b) =>
        a.Policy.Start < b.Policy.Start || (a.Policy.Start == b.Policy.Start && a.Handle < b.Handle);

    private static void Update(LdlmLock node)
    {
        var end = node.Policy.End;
        if (node.TreeLeft is { } left && left.TreeMaxEnd > end)
            end = left.TreeMaxEnd;
        if (node.TreeRight is { } right && right.TreeMaxEnd > end)
            end = right.TreeMaxEnd;
        node.TreeMaxEnd = end;
    }

    private static LdlmLock Insert(LdlmLock? node, LdlmLock l)
    {
        if (node is null)
            return l;
        if (l.TreePriority > node.TreePriority)
        {
            Split(node, l, out l.TreeLeft, out l.TreeRight);
            Update(l);
            return l;
        }
        if (Less(l, node))
            node.TreeLeft = Insert(node.TreeLeft, l);
        else
            node.TreeRight = Insert(node.TreeRight, l);
        Update(node);
        return node;
    }

    private static void Split(LdlmLock? node, LdlmLock at, out LdlmLock? less, out LdlmLock? greater)
    {
        if (node is null)
        {
            less = greater = null;
            return;
        }
        if (Less(node, at))
        {
            Split(node.TreeRight, at, out var middle, out greater);
            node.TreeRight = middle;
            less = node;
        }
        else
        {
            Split(node.TreeLeft, at, out less, out var middle);
            node.TreeLeft = middle;
            greater = node;
        }
        Update(node);
    }

    private static LdlmLock? Merge(LdlmLock? less, LdlmLock? greater)
    {
        if (less is null)
            return greater;
        if (greater is null)
            return less;
        if (less.TreePriority > greater.TreePriority)
        {
            less.TreeRight = Merge(less.TreeRight, greater);
            Update(less);
            return less;
        }
        greater.TreeLeft = Merge(less, greater.TreeLeft);
        Update(greater);
        return greater;
    }

    private static LdlmLock? Remove(LdlmLock? node, LdlmLock l)
    {
        if (node is null)
            throw new InvalidOperationException("The lock is not in this tree.");
        if (node == l)
            return Merge(node.TreeLeft, node.TreeRight);
        if (Less(l, node))
            node.TreeLeft = Remove(node.TreeLeft, l);
        else
            node.TreeRight = Remove(node.TreeRight, l);
        Update(node);
        return node;
    }

    private static bool Visit<TVisitor>(LdlmLock? node, ulong start, ulong end, ref TVisitor visitor)
        where TVisitor : struct, IExtentVisitor
    {
        while (node is not null && node.TreeMaxEnd >= start)
        {
            if (!Visit(node.TreeLeft, start, end, ref visitor))
                return false;
            if (node.Policy.Start > end)
                return true;
            if (node.Policy.End >= start && !visitor.Visit(node))
                return false;
            node = node.TreeRight;
        }
        return true;
    }

    private static LdlmLock? LastReaching(LdlmLock? node, ulong offset, LdlmLock? before)
    {
        while (node is not null && node.TreeMaxEnd >= offset)
        {
            if (before is not null && !Less(node, before))
            {
                node = node.TreeLeft;
                continue;
            }
            if (LastReaching(node.TreeRight, offset, before) is { } higher)
                return higher;
            if (node.Policy.End >= offset)
                return node;
            node = node.TreeLeft;
        }
        return null;
    }
}
