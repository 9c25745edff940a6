using System.Runtime.InteropServices;

namespace Nacre.EndToEnd.Posix;

/// <summary>mmap(2).</summary>
public unsafe partial class MmapTests(PosixMounts mounts) : PosixTests(mounts)
{
    private const int Length = 3 << 20;

    [PosixFact]
    public void What_is_written_is_seen_in_a_mapping_and_the_other_way_round()
    {
        using var file = Sys.Open(One("f"), Sys.ReadWrite | Sys.Create);
        file.Truncate(Length);
        byte* memory = file.Map(Length, writable: true);
        file.Write("written", 1_000_000);
        Assert.Equal("written", Text(memory + 1_000_000, 7));
        CopyIn(memory + 2_000_000, "mapped");
        Assert.Equal("mapped"u8, file.Read(6, 2_000_000));
        OpenedFile.Unmap(memory, Length);
    }

    [PosixFact]
    public void What_is_synchronised_is_read_elsewhere()
    {
        using var file = Sys.Open(One("f"), Sys.ReadWrite | Sys.Create);
        file.Truncate(Length);
        using var elsewhere = Sys.Open(Two("f"), Sys.ReadOnly);
        byte* memory = file.Map(Length, writable: true);
        for (int round = 0; round < 5; round++)
        {
            CopyIn(memory + 1_048_570, $"across a stripe {round}");
            OpenedFile.Synchronise(memory, Length);
            Assert.Equal($"across a stripe {round}", System.Text.Encoding.Latin1.GetString(elsewhere.Read(17, 1_048_570)));
        }

        OpenedFile.Unmap(memory, Length);
    }

    [PosixFact]
    public void Mappings_on_two_mounts_show_each_others_changes()
    {
        using var one = Sys.Open(One("f"), Sys.ReadWrite | Sys.Create);
        one.Truncate(Length);
        using var two = Sys.Open(Two("f"), Sys.ReadWrite);
        byte* first = one.Map(Length, writable: true);
        byte* second = two.Map(Length, writable: true);
        for (int round = 0; round < 10; round++)
        {
            // Without msync: the page goes with the lock that covers it.
            CopyIn(first + 5000, $"one {round}");
            Assert.Equal($"one {round}", Text(second + 5000, 5));
            CopyIn(second + 5000, $"two {round}");
            Assert.Equal($"two {round}", Text(first + 5000, 5));
        }

        OpenedFile.Unmap(first, Length);
        OpenedFile.Unmap(second, Length);
    }

    /// <summary>Reads and writes of such a file pass all caches, what is mapped of it does not.</summary>
    [PosixFact]
    public void A_mapping_of_a_file_open_for_direct_access_shows_what_is_written_elsewhere()
    {
        NewFile("f", content: new string('o', 8192));
        using var one = Sys.Open(One("f"), Sys.ReadWrite | Sys.Direct);
        using var two = Sys.Open(Two("f"), Sys.ReadWrite);
        byte* memory = one.Map(8192, writable: true);
        for (int round = 0; round < 5; round++)
        {
            two.Write($"two {round}", 5000);
            Assert.Equal($"two {round}", Text(memory + 5000, 5));
            CopyIn(memory + 5000, $"one {round}");
            Assert.Equal(System.Text.Encoding.Latin1.GetBytes($"one {round}"), two.Read(5, 5000));
        }

        OpenedFile.Unmap(memory, 8192);
    }

    [PosixFact]
    public void A_private_mapping_keeps_its_changes_to_itself()
    {
        NewFile("f", content: "original");
        using var file = Sys.Open(One("f"), Sys.ReadWrite);
        byte* memory = file.Map(4096, writable: true, shared: false);
        CopyIn(memory, "changed!");
        Assert.Equal(("changed!", "original"), (Text(memory, 8), file.Text));
        OpenedFile.Unmap(memory, 4096);
    }

    [PosixFact]
    public void A_mapping_outlives_its_descriptor()
    {
        byte* memory;
        using (var file = Sys.Open(One("f"), Sys.ReadWrite | Sys.Create))
        {
            file.Truncate(4096);
            memory = file.Map(4096, writable: true);
        }

        CopyIn(memory, "late");
        OpenedFile.Unmap(memory, 4096);
        using var elsewhere = Sys.Open(Two("f"), Sys.ReadOnly);
        Assert.Equal("late"u8, elsewhere.Read(4, 0));
    }

    private static void CopyIn(byte* to, string text)
    {
        byte[] data = System.Text.Encoding.Latin1.GetBytes(text);
        fixed (byte* from = data) memcpy(to, from, data.Length);
    }

    private static string Text(byte* from, int length)
    {
        byte[] data = new byte[length];
        fixed (byte* to = data) memcpy(to, from, length);
        return System.Text.Encoding.Latin1.GetString(data);
    }

    /// <summary>A page fault waits for another process, which must not happen in managed code.</summary>
    [LibraryImport("libc")]
    private static partial byte* memcpy(byte* to, byte* from, nint length);
}
