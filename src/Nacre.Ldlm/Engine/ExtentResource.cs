using System.Numerics;
using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>An EXTENT resource: 03 section 13. For each mode that occurs, trees of the granted ranges.</summary>
internal sealed partial class ExtentResource(in LdlmResId name) : LockResource(name, LockType.Extent)
{
    private Group[] _groups = [];
    private int _groupCount;

    // Ranges of the waiting requests by mode, while someone waits.
    private ExtentTree[]? _waiting;

    public override bool ConflictsWithGranted(LdlmLock l)
    {
        for (var i = 0; i < _groupCount; i++)
        {
            ref var group = ref _groups[i];
            if (Excludes(group, l) && group.Overlaps(l.Policy.Start, l.Policy.End))
                return true;
        }
        return false;
    }

    public override bool Conflict(LdlmLock a, LdlmLock b) =>
        ModesExclude(a, b) && a.Policy.Start <= b.Policy.End && b.Policy.Start <= a.Policy.End;

    /// <summary>A GROUP lock, held or waiting, stands in the way: what BLOCK_NOWAIT fails on (03 section 13.3).</summary>
    public bool ConflictsWithGroup(LdlmLock l) =>
        (GroupHolder() is { } holder && ModesExclude(holder, l)) || OtherGroupWaits(l);

    public override bool HasGrantedGroup(ulong gid) => GroupHolder() is { } holder && holder.Policy.Gid == gid;

    public override LdlmLock? FirstConflictingWaiter(LdlmLock l)
    {
        if (_waiting is null)
            return null;
        for (var modes = LockModes.ConflictSet(l.Mode) & Waiting!.Modes; modes != 0; modes &= modes - 1)
            if (_waiting[BitOperations.TrailingZeroCount(modes)].FirstOverlap(l.Policy.Start, l.Policy.End) is { } waiter)
                return waiter;
        return l.Mode == LockMode.Group ? base.FirstConflictingWaiter(l) : null;
    }

    protected override void OnWaiting(LdlmLock l)
    {
        _waiting ??= new ExtentTree[LockModes.Count];
        _waiting[LockModes.Index(l.Mode)].Insert(l);
    }

    protected override void OnNotWaiting(LdlmLock l)
    {
        _waiting![LockModes.Index(l.Mode)].Remove(l);
        if (Waiting is null)
            _waiting = null;
    }

    public override void Grant(LdlmLock l)
    {
        (l.Policy.Start, l.Policy.End) = ChooseExtent(l);
        ref var group = ref GroupOf(l.Mode);
        group.Uncontended.Insert(l);
        group.Gid = l.Policy.Gid;
        GrantedCount++;
    }

    public override void RemoveGranted(LdlmLock l)
    {
        ref var group = ref GroupOf(l.Mode);
        if (l.IsContended)
            group.Contended.Remove(l);
        else
            group.Uncontended.Remove(l);
        GrantedCount--;
    }

    public override void MarkContended(LdlmLock l)
    {
        ref var group = ref GroupOf(l.Mode);
        group.Uncontended.Remove(l);
        group.Contended.Insert(l);
    }

    public override void CollectUncontended(LdlmLock waiter, List<LdlmLock> into)
    {
        var collector = new Collector(into);
        for (var i = 0; i < _groupCount; i++)
        {
            ref var group = ref _groups[i];
            if (group.Mode != LockMode.Group && Excludes(group, waiter))
                group.Uncontended.Visit(waiter.Policy.Start, waiter.Policy.End, ref collector);
        }
    }

    /// <summary>The contended locks that overlap the range: those whose callback timer I/O may restart.</summary>
    public void CollectContended(ulong start, ulong end, List<LdlmLock> into)
    {
        var collector = new Collector(into);
        for (var i = 0; i < _groupCount; i++)
            if (_groups[i].Contended.Count > 0)
                _groups[i].Contended.Visit(start, end, ref collector);
    }

    /// <summary>
    /// Whom to ask for a size beyond <paramref name="size"/> (03 section 14.2): of the granted locks other than PR that
    /// reach it, the one with the highest start, in the order before <paramref name="before"/>.
    /// </summary>
    public LdlmLock? GlimpseTarget(ulong size, LdlmLock? before)
    {
        LdlmLock? best = null;
        for (var i = 0; i < _groupCount; i++)
        {
            ref var group = ref _groups[i];
            if (group.Mode is LockMode.PR or LockMode.CR or LockMode.NL)
                continue;
            Prefer(ref best, group.Uncontended.LastReaching(size, before));
            Prefer(ref best, group.Contended.LastReaching(size, before));
        }
        return best;

        static void Prefer(ref LdlmLock? best, LdlmLock? candidate)
        {
            if (candidate is null)
                return;
            if (best is null || candidate.Policy.Start > best.Policy.Start
                || (candidate.Policy.Start == best.Policy.Start && candidate.Handle > best.Handle))
                best = candidate;
        }
    }

    private LdlmLock? GroupHolder()
    {
        for (var i = 0; i < _groupCount; i++)
            if (_groups[i].Mode == LockMode.Group)
                return _groups[i].Uncontended.FirstOverlap(0, LdlmPolicy.EndOfFile);
        return null;
    }

    /// <summary>The group's mode excludes that of the lock, wherever the extents lie.</summary>
    private static bool Excludes(in Group group, LdlmLock l) =>
        !LockModes.Compatible(group.Mode, l.Mode)
        || (group.Mode == LockMode.Group && l.Mode == LockMode.Group && group.Count > 0 && group.Gid != l.Policy.Gid);

    private ref Group GroupOf(LockMode mode)
    {
        for (var i = 0; i < _groupCount; i++)
            if (_groups[i].Mode == mode)
                return ref _groups[i];
        if (_groupCount == _groups.Length)
            Array.Resize(ref _groups, _groupCount == 0 ? 1 : LockModes.Count);
        _groups[_groupCount].Mode = mode;
        return ref _groups[_groupCount++];
    }

    /// <summary>The granted locks of one mode.</summary>
    private struct Group
    {
        public LockMode Mode;

        /// <summary>GROUP: the one gid of all holders.</summary>
        public ulong Gid;
        public ExtentTree Uncontended;
        public ExtentTree Contended;

        public readonly int Count => Uncontended.Count + Contended.Count;

        public readonly bool Overlaps(ulong start, ulong end) =>
            Uncontended.Overlaps(start, end) || Contended.Overlaps(start, end);
    }

    private readonly struct Collector(List<LdlmLock> into) : IExtentVisitor
    {
        public bool Visit(LdlmLock l)
        {
            into.Add(l);
            return true;
        }
    }
}
