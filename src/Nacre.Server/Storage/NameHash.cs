using System.Buffers.Binary;
using System.Numerics;

namespace Nacre.Server.Storage;

/// <summary>
/// Position of a name in its directory: SipHash-2-4 under a secret key of the file system, so that nobody can choose names
/// that collide. A cookie is 47 bits of hash above 16 bits that tell apart names of equal hash; see
/// <see cref="MetadataStore"/> for how those are given out.
/// </summary>
internal readonly struct NameHash
{
    /// <summary>Names of equal hash one directory can hold.</summary>
    public const int Slots = 1 << SlotBits;

    public const int KeyLength = 16;
    public const int MaxBits = 47;
    private const int SlotBits = 16;

    private readonly ulong _key0, _key1;
    private readonly int _bits;

    /// <param name="key">16 secret bytes.</param>
    /// <param name="bits">Hash bits that count, 1 to 47; fewer only to test collisions.</param>
    public NameHash(ReadOnlySpan<byte> key, int bits)
    {
        _key0 = BinaryPrimitives.ReadUInt64LittleEndian(key);
        _key1 = BinaryPrimitives.ReadUInt64LittleEndian(key[8..]);
        _bits = bits;
    }

    /// <summary>Smallest cookie a name of this hash can have; the largest is <c>+ Slots - 1</c>. Never below 2 (the cookies of
    /// "." and ".."), never near 2^63 - 1 (the client's end mark).</summary>
    public long FirstCookie(ReadOnlySpan<byte> name)
    {
        // The bits that count are the upper ones, so that cookies spread over the whole range and differ in their upper half.
        long hash = (long)(SipHash(name) >> (64 - _bits)) << (MaxBits - _bits);
        const long Last = (1L << MaxBits) - 1;
        return Math.Clamp(hash, 1, Last - 1) << SlotBits;
    }

    /// <summary>SipHash-2-4, 64 bits.</summary>
    internal ulong SipHash(ReadOnlySpan<byte> data)
    {
        ulong v0 = _key0 ^ 0x736f6d6570736575, v1 = _key1 ^ 0x646f72616e646f6d;
        ulong v2 = _key0 ^ 0x6c7967656e657261, v3 = _key1 ^ 0x7465646279746573;
        ulong last = (ulong)data.Length << 56;
        while (data.Length >= 8)
        {
            Absorb(ref v0, ref v1, ref v2, ref v3, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[8..];
        }
        for (int i = 0; i < data.Length; i++)
        {
            last |= (ulong)data[i] << (8 * i);
        }
        Absorb(ref v0, ref v1, ref v2, ref v3, last);
        v2 ^= 0xff;
        for (int i = 0; i < 4; i++)
        {
            Round(ref v0, ref v1, ref v2, ref v3);
        }
        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static void Absorb(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3, ulong word)
    {
        v3 ^= word;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= word;
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
