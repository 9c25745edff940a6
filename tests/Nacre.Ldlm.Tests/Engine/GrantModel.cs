using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Tests.Engine;

/// <summary>
/// The grant rules of IBITS, PLAIN and EXTENT in their plainest form: two lists and every pair compared. Written from 03
/// sections 3.3, 10, 12.1 and 13, and sharing nothing with the engine but the names of modes and bits.
/// </summary>
internal sealed class GrantModel(LockType type)
{
    private const ulong Eof = ulong.MaxValue;

    private static readonly string[] Matrix =
        ["00000100", "00001100", "00101100", "00011100", "01111100", "11111110", "00000110", "00000001"];

    public List<Entry> Granted { get; } = [];

    public List<Entry> Waiting { get; } = [];

    public Entry Enqueue(int owner, LockMode mode, ulong start, ulong end, bool expand = true, ulong gid = 0)
    {
        var l = new Entry { Owner = owner, Mode = mode, Start = start, End = end, Expand = expand, Gid = gid };
        if (mode == LockMode.Group && type == LockType.Extent)
            (l.Start, l.End) = (0, Eof);
        var sameGroup = mode == LockMode.Group && Granted.Exists(g => g.Mode == LockMode.Group && g.Gid == gid);
        var rivals = mode == LockMode.Group ? Waiting.Where(w => w.Mode == LockMode.Group) : Waiting;
        if (!Granted.Exists(g => Conflict(g, l)) && (sameGroup || !rivals.Any(w => Conflict(w, l))))
            Grant(l);
        else
            Queue(l);
        CallBack();
        return l;
    }

    public void Cancel(Entry l)
    {
        Granted.Remove(l);
        Waiting.Remove(l);
        l.Gone = true;
        Reprocess();
        CallBack();
    }

    /// <summary>LDLM_CONVERT: fewer bits, and the holder may be called back again.</summary>
    public void Convert(Entry l, ulong bits)
    {
        l.Start = bits;
        l.Calls = 0;
        l.CalledBack = false;
        Reprocess();
        CallBack();
    }

    private void Reprocess()
    {
        for (var i = 0; i < Waiting.Count; i++)
        {
            var w = Waiting[i];
            if (Granted.Exists(g => Conflict(g, w)) || Waiting.Take(i).Any(ahead => Conflict(ahead, w)))
                continue;
            Waiting.RemoveAt(i--);
            Grant(w);
        }
    }

    private void Queue(Entry l)
    {
        if (l.Mode != LockMode.Group)
        {
            Waiting.Add(l);
            return;
        }
        var groups = Waiting.TakeWhile(w => w.Mode == LockMode.Group).ToList();
        var last = groups.FindLastIndex(w => w.Gid == l.Gid);
        Waiting.Insert(last >= 0 ? last + 1 : groups.Count, l);
    }

    private void CallBack()
    {
        foreach (var g in Granted.Where(g => !g.CalledBack && g.Mode != LockMode.Group))
            if (Waiting.Exists(w => Conflict(g, w)))
            {
                g.CalledBack = true;
                g.Calls = 1;
            }
    }

    private void Grant(Entry l)
    {
        if (type == LockType.IBits)
        {
            var taken = Granted.Concat(Waiting).Where(o => o != l && !ModesFit(o, l))
                .Aggregate(0ul, (bits, o) => bits | o.Start | (Waiting.Contains(o) ? o.End : 0));
            l.Start |= l.End & ~taken;
            l.End = 0;
        }
        else if (type == LockType.Extent && l.Expand && l.Owner >= 0 && l.Mode != LockMode.Group)
        {
            (l.Start, l.End) = Expand(l);
        }
        Granted.Add(l);
    }

    private (ulong Start, ulong End) Expand(Entry l)
    {
        if (l is { Start: 0, End: Eof })
            return (0, Eof);
        ulong start = 0, end = Eof;
        var holders = Granted.Where(g => !ModesFit(g, l)).ToList();
        if (holders.Count > 0)
            start = l.Start;
        foreach (var g in holders.Where(g => g.Start > l.End))
            end = Math.Min(end, g.Start - 1);
        var longQueue = Waiting.Count > 64;
        if (longQueue)
            start = l.Start;
        foreach (var w in Waiting.Where(w => longQueue || !ModesFit(w, l) || w.Owner == l.Owner))
        {
            if (w.Start > l.End)
                end = Math.Min(end, w.Start - 1);
            else if (w.End < l.Start)
                start = Math.Max(start, w.End + 1);
        }
        if (holders.Count + Waiting.Count(w => longQueue || !ModesFit(w, l)) > 32 && l.Mode is LockMode.PW or LockMode.CW)
            end = Math.Min(end, Math.Max(l.End, l.Start + (32 << 20) - 1));

        var unit = 4096ul;
        while (unit < 1ul << 62 && l.Start % (2 * unit) == 0 && unchecked(l.End + 1) % (2 * unit) == 0)
            unit *= 2;
        start = Math.Min(l.Start, (start + unit - 1) / unit * unit);
        if (end != Eof)
            end = Math.Max(l.End, (end + 1) / unit * unit is var e && e > 0 ? e - 1 : 0);
        return (start, end);
    }

    private bool Conflict(Entry a, Entry b) => !ModesFit(a, b) && type switch
    {
        LockType.Plain => true,
        LockType.IBits => (a.Start & b.Start) != 0,
        _ => a.Start <= b.End && b.Start <= a.End,
    };

    private static bool ModesFit(Entry a, Entry b) =>
        Matrix[Bit(a.Mode)][Bit(b.Mode)] == '1' && !(a.Mode == LockMode.Group && b.Mode == LockMode.Group && a.Gid != b.Gid);

    private static int Bit(LockMode mode) => (int)Math.Log2((uint)mode);

    /// <summary>One lock. IBITS: Start is the bits, End the optional ones until the grant.</summary>
    internal sealed class Entry
    {
        public int Owner;
        public LockMode Mode;
        public ulong Start;
        public ulong End;
        public ulong Gid;
        public bool Expand;
        public bool CalledBack;
        public int Calls;
        public bool Gone;
    }
}
