using Microsoft.Extensions.Logging.Abstractions;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Auth;
using Nacre.Server.Node;

namespace Nacre.ControlPlane.Tests.Api;

public sealed class ApiUrlTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8988", true, false)]
    [InlineData("http://localhost:8988", true, false)]
    [InlineData("http://[::1]:8988/", true, false)]
    [InlineData("https://10.0.0.5:443", false, true)]
    [InlineData("http://0.0.0.0:8988", false, false)]
    public void AddressIsTaken(string text, bool isLoopback, bool isHttps)
    {
        var url = ApiUrl.Parse(text);
        Assert.Equal((isLoopback, isHttps), (url.IsLoopback, url.IsHttps));
    }

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1:8988")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("http://example.com:8988")]
    [InlineData("http://127.0.0.1:8988/path")]
    [InlineData("http://user@127.0.0.1:8988")]
    [InlineData("http://127.0.0.1:8988?a=b")]
    [InlineData("http://127.0.0.1:99999")]
    public void AnythingElseIsRefused(string text) => Assert.Throws<NodeConfigurationException>(() => ApiUrl.Parse(text));

    [Fact]
    public async Task PortThatIsTakenIsSaidInOneLine()
    {
        await using var first = await Endpoint.StartAsync();
        var refusal = await Assert.ThrowsAsync<NodeConfigurationException>(() => Endpoint.StartAsync(
            change: options => options with { Url = ApiUrl.Parse($"http://127.0.0.1:{first.Server.Url.Port}") }));
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Fact]
    public async Task NewKeysAreNotUsedBeyondThisMachine()
    {
        var folder = Directory.CreateTempSubdirectory("nacre-api-");
        try
        {
            var path = Path.Combine(folder.FullName, "credentials");
            var everywhere = ApiUrl.Parse("http://0.0.0.0:0");
            Assert.Throws<NodeConfigurationException>(() => CredentialStore.Open(path, everywhere.IsLoopback, NullLoggerFactory.Instance));
            Assert.False(File.Exists(path));
            var credentials = CredentialStore.Open(path, mayCreate: true, NullLoggerFactory.Instance);
            Assert.True(credentials.IsNew);
            await Assert.ThrowsAsync<NodeConfigurationException>(() => Endpoint.StartAsync(
                change: options => options with { Url = everywhere, Credentials = credentials }));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
