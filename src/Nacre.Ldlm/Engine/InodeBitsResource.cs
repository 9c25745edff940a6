using System.Numerics;
using System.Runtime.CompilerServices;
using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>
/// An IBITS or PLAIN resource: 03 sections 11 and 12.1. A PLAIN lock counts as one with a single bit.
/// </summary>
/// <remarks>For each mode that occurs, the number of granted locks with each bit: conflicts are found without walking locks.</remarks>
internal sealed class InodeBitsResource(in LdlmResId name, LockType type) : LockResource(name, type)
{
    private const int BitCount = 7;

    // At most one entry a mode; usually one or two.
    private Group[] _groups = [];
    private int _groupCount;

    // By mode, while someone waits.
    private WaitingCounts[]? _waiting;

    /// <summary>The bits that decide about conflicts.</summary>
    public static ulong BitsOf(LdlmLock l) => l.Resource.Type == LockType.Plain ? 1 : (ulong)l.Policy.Bits;

    public override bool ConflictsWithGranted(LdlmLock l) => (ExcludedBits(l) & BitsOf(l)) != 0;

    public override bool Conflict(LdlmLock a, LdlmLock b) => ModesExclude(a, b) && (BitsOf(a) & BitsOf(b)) != 0;

    public override bool HasGrantedGroup(ulong gid)
    {
        for (var i = 0; i < _groupCount; i++)
            if (_groups[i].Mode == LockMode.Group)
                return _groups[i].First is { } holder && holder.Policy.IBitsGid == gid;
        return false;
    }

    public override void Grant(LdlmLock l)
    {
        if (Type == LockType.IBits)
        {
            l.Policy.Bits |= l.Policy.TryBits & ~TakenBits(l);
            l.Policy.TryBits = InodeBits.None; // from now on the bits a blocker wants
        }
        AddGranted(l);
    }

    /// <summary>Bits of <paramref name="l"/>'s optional ones that an incompatible lock holds, wants, or would like: 03 section 12.1.</summary>
    public InodeBits TakenBits(LdlmLock l)
    {
        if (l.Policy.TryBits == InodeBits.None)
            return InodeBits.None;
        return (InodeBits)(ExcludedBits(l) | WaitingBits(l, withOptional: true));
    }

    /// <summary>
    /// Bits that waiting requests of modes which exclude that of <paramref name="l"/> ask for; of GROUP requests those of
    /// any group count.
    /// </summary>
    public ulong WaitingBits(LdlmLock l, bool withOptional)
    {
        if (_waiting is null)
            return 0;
        ulong bits = 0;
        for (var modes = LockModes.ConflictSet(l.Mode) & Waiting!.Modes; modes != 0; modes &= modes - 1)
        {
            ref var counts = ref _waiting[BitOperations.TrailingZeroCount(modes)];
            bits |= counts.Mandatory.Mask | (withOptional ? counts.Optional.Mask : 0);
        }
        return bits;
    }

    public override bool HasConflictingWaiter(LdlmLock l) => Waiting is not null
        && ((WaitingBits(l, withOptional: false) & BitsOf(l)) != 0 || (l.Mode == LockMode.Group && OtherGroupWaits(l)));

    protected override void OnWaiting(LdlmLock l)
    {
        _waiting ??= new WaitingCounts[LockModes.Count];
        ref var counts = ref _waiting[LockModes.Index(l.Mode)];
        counts.Mandatory.Add(BitsOf(l));
        counts.Optional.Add((ulong)l.Policy.TryBits);
    }

    protected override void OnNotWaiting(LdlmLock l)
    {
        ref var counts = ref _waiting![LockModes.Index(l.Mode)];
        counts.Mandatory.Subtract(BitsOf(l));
        counts.Optional.Subtract((ulong)l.Policy.TryBits);
        if (Waiting is null)
            _waiting = null;
    }

    /// <summary>Drops bits from a granted lock, which becomes uncontended: LDLM_CONVERT.</summary>
    public void ReduceBits(LdlmLock l, InodeBits kept)
    {
        RemoveGranted(l);
        l.Policy.Bits = kept;
        l.Policy.CancelBits = InodeBits.None;
        l.Clear(LockMarks.AstSent | LockMarks.Discard);
        AddGranted(l);
    }

    public override void RemoveGranted(LdlmLock l)
    {
        ref var group = ref GroupOf(l.Mode);
        if (l.IsContended)
            group.Contended.Subtract(BitsOf(l));
        else
            group.Unlink(l);
        GrantedCount--;
    }

    public override void MarkContended(LdlmLock l)
    {
        ref var group = ref GroupOf(l.Mode);
        group.Unlink(l);
        group.Contended.Add(BitsOf(l));
    }

    public override void CollectUncontended(LdlmLock waiter, List<LdlmLock> into)
    {
        var bits = BitsOf(waiter);
        var excluded = LockModes.ConflictSet(waiter.Mode);
        for (var i = 0; i < _groupCount; i++)
        {
            ref var group = ref _groups[i];
            if ((excluded & (uint)group.Mode) == 0 || group.Mode == LockMode.Group || (group.Uncontended.Mask & bits) == 0)
                continue;
            for (var l = group.First; l is not null; l = l.Next)
                if ((BitsOf(l) & bits) != 0)
                    into.Add(l);
        }
    }

    private void AddGranted(LdlmLock l)
    {
        GroupOf(l.Mode).Link(l);
        GrantedCount++;
    }

    /// <summary>Bits that are held in a mode which excludes that of <paramref name="l"/>.</summary>
    private ulong ExcludedBits(LdlmLock l)
    {
        var excluded = LockModes.ConflictSet(l.Mode);
        ulong bits = 0;
        for (var i = 0; i < _groupCount; i++)
        {
            ref var group = ref _groups[i];
            if ((excluded & (uint)group.Mode) != 0 || IsOtherGroup(l, group))
                bits |= group.Uncontended.Mask | group.Contended.Mask;
        }
        return bits;
    }

    // All GROUP locks granted at one time have one gid, as they exclude each other otherwise.
    private static bool IsOtherGroup(LdlmLock l, in Group group) =>
        l.Mode == LockMode.Group && group.Mode == LockMode.Group && group.First is { } held && held.Policy.Gid != l.Policy.Gid;

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
        public LdlmLock? First;
        public BitCounts Uncontended;
        public BitCounts Contended;

        public void Link(LdlmLock l)
        {
            l.Next = First;
            if (First is not null)
                First.Previous = l;
            First = l;
            Uncontended.Add(BitsOf(l));
        }

        public void Unlink(LdlmLock l)
        {
            if (l.Previous is null)
                First = l.Next;
            else
                l.Previous.Next = l.Next;
            if (l.Next is not null)
                l.Next.Previous = l.Previous;
            l.Previous = l.Next = null;
            Uncontended.Subtract(BitsOf(l));
        }
    }

    /// <summary>What the waiting requests of one mode ask for.</summary>
    private struct WaitingCounts
    {
        public BitCounts Mandatory;
        public BitCounts Optional;
    }

    /// <summary>How many locks have each bit, and which bits occur at all.</summary>
    private struct BitCounts
    {
        private Counts _counts;

        public ulong Mask;

        public void Add(ulong bits)
        {
            Mask |= bits;
            for (; bits != 0; bits &= bits - 1)
                _counts[BitOperations.TrailingZeroCount(bits)]++;
        }

        public void Subtract(ulong bits)
        {
            for (; bits != 0; bits &= bits - 1)
                if (--_counts[BitOperations.TrailingZeroCount(bits)] == 0)
                    Mask &= ~(bits & (~bits + 1));
        }

        [InlineArray(BitCount)]
        private struct Counts
        {
            private int _first;
        }
    }
}
