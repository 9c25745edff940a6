using System.Diagnostics;

namespace Nacre.Ldlm.Engine;

/// <summary>Looks at overlapping locks one by one, in the order of their starts.</summary>
internal interface IExtentVisitor
{
    /// <summary>False ends the visit.</summary>
    bool Visit(LdlmLock l);
}

/// <summary>
/// Locks ordered by the start of their range, each subtree with its largest end: a treap of the locks themselves. Insert, remove and the search for one overlap take O(log n), also for thousands of equal ranges.
/// </summary>
/// <remarks>A lock's range must not change while it is in a tree, and a lock is in at most one tree.</remarks>
internal struct ExtentTree
{
    private Treap<LdlmLock, Links> _tree;

    public readonly int Count => _tree.Count;

    public void Insert(LdlmLock l)
    {
        Debug.Assert(l.TreeLeft is null && l.TreeRight is null);
        l.TreePriority = TreapPriority.Next();
        _tree.Insert(l);
    }

    public void Remove(LdlmLock l) => _tree.Remove(l);

    public readonly bool Overlaps(ulong start, ulong end) => FirstOverlap(start, end) is not null;

    /// <summary>Some lock that overlaps [start, end], or null.</summary>
    public readonly LdlmLock? FirstOverlap(ulong start, ulong end)
    {
        var node = _tree.Root;
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
        where TVisitor : struct, IExtentVisitor => Visit(_tree.Root, start, end, ref visitor);

    /// <summary>The lowest start that lies behind <paramref name="offset"/>.</summary>
    public readonly bool TryStartBehind(ulong offset, out ulong start)
    {
        start = 0;
        var found = false;
        for (var node = _tree.Root; node is not null;)
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
    public readonly LdlmLock? LastReaching(ulong offset, LdlmLock? before) => LastReaching(_tree.Root, offset, before);

    /// <summary>Total order: by start, then by handle, which is unique.</summary>
    private static bool Less(LdlmLock a, LdlmLock b) =>
        a.Policy.Start < b.Policy.Start || (a.Policy.Start == b.Policy.Start && a.Handle < b.Handle);

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

    private readonly struct Links : ITreapLinks<LdlmLock>
    {
        public static ref LdlmLock? Left(LdlmLock node) => ref node.TreeLeft;

        public static ref LdlmLock? Right(LdlmLock node) => ref node.TreeRight;

        public static uint Priority(LdlmLock node) => node.TreePriority;

        public static bool Less(LdlmLock a, LdlmLock b) => ExtentTree.Less(a, b);

        public static void Update(LdlmLock node)
        {
            var end = node.Policy.End;
            if (node.TreeLeft is { } left && left.TreeMaxEnd > end)
                end = left.TreeMaxEnd;
            if (node.TreeRight is { } right && right.TreeMaxEnd > end)
                end = right.TreeMaxEnd;
            node.TreeMaxEnd = end;
        }
    }
}
