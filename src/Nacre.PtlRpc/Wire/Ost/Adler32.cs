using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nacre.PtlRpc.Wire;

/// <summary>Adler-32 (RFC 1950): low half the sum of the bytes plus 1, high half the sum of those sums, both modulo 65521.</summary>
internal static class Adler32
{
    public const uint Initial = 1;
    private const uint Modulus = 65521;

    /// <summary>Most bytes before the 32-bit sums must be reduced (5552), rounded down to whole vectors.</summary>
    private const int Block = 5552 / 32 * 32;

    public static uint Append(uint state, ReadOnlySpan<byte> data)
    {
        uint low = state & 0xFFFF, high = state >> 16;
        while (data.Length > 0)
        {
            var block = data[..Math.Min(Block, data.Length)];
            data = data[block.Length..];
            if (Avx2.IsSupported) block = AppendVectors(block, ref low, ref high);
            foreach (byte value in block)
            {
                low += value;
                high += low;
            }
            low %= Modulus;
            high %= Modulus;
        }
        return high << 16 | low;
    }

    /// <summary>
    /// Sums the whole 32-byte vectors of <paramref name="block"/> and returns its tail. In a vector, byte k is contained in
    /// 32 - k of the running sums, and every earlier sum in all 32.
    /// </summary>
    private static ReadOnlySpan<byte> AppendVectors(ReadOnlySpan<byte> block, scoped ref uint low, scoped ref uint high)
    {
        var vectors = MemoryMarshal.Cast<byte, Vector256<byte>>(block);
        var weights = Vector256.Create((sbyte)32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17,
            16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
        var sums = Vector256<uint>.Zero;        // bytes so far
        var earlier = Vector256<uint>.Zero;     // sum of `sums` before each vector
        var weighted = Vector256<int>.Zero;
        foreach (var vector in vectors)
        {
            earlier += sums;
            sums += Avx2.SumAbsoluteDifferences(vector, Vector256<byte>.Zero).AsUInt32();
            weighted += Avx2.MultiplyAddAdjacent(Avx2.MultiplyAddAdjacent(vector, weights), Vector256<short>.One);
        }
        high += low * 32 * (uint)vectors.Length + Vector256.Sum(earlier) * 32 + (uint)Vector256.Sum(weighted);
        low += Vector256.Sum(sums);
        return block[(vectors.Length * 32)..];
    }
}
