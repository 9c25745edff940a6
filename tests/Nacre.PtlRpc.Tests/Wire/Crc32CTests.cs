using System.Text;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc.Tests.Wire;

public sealed class Crc32CTests
{
    [Fact]
    public void Check_value_of_the_polynomial() =>
        Assert.Equal(0xE306_9283u, BrwChecksum.Compute(BrwChecksumType.Crc32C, Encoding.ASCII.GetBytes("123456789")));

    /// <summary>Every way in which the bytes are taken, by the processor's instructions or in folds, ends at the same value as one bit after the other.</summary>
    [Fact]
    public void Any_length_and_alignment_and_any_cut_give_the_value_of_the_definition()
    {
        const int seed = 7;
        var random = new Random(seed);
        var bytes = new byte[70_000];
        random.NextBytes(bytes);
        for (var round = 0; round < 300; round++)
        {
            var start = random.Next(64);
            var length = random.Next(4) switch { 0 => random.Next(16), 1 => random.Next(600), 2 => 256 * random.Next(1, 40), _ => random.Next(60_000) };
            var data = bytes.AsSpan(start, length);
            var expected = ByDefinition(data);
            Assert.Equal(expected, BrwChecksum.Compute(BrwChecksumType.Crc32C, data));

            var cut = random.Next(length + 1);
            var sum = new BrwChecksum();
            sum.Start(BrwChecksumType.Crc32C);
            sum.Append(data[..cut]);
            sum.Append(data[cut..]);
            Assert.Equal(expected, sum.Value);
        }
    }

    private static uint ByDefinition(ReadOnlySpan<byte> data)
    {
        var state = uint.MaxValue;
        foreach (var value in data)
        {
            state ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                state = (state >> 1) ^ ((state & 1) != 0 ? 0x82F6_3B78u : 0);
            }
        }

        return ~state;
    }
}
