using System.Net;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Nacre.ControlPlane.Auth;
using Nacre.ControlPlane.Tests.Api;

namespace Nacre.ControlPlane.Tests.Auth;

/// <summary>Who is let in, over HTTP.</summary>
public sealed class AuthenticationTests
{
    private static readonly FakeOperation Describe = new("DescribeFileSystems", changes: false, _ => "{}");

    [Fact]
    public async Task UnsignedCallIsRefused()
    {
        await using var endpoint = await Endpoint.StartAsync([Describe]);
        var answer = await endpoint.SendAsync(endpoint.Request("DescribeFileSystems", "{}"u8.ToArray()), key: null);
        Assert.Equal((HttpStatusCode.BadRequest, "MissingAuthenticationTokenException"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task UnknownKeyIsRefused()
    {
        await using var endpoint = await Endpoint.StartAsync([Describe]);
        var answer = await endpoint.CallAsync("DescribeFileSystems", key: Endpoint.Admin with { Id = "AKIAUNKNOWNUNKNOWN00" });
        Assert.Equal("UnrecognizedClientException", answer.Code);
        Assert.Equal("The security token included in the request is invalid.", answer.Json.GetProperty("Message").GetString());
    }

    [Fact]
    public async Task WrongSecretIsRefused()
    {
        await using var endpoint = await Endpoint.StartAsync([Describe]);
        var answer = await endpoint.CallAsync("DescribeFileSystems", key: Endpoint.Admin with { Secret = new string('x', 40) });
        Assert.Equal("InvalidSignatureException", answer.Code);
        Assert.DoesNotContain(Endpoint.Admin.Secret, answer.Body);
    }

    [Fact]
    public async Task SignatureForAnotherServiceIsRefused()
    {
        await using var endpoint = await Endpoint.StartAsync([Describe]);
        var answer = await endpoint.SendAsync(endpoint.Request("DescribeFileSystems", "{}"u8.ToArray()), Endpoint.Admin, service: "s3");
        Assert.Equal("InvalidSignatureException", answer.Code);
        Assert.Equal("Credential should be scoped to correct service: 'fsx'.", answer.Json.GetProperty("Message").GetString());
    }

    [Theory]
    [InlineData(-899, "OK")]
    [InlineData(-901, "InvalidSignatureException")]
    [InlineData(899, "OK")]
    [InlineData(901, "InvalidSignatureException")]
    public async Task ClockMayBeFifteenMinutesOff(int seconds, string code)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));
        await using var endpoint = await Endpoint.StartAsync([Describe], time: time);
        var answer = await endpoint.SendAsync(
            endpoint.Request("DescribeFileSystems", "{}"u8.ToArray()), Endpoint.Admin, at: time.GetUtcNow().AddSeconds(seconds));
        Assert.Equal(code, answer.Code);
        if (seconds == -901)
        {
            Assert.Equal(
                "Signature expired: 20261130T114459Z is now earlier than 20261130T114500Z (20261130T120000Z - 15 min.)",
                answer.Json.GetProperty("Message").GetString());
        }
    }

    [Theory]
    [InlineData("X-Amz-Security-Token", "anything", "UnrecognizedClientException")]
    [InlineData("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD", "InvalidSignatureException")]
    [InlineData("X-Amz-Content-SHA256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "InvalidSignatureException")]
    [InlineData("X-Amz-Content-SHA256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "InvalidSignatureException")]
    [InlineData("X-Amz-Content-SHA256", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "OK")]
    [InlineData("X-Amz-Api-Version", "2018-03-01", "OK")]
    public async Task SignedHeaderCounts(string name, string value, string code)
    {
        await using var endpoint = await Endpoint.StartAsync([Describe]);
        var request = endpoint.Request("DescribeFileSystems", "{}"u8.ToArray());
        request.Headers.Add(name, value);
        Assert.Equal(code, (await endpoint.SendAsync(request, Endpoint.Admin)).Code);
    }

    [Theory]
    [InlineData("X-Amz-Target")]
    [InlineData("X-Amz-Date")]
    public async Task HeaderThatIsAddedToASignedCallIsRefused(string name)
    {
        await using var endpoint = await Endpoint.StartAsync([Describe]);
        var request = await endpoint.SignedAsync("DescribeFileSystems");
        request.Headers.TryAddWithoutValidation(name, "AWSSimbaAPIService_v20180301.DeleteFileSystem");
        Assert.NotEqual("OK", (await endpoint.SendAsync(request, key: null)).Code);
    }

    [Fact]
    public async Task UnsignedAmzHeaderIsRefused()
    {
        await using var endpoint = await Endpoint.StartAsync([Describe]);
        var request = await endpoint.SignedAsync("DescribeFileSystems");
        request.Headers.Add("X-Amz-Something", "else");
        var answer = await endpoint.SendAsync(request, key: null);
        Assert.Equal("IncompleteSignatureException", answer.Code);
        Assert.Contains("x-amz-something", answer.Json.GetProperty("Message").GetString());
    }

    [Fact]
    public async Task SameCallAgainIsAnsweredAgain()
    {
        var ran = 0;
        await using var endpoint = await Endpoint.StartAsync([new FakeOperation("CreateFileSystem", changes: true, _ => $"{{\"Ran\":{++ran}}}")]);
        var request = await endpoint.SignedAsync("CreateFileSystem");
        var repeated = new HttpRequestMessage(request.Method, request.RequestUri) { Content = request.Content };
        foreach (var (name, values) in request.Headers) repeated.Headers.TryAddWithoutValidation(name, values);

        Assert.Equal("OK", (await endpoint.SendAsync(request, key: null)).Code);
        Assert.Equal("{\"Ran\":2}", (await endpoint.SendAsync(repeated, key: null)).Body);
    }

    [Fact]
    public async Task PresignedUrlIsRefused()
    {
        await using var endpoint = await Endpoint.StartAsync([Describe]);
        var query = "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
            + $"{Endpoint.Admin.Id}%2F20261130%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Date=20261130T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host"
            + "&X-Amz-Signature=0000000000000000000000000000000000000000000000000000000000000000";
        using var response = await endpoint.Http.GetAsync("/?" + query);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("<Code>MissingAuthenticationToken</Code>", await response.Content.ReadAsStringAsync());
    }

    public static TheoryData<string> BadHeaders => new(
        "Basic YWxhZGRpbjpvcGVuc2VzYW1l",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 ",
        "AWS4-HMAC-SHA256 Credential",
        "AWS4-HMAC-SHA512 {0}, {1}, {2}",
        "AWS4-HMAC-SHA256 {0}, {1}",
        "AWS4-HMAC-SHA256 {0}, {2}",
        "AWS4-HMAC-SHA256 {1}, {2}",
        "AWS4-HMAC-SHA256 {0}, {1}, {2}, {2}",
        "AWS4-HMAC-SHA256 {0}, {1}, {2}, Extra=1",
        "AWS4-HMAC-SHA256 {0}/more, {1}, {2}",
        "AWS4-HMAC-SHA256 Credential=////, {1}, {2}",
        "AWS4-HMAC-SHA256 {0}, SignedHeaders=, {2}",
        "AWS4-HMAC-SHA256 {0}, SignedHeaders=host;;x-amz-date, {2}",
        "AWS4-HMAC-SHA256 {0}, SignedHeaders=Host;X-Amz-Date, {2}",
        "AWS4-HMAC-SHA256 {0}, SignedHeaders=host;host;x-amz-date, {2}",
        "AWS4-HMAC-SHA256 {0}, SignedHeaders=host;x-amz-date;x-not-there, {2}",
        "AWS4-HMAC-SHA256 {0}, SignedHeaders=x-amz-date;x-amz-target, {2}",
        "AWS4-HMAC-SHA256 {0}, SignedHeaders=host;x-amz-target, {2}",
        "AWS4-HMAC-SHA256 {0}, SignedHeaders=host;x-amz-date, {2}",
        "AWS4-HMAC-SHA256 {0}, {1}, Signature=",
        "AWS4-HMAC-SHA256 {0}, {1}, Signature=00",
        "AWS4-HMAC-SHA256 {0}, {1}, Signature=GGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGG");

    [Theory]
    [MemberData(nameof(BadHeaders))]
    public async Task HeaderThatCannotBeReadIsIncomplete(string header)
    {
        await using var endpoint = await Endpoint.StartAsync([Describe]);
        var request = endpoint.Request("DescribeFileSystems", "{}"u8.ToArray());
        var now = SigV4.Format(DateTimeOffset.UtcNow);
        request.Headers.Add("X-Amz-Date", now);
        request.Headers.TryAddWithoutValidation("Authorization", string.Format(
            System.Globalization.CultureInfo.InvariantCulture, header,
            $"Credential={Endpoint.Admin.Id}/{now[..8]}/us-east-1/fsx/aws4_request", "SignedHeaders=host;x-amz-date;x-amz-target", $"Signature={new string('0', 64)}"));
        var answer = await endpoint.SendAsync(request, key: null);
        Assert.Equal((HttpStatusCode.BadRequest, "IncompleteSignatureException"), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData("20261130")]
    [InlineData("20261330T120000Z")]
    [InlineData("2026-11-30T12:00:00Z")]
    [InlineData("")]
    public async Task DateThatCannotBeReadIsIncomplete(string date)
    {
        await using var endpoint = await Endpoint.StartAsync([Describe]);
        var request = endpoint.Request("DescribeFileSystems", Encoding.UTF8.GetBytes("{}"));
        request.Headers.TryAddWithoutValidation("X-Amz-Date", date);
        Assert.Equal("IncompleteSignatureException", (await endpoint.SendAsync(request, Endpoint.Admin)).Code);
    }
}
