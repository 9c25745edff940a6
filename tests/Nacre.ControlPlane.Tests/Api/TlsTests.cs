using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nacre.ControlPlane.Api;
using Nacre.Server.Node;

namespace Nacre.ControlPlane.Tests.Api;

public sealed class TlsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nacre-tls-");
    private readonly X509Certificate2 _certificate = SelfSigned();

    public void Dispose()
    {
        _certificate.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("pfx", "1.1")]
    [InlineData("pem", "2.0")]
    [InlineData("two files", "2.0")]
    public async Task CertificateIsServed(string kind, string version)
    {
        var (file, keyFile) = Write(kind);
        await using var endpoint = await Endpoint.StartAsync(
            [new FakeOperation("DescribeFileSystems", changes: false, _ => "{}")],
            options => options with { Url = ApiUrl.Parse("https://127.0.0.1:0"), CertificateFile = file, CertificateKeyFile = keyFile });
        using var handler = new HttpClientHandler
        {
            ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown!.Thumbprint == _certificate.Thumbprint,
        };
        using var http = new HttpClient(handler)
        {
            DefaultRequestVersion = Version.Parse(version),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var response = await http.GetAsync(endpoint.Server.Url);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(version, response.Version.ToString());
        await AssertSignedCallAsync(endpoint, http);
    }

    [Fact]
    public async Task UnusableCertificateIsSaidInOneLine()
    {
        var (file, keyFile) = Write("two files");
        foreach (var (certificate, key) in new[] { (null, null), ("/nowhere.pem", null), (file, null), (keyFile, keyFile), (file, file) })
        {
            var refusal = await Assert.ThrowsAsync<NodeConfigurationException>(() => Endpoint.StartAsync(change: options => options with
            {
                Url = ApiUrl.Parse("https://127.0.0.1:0"),
                CertificateFile = certificate,
                CertificateKeyFile = key,
            }));
            Assert.DoesNotContain('\n', refusal.Message);
        }
    }

    private static async Task AssertSignedCallAsync(Endpoint endpoint, HttpClient http)
    {
        var request = await endpoint.SignedAsync("DescribeFileSystems");
        request.Version = http.DefaultRequestVersion;
        request.VersionPolicy = http.DefaultVersionPolicy;
        using var response = await http.SendAsync(request);
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
    }

    private (string File, string? KeyFile) Write(string kind)
    {
        var key = _certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem();
        var file = Path.Combine(_folder.FullName, "certificate");
        var keyFile = Path.Combine(_folder.FullName, "key");
        switch (kind)
        {
            case "pfx":
                File.WriteAllBytes(file, _certificate.Export(X509ContentType.Pfx));
                return (file, null);
            case "pem":
                File.WriteAllText(file, _certificate.ExportCertificatePem() + "\n" + key);
                return (file, null);
            default:
                File.WriteAllText(file, _certificate.ExportCertificatePem());
                File.WriteAllText(keyFile, key);
                return (file, keyFile);
        }
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
