using System.Net;

namespace Nacre.LNet.Tests;

/// <summary>01 section 2.</summary>
public class NidTests
{
    [Theory]
    [InlineData("192.168.1.5@tcp", 0x00020000C0A80105ul)]
    [InlineData("10.0.0.1@tcp3", 0x000200030A000001ul)]
    [InlineData("0@lo", 0x0009000000000000ul)]
    public void TextAndValueBelongTogether(string text, ulong value)
    {
        Assert.Equal(new Nid(value), Nid.Parse(text));
        Assert.Equal(text, new Nid(value).ToString());
    }

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.1@tcp")]
    [InlineData("10.0.0.1@tcp0", "10.0.0.1@tcp")]
    [InlineData("10.0.0.1@tcp65535", "10.0.0.1@tcp65535")]
    public void OtherSpellingsAreRead(string text, string canonical) => Assert.Equal(canonical, Nid.Parse(text).ToString());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("@tcp")]
    [InlineData("10.0.0@tcp")]
    [InlineData("10.0.0.1.2@tcp")]
    [InlineData("10.0.0.256@tcp")]
    [InlineData("10.0.0.1@tcp65536")]
    [InlineData("10.0.0.1@tcp-1")]
    [InlineData("10.0.0.1@tcp 1")]
    [InlineData("10.0.0.1@o2ib")]
    [InlineData("10.0.0.1@")]
    [InlineData("1@lo")]
    [InlineData("0@lo0")]
    [InlineData("fe80::1@tcp")]
    [InlineData("host@tcp")]
    [InlineData(" 10.0.0.1@tcp")]
    public void MistakesAreRefused(string? text) => Assert.False(Nid.TryParse(text, out _));

    [Fact]
    public void ParseSaysWhatIsWrong() =>
        Assert.Contains("'nonsense'", Assert.Throws<FormatException>(() => Nid.Parse("nonsense")).Message, StringComparison.Ordinal);

    [Fact]
    public void AddressIsTheIpv4Address()
    {
        Assert.Equal(IPAddress.Parse("192.168.1.5"), Nid.Parse("192.168.1.5@tcp7").Address);
        Assert.Throws<InvalidOperationException>(() => Nid.Loopback.Address);
        Assert.False(Nid.Any.IsTcp);
        Assert.Equal("<?>", Nid.Any.ToString());
    }

    [Fact]
    public void FromTcpTakesIpv4Only()
    {
        Assert.Equal(Nid.Parse("1.2.3.4@tcp9"), Nid.FromTcp(IPAddress.Parse("1.2.3.4"), 9));
        Assert.Equal(Nid.Parse("1.2.3.4"), Nid.FromTcp(IPAddress.Parse("::ffff:1.2.3.4")));
        Assert.Throws<ArgumentException>(() => Nid.FromTcp(IPAddress.IPv6Loopback));
    }

    [Theory]
    [InlineData(12345u, "12345-192.168.1.5@tcp")]
    [InlineData(0x80000000u | 40000u, "U40000-192.168.1.5@tcp")]
    public void PeerPrintsProcessAndNid(uint pid, string text) => Assert.Equal(text, new PeerId(Nid.Parse("192.168.1.5"), pid).ToString());
}
