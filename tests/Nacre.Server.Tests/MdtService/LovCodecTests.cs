using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Tests.MdtService;

/// <summary>Layout EAs: golden bytes, those of the captures, malformed ones (05 section 11).</summary>
public class LovCodecTests
{
    // 05 section 11.8.
    private const string Minimal =
        "d00bd10b0100000005000000000000000104000002000000000010000100000022000000000000000000000000000000" + "0000000000000000";

    [Fact]
    public void Minimal_example_reads_and_writes()
    {
        var bytes = Convert.FromHexString(Minimal);
        Assert.True(LovCodec.TryDecode(bytes, userForm: false, out var layout));
        var component = Assert.Single(layout.Components);
        Assert.Equal(1u << 20, component.StripeSize);
        Assert.Equal(5ul, component.OiId);
        Assert.Equal(0x200000401ul, component.OiSeq);
        Assert.Equal(0x22ul, Assert.Single(component.Objects).Object.Sequence);
        Assert.Equal(bytes, LovCodec.Encode(layout));
    }

    [Theory]
    [InlineData("metadata")]
    [InlineData("xattr-layout")]
    [InlineData("two-clients")]
    [InlineData("errors")]
    [InlineData("hsm")]
    public void Layouts_of_genuine_servers_come_out_as_they_went_in(string capture)
    {
        int seen = 0;
        foreach (var ea in LayoutsIn(capture))
        {
            Assert.True(LovCodec.TryDecode(ea, userForm: false, out var layout), Convert.ToHexString(ea));
            Assert.Equal(Convert.ToHexString(ea), Convert.ToHexString(LovCodec.Encode(layout)));
            seen++;
        }
        Assert.True(seen > 0, $"no layouts in {capture}");
    }

    private static IEnumerable<byte[]> LayoutsIn(string capture) =>
        from rpc in CaptureRpcs.Read(capture)
        where rpc.Reply != null && rpc.Opcode is Opcode.LdlmEnqueue or Opcode.MdsGetattr or Opcode.MdsGetattrName or Opcode.MdsGetxattr
        where !IsGetXattrIntent(rpc)
        from buffer in rpc.Reply!.Buffers.Skip(1)
        where LovCodec.MagicOf(buffer) is LovMagic.V1 or LovMagic.V3 or LovMagic.CompV1 && buffer.Length >= 56
        select buffer;

    /// <summary>Its values stand one behind the other in one buffer, which may begin with a layout but is none.</summary>
    private static bool IsGetXattrIntent(CapturedRpc rpc) =>
        rpc.Opcode == Opcode.LdlmEnqueue && rpc.Request.Buffers.Length > 2 && rpc.Request.Buffers[2] is [0x80, ..];

    [Fact]
    public void Bytes_behind_a_user_layout_are_ignored()
    {
        var padded = new byte[240];
        Convert.FromHexString(Minimal)[..32].CopyTo(padded, 0);
        padded[28] = 3;
        Assert.True(LovCodec.TryDecode(padded, userForm: true, out var layout));
        Assert.Equal(3, layout.Components[0].StripeCount);
        Assert.Empty(layout.Components[0].Objects);
    }

    [Theory]
    [InlineData("")]
    [InlineData("d00b")]
    [InlineData("d00bd10b01000000")]
    [InlineData("efbeadde0000000000000000000000000000000000000000000000000000000000")]
    [InlineData("d00bd60b20000000000000000000010000000000000000000000000000000000")] // No room for its entry.
    [InlineData("d00bd60bffffffff000000000000010000000000000000000000000000000000")] // Longer than the buffer.
    public void Malformed_layouts_are_refused(string hex)
    {
        Assert.False(LovCodec.TryDecode(Convert.FromHexString(hex), userForm: false, out _));
        Assert.False(LovCodec.TryDecode(Convert.FromHexString(hex), userForm: true, out _));
    }

    [Fact]
    public void No_mutation_makes_the_decoder_throw()
    {
        var seeds = LayoutsIn("xattr-layout").DistinctBy(Convert.ToHexString).ToArray();
        int seed = Environment.TickCount;
        var random = new Random(seed);
        for (int i = 0; i < 20_000; i++)
        {
            var bytes = (byte[])seeds[random.Next(seeds.Length)].Clone();
            for (int flips = random.Next(1, 6); flips > 0; flips--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var cut = bytes.AsSpan(0, random.Next(bytes.Length + 1));
            try
            {
                if (LovCodec.TryDecode(cut, random.Next(2) == 0, out var layout))
                    LovCodec.Encode(layout);
            }
            catch (Exception failure)
            {
                Assert.Fail($"seed {seed} iteration {i}: {failure}");
            }
        }
    }
}
