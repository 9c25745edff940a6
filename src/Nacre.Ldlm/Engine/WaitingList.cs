using System.Runtime.CompilerServices;
using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Engine;

/// <summary>The ordered queue of requests that wait for one resource, linked through the locks.</summary>
internal sealed class WaitingList
{
    private ModeCounts _counts;

    public LdlmLock? First { get; private set; }

    public LdlmLock? Last { get; private set; }

    public int Count { get; private set; }

    /// <summary>The modes that occur in the list, as a set of mode bits.</summary>
    public uint Modes { get; private set; }

    public void Append(LdlmLock l) => InsertBefore(null, l);

    /// <summary>Inserts in front of <paramref name="at"/>; null appends.</summary>
    public void InsertBefore(LdlmLock? at, LdlmLock l)
    {
        l.Next = at;
        l.Previous = at is null ? Last : at.Previous;
        if (l.Previous is null)
            First = l;
        else
            l.Previous.Next = l;
        if (at is null)
            Last = l;
        else
            at.Previous = l;
        Count++;
        _counts[LockModes.Index(l.Mode)]++;
        Modes |= (uint)l.Mode;
    }

    public void Remove(LdlmLock l)
    {
        if (l.Previous is null)
            First = l.Next;
        else
            l.Previous.Next = l.Next;
        if (l.Next is null)
            Last = l.Previous;
        else
            l.Next.Previous = l.Previous;
        l.Previous = l.Next = null;
        Count--;
        if (--_counts[LockModes.Index(l.Mode)] == 0)
            Modes &= ~(uint)l.Mode;
    }

    [InlineArray(LockModes.Count)]
    private struct ModeCounts
    {
        private int _first;
    }
}
