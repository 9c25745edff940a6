
namespace Nacre.PtlRpc.Tests;

public sealed unsafe class BulkMemoryTests
{
    [Fact]
    public void Pieces_do_not_overlap_and_keep_their_bytes_while_others_come_and_go()
    {
        const int seed = 20261130;
        var random = new Random(seed);
        var held = new List<(nint Address, byte Mark)>();
        for (var i = 0; i < 2000; i++)
        {
            if (held.Count == 0 || (held.Count < 40 && random.Next(2) == 0))
            {
                var piece = BulkMemory.Allocate();
                Assert.Equal(0, (nint)piece & 4095);
                var mark = (byte)random.Next(1, 256);
                Ends(piece, mark);
                held.Add(((nint)piece, mark));
            }
            else
            {
                var at = random.Next(held.Count);
                var (address, mark) = held[at];
                held.RemoveAt(at);
                AssertEnds((byte*)address, mark);
                BulkMemory.Free((byte*)address);
            }
        }

        foreach (var (address, mark) in held)
        {
            AssertEnds((byte*)address, mark);
            BulkMemory.Free((byte*)address);
        }
    }

    private static void Ends(byte* piece, byte mark) => piece[0] = piece[BulkMemory.Size / 2] = piece[BulkMemory.Size - 1] = mark;

    private static void AssertEnds(byte* piece, byte mark)
    {
        Assert.Equal(mark, piece[0]);
        Assert.Equal(mark, piece[BulkMemory.Size / 2]);
        Assert.Equal(mark, piece[BulkMemory.Size - 1]);
    }
}
