using System.Runtime.InteropServices;

namespace Nacre.Bench.Loads;

/// <summary>
/// Data that says where it belongs: each 4 KiB block begins with its object and its position, and goes on with bytes that
/// depend on its position in the megabyte. Checking a block costs two comparisons, checking all of it a memcmp.
/// </summary>
internal static class BlockPattern
{
    public const int BlockSize = 4096;
    private const int Period = 1 << 20;
    private const int StampSize = 16;
    private const ulong Mark = 0x6e61637265626368;
    private static readonly byte[] Filler = MakeFiller();

    /// <summary>Fills a buffer that will hold data of offsets that are multiples of its own length or of 1 MiB.</summary>
    public static void FillOnce(Span<byte> buffer)
    {
        for (var done = 0; done < buffer.Length; done += BlockSize) Filler.AsSpan(done % Period, BlockSize).CopyTo(buffer[done..]);
    }

    /// <summary>Marks the blocks of a buffer filled before.</summary>
    public static void Stamp(Span<byte> buffer, int index, long offset)
    {
        for (var done = 0; done < buffer.Length; done += BlockSize)
        {
            var words = MemoryMarshal.Cast<byte, ulong>(buffer.Slice(done, StampSize));
            words[0] = Mark ^ (ulong)(uint)index;
            words[1] = (ulong)(offset + done);
        }
    }

    /// <summary>The marks of the first and the last block are those of this place.</summary>
    public static bool EndsMatch(ReadOnlySpan<byte> data, int index, long offset) =>
        StampMatches(data, index, offset)
        && StampMatches(data[^BlockSize..], index, offset + data.Length - BlockSize);

    /// <summary>Every byte is what was written there.</summary>
    public static bool Matches(ReadOnlySpan<byte> data, int index, long offset, int requestSize)
    {
        for (var done = 0; done < data.Length; done += BlockSize)
        {
            var block = data.Slice(done, BlockSize);
            var filler = Filler.AsSpan(FillerOffset(offset + done, requestSize) + StampSize, BlockSize - StampSize);
            if (!StampMatches(block, index, offset + done) || !block[StampSize..].SequenceEqual(filler)) return false;
        }

        return true;
    }

    /// <summary>Buffers shorter than the period are filled from its start, wherever they are written.</summary>
    private static int FillerOffset(long offset, int requestSize) => (int)(offset % Math.Min(requestSize, Period));

    private static bool StampMatches(ReadOnlySpan<byte> block, int index, long offset)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(block[..StampSize]);
        return words[0] == (Mark ^ (ulong)(uint)index) && words[1] == (ulong)offset;
    }

    private static byte[] MakeFiller()
    {
        var filler = new byte[Period];
        new Random(20).NextBytes(filler);
        return filler;
    }
}
