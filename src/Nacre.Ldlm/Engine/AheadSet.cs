using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>
/// What the requests at the front of a queue keep from those behind them, gathered during one walk over the queue: first
/// come, first served among requests that conflict (03 section 10.4).
/// </summary>
internal abstract class AheadSet
{
    /// <summary>Modes that no request behind can have granted any more, whatever it asks for.</summary>
    private uint _closedModes;

    public abstract bool Blocks(LdlmLock l);

    public void Add(LdlmLock l)
    {
        AddPolicy(l);
        if (CoversEverything(l))
            _closedModes |= LockModes.ConflictSet(l.Mode);
    }

    /// <summary>Nothing else in the queue can pass: the walk may end.</summary>
    public bool BlocksAll(WaitingList queue) => (queue.Modes & ~_closedModes) == 0;

    public virtual void Clear() => _closedModes = 0;

    protected abstract void AddPolicy(LdlmLock l);

    protected abstract bool CoversEverything(LdlmLock l);
}

/// <summary>For IBITS and PLAIN.</summary>
internal sealed class BitsAhead : AheadSet
{
    private readonly ulong[] _bits = new ulong[LockModes.Count];
    private ulong _groupGid;
    private bool _severalGroups;

    public override void Clear()
    {
        base.Clear();
        Array.Clear(_bits);
        _severalGroups = false;
    }

    public override bool Blocks(LdlmLock l)
    {
        var wanted = InodeBitsResource.BitsOf(l);
        for (var modes = LockModes.ConflictSet(l.Mode); modes != 0; modes &= modes - 1)
            if ((_bits[System.Numerics.BitOperations.TrailingZeroCount(modes)] & wanted) != 0)
                return true;
        return l.Mode == LockMode.Group && _bits[LockModes.Index(LockMode.Group)] != 0
            && (_severalGroups || _groupGid != l.Policy.Gid);
    }

    protected override void AddPolicy(LdlmLock l)
    {
        var index = LockModes.Index(l.Mode);
        if (l.Mode == LockMode.Group)
        {
            _severalGroups |= _bits[index] != 0 && _groupGid != l.Policy.Gid;
            _groupGid = l.Policy.Gid;
        }
        _bits[index] |= InodeBitsResource.BitsOf(l);
    }

    protected override bool CoversEverything(LdlmLock l) =>
        l.Resource.Type == LockType.Plain || (l.Policy.Bits & InodeBits.All) == InodeBits.All;
}

/// <summary>For EXTENT: the union of the ranges asked for, by mode.</summary>
internal sealed class ExtentsAhead : AheadSet
{
    private readonly RangeUnion[] _ranges = new RangeUnion[LockModes.Count];
    private ulong _groupGid;
    private bool _groupWaits;
    private bool _severalGroups;

    public ExtentsAhead()
    {
        for (var i = 0; i < _ranges.Length; i++)
            _ranges[i] = new RangeUnion();
    }

    public override void Clear()
    {
        base.Clear();
        foreach (var union in _ranges)
            union.Clear();
        _groupWaits = _severalGroups = false;
    }

    public override bool Blocks(LdlmLock l)
    {
        for (var modes = LockModes.ConflictSet(l.Mode); modes != 0; modes &= modes - 1)
            if (_ranges[System.Numerics.BitOperations.TrailingZeroCount(modes)].Overlaps(l.Policy.Start, l.Policy.End))
                return true;
        return l.Mode == LockMode.Group && _groupWaits && (_severalGroups || _groupGid != l.Policy.Gid);
    }

    protected override void AddPolicy(LdlmLock l)
    {
        if (l.Mode == LockMode.Group)
        {
            _severalGroups |= _groupWaits && _groupGid != l.Policy.Gid;
            _groupGid = l.Policy.Gid;
            _groupWaits = true;
        }
        _ranges[LockModes.Index(l.Mode)].Add(l.Policy.Start, l.Policy.End);
    }

    protected override bool CoversEverything(LdlmLock l) => l.Policy is { Start: 0, End: LdlmPolicy.EndOfFile };
}

/// <summary>A set of offsets as sorted, disjoint, inclusive ranges.</summary>
internal sealed class RangeUnion
{
    private readonly List<(ulong Start, ulong End)> _ranges = [];

    public void Clear() => _ranges.Clear();

    public bool Overlaps(ulong start, ulong end)
    {
        var i = FirstEndingAtOrBehind(start);
        return i < _ranges.Count && _ranges[i].Start <= end;
    }

    public void Add(ulong start, ulong end)
    {
        var first = FirstEndingAtOrBehind(start);
        var last = first;
        while (last < _ranges.Count && _ranges[last].Start <= end)
            last++;
        if (last > first)
        {
            start = Math.Min(start, _ranges[first].Start);
            end = Math.Max(end, _ranges[last - 1].End);
            _ranges.RemoveRange(first, last - first);
        }
        _ranges.Insert(first, (start, end));
    }

    private int FirstEndingAtOrBehind(ulong offset)
    {
        int low = 0, high = _ranges.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_ranges[middle].End < offset)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
