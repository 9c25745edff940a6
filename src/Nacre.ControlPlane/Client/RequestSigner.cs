using Microsoft.AspNetCore.Http;
using Nacre.ControlPlane.Auth;

namespace Nacre.ControlPlane.Client;

/// <summary>Signs requests, by the same arithmetic with which the endpoint verifies them.</summary>
internal sealed class RequestSigner(AwsCredentials credentials, string region, string service, TimeProvider time)
{
    /// <summary>Adds the date, the session token where there is one, and the signature.</summary>
    public void Sign(HttpRequestMessage request, byte[] body)
    {
        var now = time.GetUtcNow();
        request.Headers.Add("X-Amz-Date", SigV4.Format(now));
        if (credentials.SessionToken is { } token)
        {
            request.Headers.Add("X-Amz-Security-Token", token);
        }

        var headers = HeadersOf(request);
        var names = headers.Keys.Select(name => name.ToLowerInvariant()).Order(StringComparer.Ordinal).ToList();
        var url = request.RequestUri!;
        var signed = new SignedRequest(request.Method.Method, url.AbsolutePath, url.Query.TrimStart('?'), headers, body);
        var date = SigV4.Format(now)[..8];
        var scope = $"{date}/{region}/{service}/{SignatureHeader.Terminator}";
        var text = SigV4.StringToSign(now, scope, SigV4.CanonicalRequest(signed, names, SigV4.Hash(body)));
        var signature = SigV4.Signature(SigV4.SigningKey(credentials.SecretAccessKey, date, region, service), text);
        request.Headers.TryAddWithoutValidation(
            "Authorization",
            $"{SignatureHeader.Algorithm} Credential={credentials.AccessKeyId}/{scope}, SignedHeaders={string.Join(';', names)}, Signature={signature}");
    }

    /// <summary>What is signed: the host, and every header that has been set.</summary>
    private static HeaderDictionary HeadersOf(HttpRequestMessage request)
    {
        var headers = new HeaderDictionary { ["host"] = request.RequestUri!.Authority };
        foreach (var (name, values) in request.Headers.Concat(request.Content?.Headers.AsEnumerable() ?? []))
        {
            // The length is the transport's affair.
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                headers[name.ToLowerInvariant()] = values.ToArray();
            }
        }

        return headers;
    }
}
