using Nacre.PtlRpc.Wire;
using Nacre.Server.Ost;

namespace Nacre.Server.Mdt.Layouts;

/// <summary>
/// Chooses the OSTs of new objects: round robin weighted by free space. Each target has a credit that grows by its share
/// of the free space with every object placed anywhere and drops by one with every object placed on it; the targets with
/// the largest credit are next. With equal space that is plain round robin; an emptier target is chosen more often in
/// proportion, and no target is forgotten. Inactive and full targets are passed over.
/// </summary>
/// <remarks>Thread-safe. Free space is read at most once a second for each target.</remarks>
public sealed class ObjectAllocator(TimeProvider time)
{
    /// <summary>Targets with less free space (bytes) get no new objects.</summary>
    public const long FullBelow = 4L << 20;

    private static readonly TimeSpan SpaceAge = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly List<Target> _targets = [];
    private long _spaceReadAt;
    private bool _spaceKnown;

    /// <summary>Adds a target; OSTs may be added while files are being made.</summary>
    public void Add(IObjectTarget target)
    {
        lock (_lock)
        {
            _targets.RemoveAll(t => t.Ost.Index == target.Index);
            _targets.Add(new Target(target));
            _targets.Sort((a, b) => a.Ost.Index.CompareTo(b.Ost.Index));
            _spaceKnown = false;
        }
    }

    /// <summary>Whether an OST of this index is configured, active or not.</summary>
    public bool Exists(int index)
    {
        lock (_lock)
            return Find(index) != null;
    }

    public IObjectTarget? Get(int index)
    {
        lock (_lock)
            return Find(index)?.Ost;
    }

    /// <summary>All configured targets, by index.</summary>
    public IObjectTarget[] Targets()
    {
        lock (_lock)
            return [.. _targets.Select(t => t.Ost)];
    }

    /// <summary>
    /// The OST indexes for <paramref name="count"/> stripes, fewer if fewer targets can take one.
    /// Throws ENOSPC when none can.
    /// </summary>
    /// <param name="count">Stripes; <see cref="Lov.Any"/> = one on each target.</param>
    /// <param name="first">Index of the first, the others follow in order; <see cref="Lov.Any"/> = by free space.</param>
    public int[] Choose(int count, int first = Lov.Any)
    {
        lock (_lock)
        {
            RefreshSpace();
            var usable = _targets.FindAll(t => t.Usable);
            if (usable.Count == 0)
                throw new FsException(Errno.ENOSPC);
            count = Math.Clamp(count, 1, usable.Count);
            return first == Lov.Any ? ChooseBySpace(usable, count) : ChooseFrom(usable, first, count);
        }
    }

    /// <summary>Checks an explicit list of targets (<c>lfs setstripe -o</c>): ENOSPC if one of them cannot take an object.</summary>
    public void CheckUsable(ReadOnlySpan<int> indexes)
    {
        lock (_lock)
        {
            RefreshSpace();
            foreach (int index in indexes)
            {
                if (Find(index) is not { Usable: true })
                    throw new FsException(Errno.ENOSPC);
            }
        }
    }

    private static int[] ChooseBySpace(List<Target> usable, int count)
    {
        double total = 0;
        foreach (var target in usable)
            total += target.Free;
        foreach (var target in usable)
            target.Credit += count * (target.Free / total);
        usable.Sort(static (a, b) => b.Credit != a.Credit ? b.Credit.CompareTo(a.Credit) : a.Ost.Index.CompareTo(b.Ost.Index));
        var chosen = new int[count];
        for (int i = 0; i < count; i++)
        {
            usable[i].Credit -= 1;
            chosen[i] = usable[i].Ost.Index;
        }
        return chosen;
    }

    private static int[] ChooseFrom(List<Target> usable, int first, int count)
    {
        int at = usable.FindIndex(t => t.Ost.Index >= first);
        if (at < 0)
            at = 0;
        var chosen = new int[count];
        for (int i = 0; i < count; i++)
            chosen[i] = usable[(at + i) % usable.Count].Ost.Index;
        return chosen;
    }

    private void RefreshSpace()
    {
        if (_spaceKnown && time.GetElapsedTime(_spaceReadAt) < SpaceAge)
            return;
        foreach (var target in _targets)
            target.Refresh();
        _spaceReadAt = time.GetTimestamp();
        _spaceKnown = true;
    }

    private Target? Find(int index) => _targets.Find(t => t.Ost.Index == index);

    private sealed class Target(IObjectTarget ost)
    {
        public IObjectTarget Ost { get; } = ost;
        public double Credit;
        public long Free;
        public bool Usable;

        public void Refresh()
        {
            Free = Ost.Active ? Ost.Space().Available : 0;
            Usable = Ost.Active && Free >= FullBelow;
        }
    }
}
