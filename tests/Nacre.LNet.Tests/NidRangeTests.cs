namespace Nacre.LNet.Tests;

public class NidRangeTests
{
    [Theory]
    [InlineData("10.0.1.6@tcp", "10.0.1.6@tcp", true)]
    [InlineData("10.0.1.6@tcp", "10.0.1.7@tcp", false)]
    [InlineData("10.0.[2-10].[1-255]@tcp", "10.0.2.1@tcp", true)]
    [InlineData("10.0.[2-10].[1-255]@tcp", "10.0.10.255@tcp", true)]
    [InlineData("10.0.[2-10].[1-255]@tcp", "10.0.11.1@tcp", false)]
    [InlineData("10.0.[2-10].[1-255]@tcp", "10.0.2.0@tcp", false)]
    [InlineData("10.0.1.6@tcp", "10.0.1.6@tcp1", false)]
    public void Contains_what_matches_each_octet(string range, string nid, bool expected) =>
        Assert.Equal(expected, NidRange.Parse(range).Contains(Nid.Parse(nid)));

    [Theory]
    [InlineData("")]
    [InlineData("10.0.1.6")]
    [InlineData("10.0.1@tcp")]
    [InlineData("10.0.1.6.7@tcp")]
    [InlineData("10.0.1.256@tcp")]
    [InlineData("10.0.1.[6-5]@tcp")]
    [InlineData("10.0.1.[6]@tcp")]
    [InlineData("10.0.1.[-5]@tcp")]
    [InlineData("10.0.1.6-7@tcp")]
    [InlineData("10.0..6@tcp")]
    [InlineData("10.0.1.6@o2ib")]
    public void Refuses_what_is_no_range(string text)
    {
        Assert.False(NidRange.TryParse(text, out _));
        Assert.Throws<FormatException>(() => NidRange.Parse(text));
    }
}
