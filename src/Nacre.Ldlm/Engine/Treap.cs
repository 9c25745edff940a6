namespace Nacre.Ldlm.Engine;

/// <summary>Where a kind of treap keeps its links in the nodes, how it orders them, and what a node knows of its subtree.</summary>
internal interface ITreapLinks<TNode>
    where TNode : class
{
    static abstract ref TNode? Left(TNode node);

    static abstract ref TNode? Right(TNode node);

    /// <summary>Random, fixed while the node is in the tree: <see cref="TreapPriority"/>.</summary>
    static abstract uint Priority(TNode node);

    /// <summary>A total order. Fixed while the nodes are in the tree.</summary>
    static abstract bool Less(TNode a, TNode b);

    /// <summary>Brings up to date what the node knows of its subtree; its children are.</summary>
    static abstract void Update(TNode node);
}

/// <summary>
/// A balanced search tree whose nodes are the things themselves: insert and remove take O(log n) and allocate nothing.
/// Searches are written by those who know what the nodes know of their subtrees.
/// </summary>
/// <remarks>A node is in at most one tree for each kind of links.</remarks>
internal struct Treap<TNode, TLinks>
    where TNode : class
    where TLinks : ITreapLinks<TNode>
{
    private TNode? _root;

    public readonly TNode? Root => _root;

    public int Count { get; private set; }

    public void Insert(TNode node)
    {
        TLinks.Update(node);
        _root = Insert(_root, node);
        Count++;
    }

    public void Remove(TNode node)
    {
        _root = Remove(_root, node);
        TLinks.Left(node) = TLinks.Right(node) = null;
        Count--;
    }

    private static TNode Insert(TNode? at, TNode node)
    {
        if (at is null)
            return node;
        if (TLinks.Priority(node) > TLinks.Priority(at))
        {
            Split(at, node, out TLinks.Left(node), out TLinks.Right(node));
            TLinks.Update(node);
            return node;
        }
        ref var side = ref TLinks.Less(node, at) ? ref TLinks.Left(at) : ref TLinks.Right(at);
        side = Insert(side, node);
        TLinks.Update(at);
        return at;
    }

    private static void Split(TNode? tree, TNode at, out TNode? less, out TNode? greater)
    {
        if (tree is null)
        {
            less = greater = null;
            return;
        }
        if (TLinks.Less(tree, at))
        {
            Split(TLinks.Right(tree), at, out var middle, out greater);
            TLinks.Right(tree) = middle;
            less = tree;
        }
        else
        {
            Split(TLinks.Left(tree), at, out less, out var middle);
            TLinks.Left(tree) = middle;
            greater = tree;
        }
        TLinks.Update(tree);
    }

    private static TNode? Merge(TNode? less, TNode? greater)
    {
        if (less is null)
            return greater;
        if (greater is null)
            return less;
        if (TLinks.Priority(less) > TLinks.Priority(greater))
        {
            TLinks.Right(less) = Merge(TLinks.Right(less), greater);
            TLinks.Update(less);
            return less;
        }
        TLinks.Left(greater) = Merge(less, TLinks.Left(greater));
        TLinks.Update(greater);
        return greater;
    }

    private static TNode? Remove(TNode? at, TNode node)
    {
        if (at is null)
            throw new InvalidOperationException("The lock is not in this tree.");
        if (at == node)
            return Merge(TLinks.Left(at), TLinks.Right(at));
        ref var side = ref TLinks.Less(node, at) ? ref TLinks.Left(at) : ref TLinks.Right(at);
        side = Remove(side, node);
        TLinks.Update(at);
        return at;
    }
}

/// <summary>Random numbers for treaps: what shape a tree has must not follow from what clients ask for.</summary>
internal static class TreapPriority
{
    private static uint _seed = (uint)Random.Shared.Next() | 1;

    public static uint Next()
    {
        // xorshift; a lost update between threads only repeats a priority.
        var x = _seed;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        _seed = x;
        return x;
    }
}
