using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Nacre.ControlPlane.Auth;

/// <summary>A request as it came, as far as signatures cover it.</summary>
/// <param name="Path">Undecoded. Only <c>/</c> is served, so it is never normalised.</param>
/// <param name="Query">Undecoded, without the question mark.</param>
public sealed record SignedRequest(string Method, string Path, string Query, IHeaderDictionary Headers, ReadOnlyMemory<byte> Body);

/// <summary>
/// The arithmetic of AWS Signature Version 4
/// (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html).
/// </summary>
internal static class SigV4
{
    public const string DateFormat = "yyyyMMdd'T'HHmmss'Z'";

    /// <summary>SHA-256 in lower-case hexadecimal digits.</summary>
    public static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <param name="signedHeaders">Names in lower case; each has to be in the request.</param>
    /// <param name="payloadHash"><see cref="Hash"/> of the body.</param>
    public static string CanonicalRequest(SignedRequest request, IReadOnlyList<string> signedHeaders, string payloadHash)
    {
        var text = new StringBuilder();
        text.Append(request.Method).Append('\n').Append(request.Path).Append('\n').Append(CanonicalQuery(request.Query)).Append('\n');
        foreach (var name in signedHeaders)
        {
            text.Append(name).Append(':').AppendJoin(',', request.Headers[name].Select(v => Folded(v ?? ""))).Append('\n');
        }

        return text.Append('\n').AppendJoin(';', signedHeaders).Append('\n').Append(payloadHash).ToString();
    }

    public static string StringToSign(DateTimeOffset time, string scope, string canonicalRequest) =>
        $"{SignatureHeader.Algorithm}\n{Format(time)}\n{scope}\n{Hash(Encoding.UTF8.GetBytes(canonicalRequest))}";

    /// <returns>64 lower-case hexadecimal digits.</returns>
    public static string Signature(ReadOnlySpan<byte> signingKey, string stringToSign) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(signingKey, Encoding.UTF8.GetBytes(stringToSign)));

    public static byte[] SigningKey(string secret, string date, string region, string service)
    {
        var key = Encoding.UTF8.GetBytes("AWS4" + secret);
        foreach (var part in (ReadOnlySpan<string>)[date, region, service, SignatureHeader.Terminator])
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        }

        return key;
    }

    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString(DateFormat, CultureInfo.InvariantCulture);

    /// <summary>Parameters in the order of their encoded names, then values; every byte but the unreserved ones encoded.</summary>
    private static string CanonicalQuery(string query)
    {
        if (query.Length == 0) return "";
        var parameters = query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(parameter =>
        {
            var equals = parameter.IndexOf('=');
            return equals < 0
                ? (Name: Encoded(parameter), Value: "")
                : (Name: Encoded(parameter[..equals]), Value: Encoded(parameter[(equals + 1)..]));
        });
        return string.Join('&', parameters
            .OrderBy(p => p.Name, StringComparer.Ordinal).ThenBy(p => p.Value, StringComparer.Ordinal)
            .Select(p => $"{p.Name}={p.Value}"));
    }

    // A client may leave unencoded what the canonical form encodes, or encode more than it has to. A plus is a blank: botocore
    // sends it, and signs %20.
    private static string Encoded(string text) => Uri.EscapeDataString(Uri.UnescapeDataString(text.Replace('+', ' ')));

    /// <summary>Without blanks around it, and one for several within.</summary>
    private static string Folded(string value)
    {
        value = value.Trim(' ', '\t');
        if (!value.Contains("  ", StringComparison.Ordinal)) return value;
        var folded = new StringBuilder(value.Length);
        foreach (var c in value)
        {
            if (c != ' ' || folded[^1] != ' ') folded.Append(c);
        }

        return folded.ToString();
    }
}
