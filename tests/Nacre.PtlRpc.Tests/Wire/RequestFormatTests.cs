using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc.Tests.Wire;

public class RequestFormatTests
{
    [Fact]
    public void ThereAre94WithDifferentNames()
    {
        Assert.Equal(94, RequestFormats.All.Length);
        Assert.Equal(94, RequestFormats.All.Select(format => format.Name).Distinct().Count());
        Assert.All(RequestFormats.All, format => Assert.Equal("PTLRPC_BODY", format.Request[0].Name));
    }

    [Theory]
    [InlineData(103, false)]
    [InlineData(104, true)]
    [InlineData(128, true)]
    public void AStructureMayBeLongerButNotShorter(int length, bool accepted) =>
        Assert.Equal(accepted, Check(RequestFormats.LdlmEnqueue, [length]));

    [Fact]
    public void TheFirstStructureMustBeThere()
    {
        Assert.False(Check(RequestFormats.LdlmEnqueue, []));
        Assert.False(Check(RequestFormats.LdlmEnqueue, [0]));
        Assert.True(Check(RequestFormats.ObdPing, []));
    }

    [Fact]
    public void LaterBuffersMayBeAbsentOrEmpty()
    {
        Assert.True(Check(RequestFormats.MdsReintSetattr, [136]));
        Assert.True(Check(RequestFormats.MdsReintSetattr, [136, 0, 0, 0, 0, 104]));
        Assert.False(Check(RequestFormats.MdsReintSetattr, [136, 0, 0, 0, 0, 96]));
    }

    [Fact]
    public void SurplusBuffersAreIgnored() => Assert.True(Check(RequestFormats.OstCreate, [208, 7, 9]));

    [Theory]
    [InlineData(48, true)]
    [InlineData(47, false)]
    public void ArraysAreWhole(int length, bool accepted) =>
        Assert.Equal(accepted, Check(RequestFormats.OstBrwRead, [208, 24, length]));

    [Fact]
    public void TextHasANul()
    {
        Assert.True(Check(RequestFormats.MdsGetattrName, [216, 0, 5]));
        Assert.False(Check(RequestFormats.MdsGetattrName, [216, 0, 5], fill: (byte)'x'));
    }

    private static bool Check(RequestFormat format, int[] lengths, byte fill = 0)
    {
        var builder = new MessageBuilder();
        builder.Start(lengths);
        for (var i = 1; i <= lengths.Length; i++)
        {
            builder.Buffer(i).Fill(fill);
        }

        Assert.Equal(MessageError.None, LustreMessage.TryParse(builder.Finish(), out var message));
        return format.CheckRequest(message) == 0;
    }
}
