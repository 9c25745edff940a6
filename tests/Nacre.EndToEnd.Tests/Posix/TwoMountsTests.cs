using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Posix;

/// <summary>What one mount does, another sees at once, also what it has cached.</summary>
public class TwoMountsTests(PosixMounts mounts) : PosixTests(mounts)
{
    [PosixFact]
    public void Names_appear_and_vanish_at_once()
    {
        for (int round = 0; round < 30; round++)
        {
            Assert.Equal(Errno.ENOENT, Sys.TryStat(Two("f")));
            NewFile("f");
            Assert.Equal(0, Sys.TryStat(Two("f")));
            Assert.Single(Directory.GetFileSystemEntries(Two()));
            Sys.Check(Sys.Unlink(One("f")));
            Assert.Equal(Errno.ENOENT, Sys.TryStat(Two("f")));
            Assert.Empty(Directory.GetFileSystemEntries(Two()));
            Sys.Check(Sys.Mkdir(Two("f")));
            Assert.Equal(0x4000u, Sys.Stat(One("f")).Type);
            Sys.Check(Sys.Rmdir(Two("f")));
            Assert.Equal(Errno.ENOENT, Sys.TryStat(One("f")));
        }
    }

    [PosixFact]
    public void Data_is_there_after_close()
    {
        for (int round = 0; round < 20; round++)
        {
            using (var writer = Sys.Open(round % 2 == 0 ? One("f") : Two("f"), Sys.WriteOnly | Sys.Create | Sys.Truncate)) writer.Write($"round {round}", 0);
            using var reader = Sys.Open(round % 2 == 0 ? Two("f") : One("f"), Sys.ReadOnly);
            Assert.Equal($"round {round}", reader.Text);
        }
    }

    [PosixFact]
    public void Data_is_there_after_fsync_for_who_has_the_file_open()
    {
        using var writer = Sys.Open(One("f"), Sys.ReadWrite | Sys.Create);
        using var reader = Sys.Open(Two("f"), Sys.ReadOnly);
        for (int round = 0; round < 20; round++)
        {
            writer.Write($"round {round:D3}", 0);
            writer.Sync();
            Assert.Equal($"round {round:D3}", reader.Text);
        }
    }

    [PosixFact]
    public void The_size_of_a_file_still_being_written_is_told()
    {
        using var writer = Sys.Open(One("f"), Sys.WriteOnly | Sys.Create);
        byte[] data = new byte[100_000];
        for (long size = data.Length; size <= 40 * data.Length; size += data.Length)
        {
            writer.Write(data, size - data.Length);
            Assert.Equal(size, Sys.Stat(Two("f")).Size);
        }

        writer.Truncate(5);
        Assert.Equal(5, Sys.Stat(Two("f")).Size);
    }

    [PosixFact]
    public void Parts_of_a_file_are_written_on_both_and_none_is_lost()
    {
        const int part = 4096, parts = 300;
        using var one = Sys.Open(One("f"), Sys.ReadWrite | Sys.Create);
        using var two = Sys.Open(Two("f"), Sys.ReadWrite);
        Parallel.Invoke(
            () => WriteEverySecond(one, 0, 1),
            () => WriteEverySecond(two, 1, 2));
        foreach (var reader in (OpenedFile[])[one, two])
        {
            for (int i = 0; i < parts; i++) Assert.All(reader.Read(part, i * part), read => Assert.Equal(1 + (i % 2), read));
        }

        static void WriteEverySecond(OpenedFile file, int first, byte with)
        {
            byte[] data = Enumerable.Repeat(with, part).ToArray();
            for (int i = first; i < parts; i += 2) file.Write(data, i * part);
        }
    }

    [PosixFact]
    public void A_file_cut_short_elsewhere_reads_as_zeros_when_it_grows_again()
    {
        NewFile("f", content: new string('x', 20_000));
        using var file = Sys.Open(Two("f"), Sys.ReadWrite);
        Assert.Equal(20_000, file.Text.Length);
        Sys.Check(Sys.Truncated(One("f"), 100));
        Assert.Equal(100, file.Text.Length);
        Sys.Check(Sys.Truncated(One("f"), 20_000));
        byte[] read = file.Read(20_000, 0);
        Assert.Equal(20_000, read.Length);
        Assert.All(read[100..], zero => Assert.Equal(0, zero));
    }
}
