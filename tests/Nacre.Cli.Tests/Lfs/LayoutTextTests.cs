using Nacre.Cli.Lfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Cli.Tests.Lfs;

/// <summary>Layouts as text, against what <c>lfs getstripe</c> of Lustre 2.15.8 wrote of the same ones.</summary>
public class LayoutTextTests
{
    /// <summary>The extended attribute and the text are of one file of a genuine server, both captured.</summary>
    [Fact]
    public void A_plain_file_reads_as_from_the_genuine_tool()
    {
        var ea = Convert.FromBase64String(
            "0AvRCwEAAAAdAAAAAAAAAAEEAAACAAAAAAAQAAIAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        Assert.True(LovCodec.TryDecode(ea, userForm: false, out var layout));
        Assert.Equal(
            """
            lmm_stripe_count:  2
            lmm_stripe_size:   1048576
            lmm_pattern:       raid0
            lmm_layout_gen:    0
            lmm_stripe_offset: 1
            >obdidx>> objid>> objid>> group
            >     1>             8>          0x8>             0
            >     0>             8>          0x8>             0


            """.Replace('>', '\t'),
            Text(to => LayoutText.WriteFile(to, layout, isVerbose: false)));
    }

    [Fact]
    public void A_progressive_file_reads_as_from_the_genuine_tool() => Assert.Equal(
        """
          lcm_layout_gen:    2
          lcm_mirror_count:  1
          lcm_entry_count:   2
            lcme_id:             1
            lcme_mirror_id:      0
            lcme_flags:          init
            lcme_extent.e_start: 0
            lcme_extent.e_end:   65536
              lmm_stripe_count:  1
              lmm_stripe_size:   65536
              lmm_pattern:       raid0
              lmm_layout_gen:    0
              lmm_stripe_offset: 1
              lmm_objects:
              - 0: { l_ost_idx: 1, l_fid: [0x100010000:0x6:0x0] }

            lcme_id:             2
            lcme_mirror_id:      0
            lcme_flags:          0
            lcme_extent.e_start: 65536
            lcme_extent.e_end:   EOF
              lmm_stripe_count:  2
              lmm_stripe_size:   1048576
              lmm_pattern:       raid0
              lmm_layout_gen:    0
              lmm_stripe_offset: -1


        """,
        Text(to => LayoutText.WriteFile(to, Progressive(), isVerbose: false)));

    [Fact]
    public void A_default_reads_as_from_the_genuine_tool()
    {
        var all = new LovComponent { StripeCount = Lov.Any, StripeSize = 1 << 20, GenOrOffset = Lov.Any };
        Assert.Equal(
            "stripe_count:  -1 stripe_size:   1048576 pattern:       raid0 stripe_offset: -1\n\n",
            Text(to => LayoutText.WriteDefault(to, LovLayout.Plain(all))));

        var composite = new LovLayout { IsComposite = true };
        composite.Components.Add(new LovComponent { End = 104857600, StripeCount = 1, StripeSize = 1 << 20, GenOrOffset = Lov.Any });
        Assert.Equal(
            """
              lcm_layout_gen:    0
              lcm_mirror_count:  1
              lcm_entry_count:   1
                lcme_id:             N/A
                lcme_mirror_id:      N/A
                lcme_flags:          0
                lcme_extent.e_start: 0
                lcme_extent.e_end:   104857600
                  stripe_count:  1       stripe_size:   1048576       pattern:       raid0       stripe_offset: -1


            """,
            Text(to => LayoutText.WriteDefault(to, composite)));
    }

    [Fact]
    public void A_released_file_has_no_objects_and_a_pool_a_line_of_its_own()
    {
        var released = new LovComponent { StripeCount = 1, StripeSize = 1 << 20, GenOrOffset = 1, Pattern = LovPattern.Raid0 | LovPattern.Released };
        Assert.Equal(
            "lmm_stripe_count:  1\nlmm_stripe_size:   1048576\nlmm_pattern:       released\nlmm_layout_gen:    1\nlmm_stripe_offset: 0\n\n",
            Text(to => LayoutText.WriteFile(to, LovLayout.Plain(released), isVerbose: false)));
        released.Pool = "fast";
        Assert.Contains("lmm_pool:          fast\n", Text(to => LayoutText.WriteFile(to, LovLayout.Plain(released), isVerbose: false)));
    }

    [Fact]
    public void One_field_is_a_bare_value_several_have_names()
    {
        Assert.Equal("1\n", Text(to => LayoutText.WriteFields(to, Progressive(), LayoutFields.StripeCount, isDefault: false)));
        Assert.Equal(
            "lmm_stripe_count:  1\nlmm_stripe_size:   65536\n",
            Text(to => LayoutText.WriteFields(to, Progressive(), LayoutFields.StripeCount | LayoutFields.StripeSize, isDefault: false)));
    }

    private static LovLayout Progressive()
    {
        var layout = new LovLayout { IsComposite = true, Generation = 2 };
        layout.Components.Add(new LovComponent
        {
            Id = 1,
            Flags = LovCompFlags.Init,
            End = 65536,
            StripeCount = 1,
            StripeSize = 65536,
            Objects = [new LovOstData { Object = new LuFid(6, 0), OstIndex = 1 }],
        });
        layout.Components.Add(new LovComponent { Id = 2, Start = 65536, StripeCount = 2, StripeSize = 1 << 20, GenOrOffset = Lov.Any });
        return layout;
    }

    private static string Text(Action<TextWriter> write)
    {
        using var text = new StringWriter();
        write(text);
        return text.ToString();
    }
}
