using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary><c>lu_seq_range</c>: sequences [Start, End) and the target they belong to (04 section 13.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct LuSeqRange
{
    public const int Size = 24;

    public ulong Start;
    /// <summary>Exclusive.</summary>
    public ulong End;
    /// <summary>Target index.</summary>
    public uint Index;
    /// <summary>0 MDT, 1 OST, 3 any.</summary>
    public uint Flags;
}
