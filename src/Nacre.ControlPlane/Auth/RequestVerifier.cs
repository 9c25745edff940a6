using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Nacre.ControlPlane.Auth;

/// <summary>Tells whose request it is by its signature. Safe for any thread.</summary>
internal sealed class RequestVerifier(CredentialStore credentials, TimeProvider time)
{
    /// <summary>What AWS tolerates between the clocks, in both directions.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromMinutes(15);

    private const string AmzDate = "x-amz-date";
    private const string ContentHash = "x-amz-content-sha256";
    private const string SecurityToken = "x-amz-security-token";

    /// <summary>
    /// The same request again is accepted as long as it is not <see cref="Skew"/> old: docs/semantics.md says why.
    /// </summary>
    /// <param name="service">Signing name the scope has to have. Any region will do.</param>
    /// <exception cref="AuthenticationException">The caller could not be told.</exception>
    public AccessKey Verify(SignedRequest request, string service)
    {
        var header = SignatureHeader.Parse(TheOnly(request));
        try
        {
            return Verify(request, header, service);
        }
        catch (AuthenticationException e) when (e.ClaimedKeyId is null)
        {
            throw new AuthenticationException(e.Fault, e.Message) { ClaimedKeyId = header.KeyId };
        }
    }

    private AccessKey Verify(SignedRequest request, SignatureHeader header, string service)
    {
        CheckSignedHeaders(request.Headers, header.SignedHeaders);
        var signedAt = SignedAt(request.Headers);
        if (credentials.Find(header.KeyId) is not { } key || request.Headers.ContainsKey(SecurityToken))
            throw new AuthenticationException(AuthenticationFault.UnknownKey, "The security token included in the request is invalid.");
        CheckScope(header, signedAt, service);
        CheckClock(signedAt);
        var payloadHash = CheckedPayloadHash(request);
        var expected = SigV4.Signature(
            SigV4.SigningKey(key.Secret, header.Date, header.Region, header.Service),
            SigV4.StringToSign(signedAt, header.Scope, SigV4.CanonicalRequest(request, header.SignedHeaders, payloadHash)));
        // Both have 64 digits, and nothing of the expected one is told by the time this takes.
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(header.Signature))
            ? key
            : throw Mismatch("The request signature we calculated does not match the signature you provided. "
                + "Check your AWS Secret Access Key and signing method.");
    }

    private static string TheOnly(SignedRequest request)
    {
        var values = request.Headers.Authorization;
        if (values.Count > 1) throw new AuthenticationException(AuthenticationFault.Incomplete, "There are two Authorization headers.");
        if (values.Count == 1 && !string.IsNullOrEmpty(values[0])) return values[0]!;
        throw new AuthenticationException(AuthenticationFault.Missing, request.Query.Contains("X-Amz-", StringComparison.OrdinalIgnoreCase)
            ? "Missing Authentication Token: a signature in the query string is not accepted, only one in the Authorization header."
            : "Missing Authentication Token");
    }

    /// <summary>What decides the meaning of a request has to be under its signature: host, date, and every x-amz- header, the target among them.</summary>
    private static void CheckSignedHeaders(IHeaderDictionary headers, IReadOnlyList<string> signed)
    {
        foreach (var name in signed)
        {
            if (!headers.ContainsKey(name))
                throw Incomplete($"'{name}' is named as a SignedHeader, but it does not exist in the HTTP request.");
        }

        if (!headers.ContainsKey(AmzDate) && !headers.ContainsKey("date"))
            throw Incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
        string[] required = ["host", headers.ContainsKey(AmzDate) ? AmzDate : "date"];
        var forgotten = required
            .Concat(headers.Keys.Select(k => k.ToLowerInvariant()).Where(k => k.StartsWith("x-amz-", StringComparison.Ordinal)))
            .FirstOrDefault(name => !signed.Contains(name));
        if (forgotten is not null) throw Incomplete($"'{forgotten}' must be a SignedHeader.");
    }

    private static DateTimeOffset SignedAt(IHeaderDictionary headers)
    {
        var values = headers[headers.ContainsKey(AmzDate) ? AmzDate : "date"];
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (values.Count == 1
            && (DateTimeOffset.TryParseExact(values[0], SigV4.DateFormat, CultureInfo.InvariantCulture, utc, out var at)
                || DateTimeOffset.TryParseExact(values[0], "r", CultureInfo.InvariantCulture, utc, out at)))
        {
            return at;
        }

        throw Incomplete("Date must be in ISO-8601 'basic format'.");
    }

    private static void CheckScope(SignatureHeader header, DateTimeOffset signedAt, string service)
    {
        var date = SigV4.Format(signedAt)[..8];
        if (header.Date != date)
            throw Mismatch($"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}'.");
        if (header.Service != service) throw Mismatch($"Credential should be scoped to correct service: '{service}'.");
    }

    private void CheckClock(DateTimeOffset signedAt)
    {
        var now = time.GetUtcNow();
        if (signedAt < now - Skew)
        {
            throw Skewed($"Signature expired: {SigV4.Format(signedAt)} is now earlier than {SigV4.Format(now - Skew)} "
                + $"({SigV4.Format(now)} - 15 min.)");
        }

        if (signedAt > now + Skew)
        {
            throw Skewed($"Signature not yet current: {SigV4.Format(signedAt)} is still later than {SigV4.Format(now + Skew)} "
                + $"({SigV4.Format(now)} + 15 min.)");
        }
    }

    private static string CheckedPayloadHash(SignedRequest request)
    {
        var hash = SigV4.Hash(request.Body.Span);
        var sent = request.Headers[ContentHash];
        if (sent.Count > 0 && sent != hash) throw Mismatch("The value of x-amz-content-sha256 is not the SHA-256 of the body.");
        return hash;
    }

    private static AuthenticationException Incomplete(string message) => new(AuthenticationFault.Incomplete, message);

    private static AuthenticationException Mismatch(string message) => new(AuthenticationFault.Mismatch, message);

    private static AuthenticationException Skewed(string message) => new(AuthenticationFault.Skewed, message);
}
