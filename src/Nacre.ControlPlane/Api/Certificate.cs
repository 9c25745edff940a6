using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Nacre.Server.Node;

namespace Nacre.ControlPlane.Api;

/// <summary>The certificate of an endpoint with TLS.</summary>
internal static class Certificate
{
    /// <exception cref="NodeConfigurationException">It is missing or unusable.</exception>
    public static HttpsConnectionAdapterOptions Load(string? file, string? keyFile)
    {
        if (file is null) throw new NodeConfigurationException("https needs a certificate: --api-certificate FILE");
        try
        {
            var (certificate, chain) = IsPem(file) ? Pem(file, keyFile) : (X509CertificateLoader.LoadPkcs12FromFile(file, password: null), null);
            if (!certificate.HasPrivateKey) throw new NodeConfigurationException($"certificate {file}: it has no private key");
            return new HttpsConnectionAdapterOptions
            {
                ServerCertificate = certificate,
                ServerCertificateChain = chain,
                SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new NodeConfigurationException($"certificate {file}: {e.Message}", e);
        }
    }

    private static bool IsPem(string file) => File.ReadAllText(file).Contains("-----BEGIN", StringComparison.Ordinal);

    /// <summary>The first certificate is the endpoint's, the others lead to a root that clients know.</summary>
    private static (X509Certificate2 Certificate, X509Certificate2Collection Chain) Pem(string file, string? keyFile)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(file);
        return (X509Certificate2.CreateFromPemFile(file, keyFile), chain);
    }
}
