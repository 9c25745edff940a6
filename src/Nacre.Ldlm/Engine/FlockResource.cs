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
/// The POSIX and BSD locks of one file: 03 section 15. Insert, remove and the search for a conflict take O(log n) of all
/// ranges: one client may have a million.
/// </summary>
internal sealed class FlockResource(in LdlmResId name) : LockResource(name, LockType.Flock)
{
    private readonly Dictionary<FlockHolder, FlockHolding> _holdings = [];
    private FlockTree _writers;
    private FlockTree _readers;
    private long _steps;

    /// <summary>Ranges that searches have looked at so far: what they cost.</summary>
    public long Steps => _steps;

    /// <summary>All granted PW ranges.</summary>
    public FlockRange? Writers => _writers.Root;

    /// <summary>Grants whose CP AST is not answered yet and may turn out to be for nobody: 03 section 15.4.</summary>
    public List<FlockUndo> Undos { get; } = [];

    public override bool ConflictsWithGranted(LdlmLock l) => FirstConflict(l) is not null;

    public override bool Conflict(LdlmLock a, LdlmLock b) =>
        ModesExclude(a, b) && a.Policy.Start <= b.Policy.End && b.Policy.Start <= a.Policy.End
        && FlockHolder.Of(a) != FlockHolder.Of(b);

    /// <summary>
    /// The lock of another holder that <paramref name="l"/> has to wait for: the PW one with the lowest start, or else such a
    /// PR one.
    /// </summary>
    public LdlmLock? FirstConflict(LdlmLock l)
    {
        ulong start = l.Policy.Start, end = l.Policy.End;
        var own = _holdings.GetValueOrDefault(FlockHolder.Of(l));
        FlockRange? first = null;
        if (!LockModes.Compatible(LockMode.PW, l.Mode))
            first = _writers.FirstOfOthers(start, end, own, ref _steps);
        if (first is null && !LockModes.Compatible(LockMode.PR, l.Mode))
            first = _readers.FirstOfOthers(start, end, own, ref _steps);
        return first?.Lock;
    }

    /// <summary>Everybody who holds ranges here, the holder of a request included.</summary>
    public Dictionary<FlockHolder, FlockHolding>.KeyCollection Holders => _holdings.Keys;

    /// <summary>The holder has a range that <paramref name="l"/> has to wait for.</summary>
    public bool Blocks(FlockHolder holder, LdlmLock l) =>
        holder != FlockHolder.Of(l) && !LockModes.Compatible(LockMode.PW, l.Mode) && _holdings.TryGetValue(holder, out var holding)
        && holding.Overlaps(l.Policy.Start, l.Policy.End, LockModes.Compatible(LockMode.PR, l.Mode), ref _steps);

    public override void Grant(LdlmLock l)
    {
        var holder = FlockHolder.Of(l);
        if (!_holdings.TryGetValue(holder, out var holding))
            _holdings[holder] = holding = new FlockHolding();
        l.Range = new FlockRange(l, holding);
        holding.Insert(l.Range);
        TreeOf(l.Mode).Insert(l.Range);
        GrantedCount++;
    }

    public override void RemoveGranted(LdlmLock l)
    {
        var range = l.Range!;
        TreeOf(l.Mode).Remove(range);
        range.Holding.Remove(range);
        if (range.Holding.IsEmpty)
            _holdings.Remove(FlockHolder.Of(l));
        l.Range = null;
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
        if (_holdings.TryGetValue(holder, out var holding))
            holding.Collect(start, end, into, ref _steps);
    }

    /// <summary>Nobody is called back for a flock.</summary>
    public override void CollectUncontended(LdlmLock waiter, List<LdlmLock> into)
    {
    }

    public override void MarkContended(LdlmLock l)
    {
    }

    private ref FlockTree TreeOf(LockMode mode)
    {
        if (mode == LockMode.PW)
            return ref _writers;
        return ref _readers;
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
