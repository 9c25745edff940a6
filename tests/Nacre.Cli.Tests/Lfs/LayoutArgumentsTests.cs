using Nacre.Cli.Lfs;
using Nacre.PtlRpc.Wire;

namespace Nacre.Cli.Tests.Lfs;

/// <summary>What the options of <c>lfs setstripe</c> ask for.</summary>
public class LayoutArgumentsTests
{
    [Theory]
    [InlineData("-c 2 -S 64K")]
    [InlineData("-c2 -S64k")]
    [InlineData("--stripe-count=2 --stripe-size 65536")]
    public void Options_can_be_written_in_every_way_of_getopt(string line)
    {
        var component = Parse(line).Components[0];
        Assert.Equal((2, 65536u, Lov.Any, LovMagic.V1), (component.StripeCount, component.StripeSize, component.GenOrOffset, component.Magic));
    }

    [Fact]
    public void All_OSTs_from_a_given_one_on()
    {
        var component = Parse("-c -1 -i 3").Components[0];
        Assert.Equal((Lov.Any, 3), (component.StripeCount, component.GenOrOffset));
    }

    [Fact]
    public void Chosen_OSTs_are_listed_in_their_order()
    {
        var component = Parse("-o 5,1-3").Components[0];
        Assert.Equal((LovMagic.Specific, 4, 5), (component.Magic, component.StripeCount, component.GenOrOffset));
        Assert.Equal([5u, 1, 2, 3], component.Objects.Select(static one => one.OstIndex));
    }

    [Fact]
    public void Components_follow_each_other_and_keep_their_own_options()
    {
        var layout = Parse("-E 64M -c 1 -E 1G -S 4M -E -1 -c 4");
        Assert.True(layout.IsComposite);
        Assert.Equal(
            [(0UL, 64UL << 20, 1, 0u), (64UL << 20, 1UL << 30, 0, 4u << 20), (1UL << 30, Lov.Eof, 4, 0u)],
            layout.Components.Select(static one => (one.Start, one.End, (int)one.StripeCount, one.StripeSize)));
        Assert.True(LovCodec.TryDecode(LovCodec.Encode(layout), userForm: true, out _));
    }

    [Theory]
    [InlineData("-c x", "-c x: a number from 0 to 2000 is needed")]
    [InlineData("-S 100", "-S 100: a multiple of 64K below 4G is needed")]
    [InlineData("-S 8G", "-S 8G: a multiple of 64K below 4G is needed")]
    [InlineData("-E 64M -E 1M", "-E 1M: a component ends behind the one before it")]
    [InlineData("-c 1 -E -1", "-c comes before the first -E: options of a component stand behind its end")]
    [InlineData("-o 3-1", "-o 3-1: OST indices such as 0,2-4 are needed")]
    [InlineData("-d -c 1", "-d goes with no other option")]
    [InlineData("-z", "there is no option -z")]
    [InlineData("-c", "option c needs a value")]
    public void What_makes_no_layout_is_refused_in_one_line(string line, string why) =>
        Assert.Equal(why, Assert.Throws<LfsException>(() => Parse(line)).Message);

    private static LovLayout Parse(string line) => LayoutArguments.Parse(LayoutArguments.Known.Read(line.Split(' ')).Options);
}
