using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Nacre.ControlPlane.Auth;

namespace Nacre.ControlPlane.Tests.Auth;

/// <summary>
/// Values that AWS has published: the examples of the signing key and of the signed request in the documentation of Signature Version 4, and
/// <c>get-vanilla</c> and its like of the test suite of Signature Version 4.
/// </summary>
public sealed class SigV4Tests
{
    private const string Secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    private static readonly DateTimeOffset At = DateTimeOffset.ParseExact(
        "20150830T123600Z", SigV4.DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    [Theory]
    [InlineData("20120215", "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d")]
    [InlineData("20150830", "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9")]
    public void SigningKeyIsThePublishedOne(string date, string key) =>
        Assert.Equal(key, Convert.ToHexStringLower(SigV4.SigningKey(Secret, date, "us-east-1", "iam")));

    [Fact]
    public void DocumentedRequestHasThePublishedSignature()
    {
        var headers = new HeaderDictionary
        {
            ["Host"] = "iam.amazonaws.com",
            ["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8",
            ["X-Amz-Date"] = "20150830T123600Z",
        };
        Assert.Equal(
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            Sign("GET", "Action=ListUsers&Version=2010-05-08", headers, "content-type;host;x-amz-date", "", "iam"));
    }

    [Theory]
    [InlineData("GET", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")]
    [InlineData("POST", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")]
    [InlineData("GET", "Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")]
    [InlineData("GET", "Param1=value2&Param1=Value1", "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1")]
    public void SuiteRequestHasThePublishedSignature(string method, string query, string signature)
    {
        var headers = new HeaderDictionary { ["Host"] = "example.amazonaws.com", ["X-Amz-Date"] = "20150830T123600Z" };
        Assert.Equal(signature, Sign(method, query, headers, "host;x-amz-date", "", "service"));
    }

    [Theory]
    [InlineData("My-Header1", "value2 value2 value1", "value2 value2 value1")]
    [InlineData("My-Header1", "  value1  ", "value1")]
    [InlineData("My-Header1", "\"a   b   c\"", "\"a b c\"")]
    public void BlanksAreFolded(string name, string sent, string canonical)
    {
        var request = new SignedRequest("GET", "/", "", new HeaderDictionary { [name] = sent }, default);
        Assert.Contains($"\nmy-header1:{canonical}\n", SigV4.CanonicalRequest(request, ["my-header1"], SigV4.Hash([])));
    }

    [Fact]
    public void RepeatedHeaderIsOneLine()
    {
        var headers = new HeaderDictionary { ["A"] = new[] { "x  y", " z ", "" } };
        var request = new SignedRequest("GET", "/", "", headers, default);
        Assert.Contains("\na:x y,z,\n", SigV4.CanonicalRequest(request, ["a"], SigV4.Hash([])));
    }

    private static string Sign(string method, string query, HeaderDictionary headers, string signed, string body, string service)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var canonical = SigV4.CanonicalRequest(new SignedRequest(method, "/", query, headers, bytes), signed.Split(';'), SigV4.Hash(bytes));
        return SigV4.Signature(
            SigV4.SigningKey(Secret, "20150830", "us-east-1", service),
            SigV4.StringToSign(At, $"20150830/us-east-1/{service}/aws4_request", canonical));
    }
}
