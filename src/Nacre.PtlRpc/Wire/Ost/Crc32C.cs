using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Nacre.PtlRpc.Wire;

/// <summary>
/// Castagnoli CRC, reflected polynomial 0x82F63B78, without initial or final inversion. The processor's CRC instruction has a
/// latency of three cycles and a throughput of one, so three streams run at once over neighbouring lanes and are joined:
/// the CRC of A followed by B is the CRC of A moved over |B| zero bytes, XORed with the CRC of B begun at 0.
/// </summary>
internal static class Crc32C
{
    private const uint Polynomial = 0x82F6_3B78;
    private const int Lane = 2048;
    private static readonly uint[] LaneShift = MakeShift(Lane);

    /// <summary>Continues <paramref name="state"/> (start with all ones, invert at the end) over <paramref name="data"/>.</summary>
    public static uint Append(uint state, ReadOnlySpan<byte> data)
    {
        if (Sse42.X64.IsSupported)
        {
            while (data.Length >= 3 * Lane)
            {
                state = AppendLanes(state, data);
                data = data[(3 * Lane)..];
            }
        }
        return AppendSerial(state, data);
    }

    private static uint AppendLanes(uint state, ReadOnlySpan<byte> data)
    {
        ref byte start = ref MemoryMarshal.GetReference(data);
        ulong a = state, b = 0, c = 0;
        for (nint i = 0; i < Lane; i += sizeof(ulong))
        {
            a = Sse42.X64.Crc32(a, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i)));
            b = Sse42.X64.Crc32(b, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i + Lane)));
            c = Sse42.X64.Crc32(c, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i + 2 * Lane)));
        }
        uint ab = Shift((uint)a) ^ (uint)b;
        return Shift(ab) ^ (uint)c;
    }

    private static uint AppendSerial(uint state, ReadOnlySpan<byte> data)
    {
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(data))
            state = BitOperations.Crc32C(state, word);
        foreach (byte value in data[(data.Length & ~7)..])
            state = BitOperations.Crc32C(state, value);
        return state;
    }

    /// <summary>Moves a CRC over <see cref="Lane"/> zero bytes: linear in the CRC's bits, hence a sum of four table entries.</summary>
    private static uint Shift(uint crc) =>
        LaneShift[crc & 0xFF] ^ LaneShift[256 + ((crc >> 8) & 0xFF)]
        ^ LaneShift[512 + ((crc >> 16) & 0xFF)] ^ LaneShift[768 + (crc >> 24)];

    private static uint[] MakeShift(int zeroBytes)
    {
        Span<uint> bits = stackalloc uint[32];
        for (int bit = 0; bit < 32; bit++) bits[bit] = OverZeros(1u << bit, zeroBytes);

        var table = new uint[4 * 256];
        for (int i = 0; i < table.Length; i++)
        {
            uint crc = (uint)(i & 0xFF) << (8 * (i >> 8));
            for (int bit = 0; bit < 32; bit++)
                if ((crc >> bit & 1) != 0) table[i] ^= bits[bit];
        }
        return table;
    }

    private static uint OverZeros(uint crc, int zeroBytes)
    {
        for (int bit = 0; bit < 8 * zeroBytes; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? Polynomial : 0);
        return crc;
    }
}
