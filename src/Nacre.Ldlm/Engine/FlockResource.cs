using Nacre.Ldlm.Wire;
using Nacre.LNet;

namespace Nacre.Ldlm.Engine;

/// <summary>Who holds a flock: locks of one holder never conflict. 03 section 15.1.</summary>
internal readonly record struct FlockHolder(LockOwner Owner, ulong Id)
{
    public static FlockHolder Of(LdlmLock l) => new(l.Owner!, l.Policy.FlockOwner);

    /// <summary>The holder across all exports of its node: what deadlock detection compares.</summary>
    public FlockNode Node => new(Owner.Client.Node, Id);
}

internal readonly record struct FlockNode(Nid Node, ulong Id);

/// <summary>
/// The POSIX and BSD locks of one file: 03 section 15. The ranges of one holder are disjoint and, where the modes are
/// equal, not adjacent.
/// </summary>
internal sealed class FlockResource(in LdlmResId name) : LockResource(name, LockType.Flock)
{
    // The ranges of each holder, by start.
    private readonly Dictionary<FlockHolder, List<LdlmLock>> _holders = [];
    private ExtentTree _writers;
    private ExtentTree _readers;

    /// <summary>Grants whose CP AST is not answered yet and may turn out to be for nobody: 03 section 15.4.</summary>
    public List<FlockUndo> Undos { get; } = [];

    public override bool ConflictsWithGranted(LdlmLock l) => FirstConflict(l) is not null;

    public override bool Conflict(LdlmLock a, LdlmLock b) =>
        ModesExclude(a, b) && a.Policy.Start <= b.Policy.End && b.Policy.Start <= a.Policy.End
        && FlockHolder.Of(a) != FlockHolder.Of(b);

    /// <summary>The lock of another holder that <paramref name="l"/> has to wait for; the one with the lowest start.</summary>
    public LdlmLock? FirstConflict(LdlmLock l)
    {
        var search = new FirstOfOthers { Holder = FlockHolder.Of(l) };
        VisitExcluded(l, ref search);
        return search.Found;
    }

    /// <summary>Shows all granted locks that overlap <paramref name="l"/> in a mode that excludes it, own ones included.</summary>
    public void VisitExcluded<TVisitor>(LdlmLock l, ref TVisitor visitor)
        where TVisitor : struct, IExtentVisitor
    {
        if (!LockModes.Compatible(LockMode.PW, l.Mode) && !_writers.Visit(l.Policy.Start, l.Policy.End, ref visitor))
            return;
        if (!LockModes.Compatible(LockMode.PR, l.Mode))
            _readers.Visit(l.Policy.Start, l.Policy.End, ref visitor);
    }

    public override void Grant(LdlmLock l)
    {
        TreeOf(l.Mode).Insert(l);
        var holder = FlockHolder.Of(l);
        if (!_holders.TryGetValue(holder, out var ranges))
            _holders[holder] = ranges = [];
        ranges.Insert(FirstReaching(ranges, l.Policy.Start), l);
        GrantedCount++;
    }

    public override void RemoveGranted(LdlmLock l)
    {
        TreeOf(l.Mode).Remove(l);
        var holder = FlockHolder.Of(l);
        var ranges = _holders[holder];
        if (ranges.Count == 1)
            _holders.Remove(holder);
        else
            ranges.RemoveAt(FirstReaching(ranges, l.Policy.Start));
        GrantedCount--;
    }

    /// <summary>Changes the range of a granted lock.</summary>
    public void Resize(LdlmLock l, ulong start, ulong end)
    {
        RemoveGranted(l);
        l.Policy.Start = start;
        l.Policy.End = end;
        Grant(l);
    }

    /// <summary>Adds the holder's locks that overlap [start, end] to <paramref name="into"/>, by start.</summary>
    public void CollectOwn(FlockHolder holder, ulong start, ulong end, List<LdlmLock> into)
    {
        if (!_holders.TryGetValue(holder, out var ranges))
            return;
        for (var i = FirstReaching(ranges, start); i < ranges.Count && ranges[i].Policy.Start <= end; i++)
            into.Add(ranges[i]);
    }

    /// <summary>Nobody is called back for a flock.</summary>
    public override void CollectUncontended(LdlmLock waiter, List<LdlmLock> into)
    {
    }

    public override void MarkContended(LdlmLock l)
    {
    }

    private ref ExtentTree TreeOf(LockMode mode)
    {
        if (mode == LockMode.PW)
            return ref _writers;
        return ref _readers;
    }

    /// <summary>Index of the first range that ends at or behind the offset.</summary>
    private static int FirstReaching(List<LdlmLock> ranges, ulong offset)
    {
        int low = 0, high = ranges.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (ranges[middle].Policy.End < offset)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private struct FirstOfOthers : IExtentVisitor
    {
        public FlockHolder Holder;
        public LdlmLock? Found;

        public bool Visit(LdlmLock l)
        {
            if (FlockHolder.Of(l) == Holder)
                return true;
            Found = l;
            return false;
        }
    }
}

/// <summary>
/// What a holder had before a waiting request of it was granted. A client whose process was interrupted answers the CP AST
/// with EINVAL and has forgotten the request: the range goes back to what it was, except where the holder did something
/// else meanwhile.
/// </summary>
internal sealed class FlockUndo(FlockHolder holder)
{
    public FlockHolder Holder { get; } = holder;

    /// <summary>Disjoint ranges with the mode before the grant; NL for nothing.</summary>
    public List<(ulong Start, ulong End, LockMode Mode)> Pieces { get; } = [];

    /// <summary>The holder has changed [start, end] itself: it stays as it is.</summary>
    public void Forget(ulong start, ulong end)
    {
        for (var i = Pieces.Count - 1; i >= 0; i--)
        {
            var piece = Pieces[i];
            if (piece.Start > end || piece.End < start)
                continue;
            Pieces.RemoveAt(i);
            if (piece.Start < start)
                Pieces.Add((piece.Start, start - 1, piece.Mode));
            if (piece.End > end)
                Pieces.Add((end + 1, piece.End, piece.Mode));
        }
    }
}
