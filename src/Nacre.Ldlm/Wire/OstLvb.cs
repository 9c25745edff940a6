using System.Runtime.InteropServices;

namespace Nacre.Ldlm.Wire;

/// <summary>
/// <c>ost_lvb</c>, 56 bytes: the lock value block of an object. Clients without LVB_TYPE use the first 40 bytes.
/// Protocol reference 03 section 5.6.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct OstLvb
{
    public const int Size = 56;

    /// <summary>Size of the old form, without the nanoseconds.</summary>
    public const int SizeV1 = 40;

    private const ulong ErrorMark = 0xffbadbad_00000000;
    private const ulong ErrorBase = 0xffbadbad_80000000;

    /// <summary>Object size in bytes.</summary>
    public ulong ObjectSize;

    /// <summary>Signed seconds.</summary>
    public long MTime;
    public long ATime;
    public long CTime;

    /// <summary>512-byte blocks, or an error: <see cref="Error"/>.</summary>
    public ulong Blocks;
    public uint MTimeNs;
    public uint ATimeNs;
    public uint CTimeNs;
    public uint Padding;

    /// <summary>The negative errno that stands in <see cref="Blocks"/> instead of attributes, or 0.</summary>
    public readonly int Error =>
        (Blocks & ErrorMark) == ErrorMark ? unchecked((int)(long)(Blocks - ErrorBase)) : 0;

    /// <summary>Raises every field to that of <paramref name="other"/> where that is larger: 03 section 14.1, GL reply.</summary>
    public void MergeMaximum(in OstLvb other)
    {
        if (other.Error != 0)
            return;
        ObjectSize = Math.Max(ObjectSize, other.ObjectSize);
        Blocks = Math.Max(Blocks, other.Blocks);
        MTime = Math.Max(MTime, other.MTime);
        ATime = Math.Max(ATime, other.ATime);
        CTime = Math.Max(CTime, other.CTime);
    }

    /// <summary>Reads either form; a shorter buffer gives zeros for what is missing.</summary>
    public static OstLvb Read(ReadOnlySpan<byte> bytes)
    {
        var lvb = default(OstLvb);
        var target = MemoryMarshal.AsBytes(new Span<OstLvb>(ref lvb));
        bytes[..Math.Min(bytes.Length, Size)].CopyTo(target);
        return lvb;
    }
}
