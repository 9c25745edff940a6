using System.Numerics;

namespace Nacre.Client.Cache;

/// <summary>A set of the 256 pages of a block.</summary>
internal struct PageSet
{
    public const int Count = 256;

    private ulong _0;
    private ulong _1;
    private ulong _2;
    private ulong _3;

    public readonly bool IsEmpty => (_0 | _1 | _2 | _3) == 0;

    public readonly int PopCount =>
        BitOperations.PopCount(_0) + BitOperations.PopCount(_1) + BitOperations.PopCount(_2) + BitOperations.PopCount(_3);

    public readonly bool this[int page] => (Word(page >> 6) >> (page & 63) & 1) != 0;

    public static PageSet Range(int first, int count)
    {
        var set = default(PageSet);
        set.Add(first, count);
        return set;
    }

    public static PageSet operator &(in PageSet a, in PageSet b) =>
        new() { _0 = a._0 & b._0, _1 = a._1 & b._1, _2 = a._2 & b._2, _3 = a._3 & b._3 };

    public static PageSet operator |(in PageSet a, in PageSet b) =>
        new() { _0 = a._0 | b._0, _1 = a._1 | b._1, _2 = a._2 | b._2, _3 = a._3 | b._3 };

    public void Add(int first, int count)
    {
        _0 |= Mask(first, count, 0);
        _1 |= Mask(first, count, 1);
        _2 |= Mask(first, count, 2);
        _3 |= Mask(first, count, 3);
    }

    public void Remove(int first, int count)
    {
        _0 &= ~Mask(first, count, 0);
        _1 &= ~Mask(first, count, 1);
        _2 &= ~Mask(first, count, 2);
        _3 &= ~Mask(first, count, 3);
    }

    public readonly bool HasAll(int first, int count) =>
        (Mask(first, count, 0) & ~_0) == 0 && (Mask(first, count, 1) & ~_1) == 0
        && (Mask(first, count, 2) & ~_2) == 0 && (Mask(first, count, 3) & ~_3) == 0;

    public readonly bool HasAny(int first, int count) =>
        ((Mask(first, count, 0) & _0) | (Mask(first, count, 1) & _1) | (Mask(first, count, 2) & _2) | (Mask(first, count, 3) & _3)) != 0;

    /// <summary>First page of the set at or behind <paramref name="from"/>; <see cref="Count"/> when there is none.</summary>
    public readonly int Next(int from)
    {
        for (var word = from >> 6; word < 4; word++)
        {
            var bits = Word(word);
            if (word == from >> 6)
            {
                bits &= ulong.MaxValue << (from & 63);
            }

            if (bits != 0)
            {
                return (word << 6) + BitOperations.TrailingZeroCount(bits);
            }
        }

        return Count;
    }

    /// <summary>First page outside of the set at or behind <paramref name="from"/>; <see cref="Count"/> when there is none.</summary>
    public readonly int NextAbsent(int from)
    {
        PageSet rest = new() { _0 = ~_0, _1 = ~_1, _2 = ~_2, _3 = ~_3 };
        return rest.Next(from);
    }

    private readonly ulong Word(int index) => index switch { 0 => _0, 1 => _1, 2 => _2, _ => _3 };

    private static ulong Mask(int first, int count, int word)
    {
        var low = Math.Clamp(first - (word << 6), 0, 64);
        var high = Math.Clamp(first + count - (word << 6), 0, 64);
        return Below(high) & ~Below(low);
    }

    private static ulong Below(int bits) => bits == 64 ? ulong.MaxValue : (1UL << bits) - 1;
}
