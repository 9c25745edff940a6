using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mgs;

namespace Nacre.Server.Tests.Mgs;

public class ConfigLogTests
{
    private static readonly FakeTimeProvider Time = new(DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));

    /// <summary>The worked example of 04 section 7, byte for byte.</summary>
    [Fact]
    public void The_log_of_one_mdt_and_two_osts_has_the_bytes_of_a_genuine_one()
    {
        var log = ExampleLog();
        Assert.Equal(13216, log.Length);
        Assert.Equal(31u, log.LastIndex);
        Assert.Equal("2a28e42daf85c33776c63cdbc83ccb6dadac044b4fae272ea804498fc71bf1a3", Sha256(log));
    }

    /// <summary>The padding vector of 04 section 7.1: 38 more OSTs, four pads.</summary>
    [Fact]
    public void Records_that_would_cross_a_chunk_are_preceded_by_a_pad()
    {
        var log = ExampleLog();
        var writer = new ClientLogWriter("nacre01", log, Time);
        for (var index = 2; index <= 39; index++)
        {
            writer.AddOst(index, Nid.Parse("10.0.0.2@tcp"));
        }

        Assert.Equal(48672, log.Length);
        Assert.Equal(263u, log.LastIndex);
        Assert.Equal("3b88d04dc8d584f28c801ffc8377948fd98c2c6fd1937169c768b8b14232476f", Sha256(log));
    }

    [Fact]
    public void A_saved_log_loads_again_and_grows_at_its_end()
    {
        var log = ConfigLog.Load(ExampleLog().Bytes.ToArray());
        new ClientLogWriter("nacre01", log, Time).AddOst(2, Nid.Parse("10.0.0.2@tcp"));
        Assert.Equal(37u, log.LastIndex);
        Assert.Equal(3, log.Count(LcfgCommand.LovAddObd));
    }

    [Theory]
    [InlineData(0, "no valid header")]
    [InlineData(9, "no valid header")]
    [InlineData(8192, "record 1")]
    [InlineData(8188, "promises")]
    public void A_damaged_log_is_refused(int at, string message)
    {
        var bytes = ExampleLog().Bytes.ToArray();
        bytes[at] ^= 0x40;
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => ConfigLog.Load(bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_cut_short_is_refused_at_every_length()
    {
        var bytes = ExampleLog().Bytes.ToArray();
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => ConfigLog.Load(bytes[..length]));
        }
    }

    [Fact]
    public void A_parameter_set_again_skips_the_block_that_set_it_before()
    {
        var log = ExampleLog();
        var writer = new ClientLogWriter("nacre01", log, Time);
        writer.SetParameter("nacre01-client", "llite.max_read_ahead_mb", "64");
        writer.SetParameter("nacre01-client", "llite.max_read_ahead_mb", "128");
        var flags = new List<CfgMarkerFlags>();
        log.EditMarkers((ref CfgMarker marker) => flags.Add(marker.Flags));
        Assert.Equal(
            [
                CfgMarkerFlags.Start | CfgMarkerFlags.Skip, CfgMarkerFlags.End | CfgMarkerFlags.Skip,
                CfgMarkerFlags.Start, CfgMarkerFlags.End,
            ],
            flags[^4..]);
    }

    [Fact]
    public void A_reader_finds_the_chunk_of_every_record_and_then_the_end()
    {
        var log = ExampleLog();
        var writer = new ClientLogWriter("nacre01", log, Time);
        for (var index = 2; index <= 39; index++)
        {
            writer.AddOst(index, Nid.Parse("10.0.0.2@tcp"));
        }

        uint next = 1;
        var chunks = 0;
        while (log.TryFindChunk(next, 0, out var chunk, out var start, out var last))
        {
            Assert.Equal(0, start % LlogFormat.ChunkSize);
            Assert.InRange(chunk.Length, 1, LlogFormat.ChunkSize);
            Assert.True(last >= next);
            next = last + 1;
            chunks++;
        }

        Assert.Equal(5, chunks);
        Assert.Equal(log.LastIndex + 1, next);
    }

    [Fact]
    public void Logs_survive_a_restart_of_the_store_and_a_change_that_fails_leaves_no_trace()
    {
        var folder = Directory.CreateTempSubdirectory("nacre-mgs-").FullName;
        try
        {
            var store = new ConfigLogStore(folder, Time);
            store.Change("demo-client", log => new ClientLogWriter("demo", log, Time).AddFileSystem());
            Assert.Throws<InvalidOperationException>(() => store.Change("demo-client", log =>
            {
                log.Append(new byte[64]);
                throw new InvalidOperationException("made to fail");
            }));

            var again = new ConfigLogStore(folder, Time);
            Assert.True(again.TryOpen("demo-client", out var id));
            Assert.NotEqual(0ul, id.ObjectId);
            Assert.True(again.TryRead(id, log => Assert.Equal(11u, log.LastIndex)));
            Assert.False(again.TryOpen("other-client", out _));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static ConfigLog ExampleLog()
    {
        var log = ConfigLog.Create(Time.GetUtcNow());
        var writer = new ClientLogWriter("nacre01", log, Time);
        writer.AddFileSystem();
        writer.AddMdt(0, Nid.Parse("10.0.0.1@tcp"), Nid.Parse("10.0.0.3@tcp"));
        writer.AddOst(0, Nid.Parse("10.0.0.1@tcp"));
        writer.AddOst(1, Nid.Parse("10.0.0.2@tcp"));
        return log;
    }

    private static string Sha256(ConfigLog log) => Convert.ToHexStringLower(SHA256.HashData(log.Bytes));
}
