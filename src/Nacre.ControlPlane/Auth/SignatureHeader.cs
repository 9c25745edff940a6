using System.Buffers;

namespace Nacre.ControlPlane.Auth;

/// <summary>
/// The <c>Authorization</c> header of AWS Signature Version 4:
/// <c>AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX</c>.
/// </summary>
/// <param name="KeyId">Access key id.</param>
/// <param name="Date">Date of the scope, <c>yyyyMMdd</c>; not checked to be one.</param>
/// <param name="SignedHeaders">In lower case, in the order of the header.</param>
/// <param name="Signature">64 lower-case hexadecimal digits.</param>
internal sealed record SignatureHeader(
    string KeyId, string Date, string Region, string Service, IReadOnlyList<string> SignedHeaders, string Signature)
{
    public const string Algorithm = "AWS4-HMAC-SHA256";
    public const string Terminator = "aws4_request";

    /// <summary>Clients sign five to fifteen.</summary>
    private const int MaxSignedHeaders = 64;

    // RFC 9110, section 5.6.2, without capital letters: the canonical form of a name has none.
    private static readonly SearchValues<char> HeaderNameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~");

    private static readonly SearchValues<char> LowerHexDigits = SearchValues.Create("0123456789abcdef");

    public string Scope => $"{Date}/{Region}/{Service}/{Terminator}";

    /// <exception cref="AuthenticationException">Another algorithm, or a part is missing, repeated or malformed.</exception>
    public static SignatureHeader Parse(string header)
    {
        var space = header.IndexOf(' ');
        if (space < 0 || header[..space] != Algorithm)
            throw Incomplete($"Unsupported authorization: only {Algorithm} is accepted.");
        string? credential = null, signedHeaders = null, signature = null;
        foreach (var part in header[(space + 1)..].Split(',', StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=');
            if (equals < 0) throw Incomplete("A part of the Authorization header is not a key=value pair (missing equal-sign).");
            Set(part[..equals], part[(equals + 1)..], ref credential, ref signedHeaders, ref signature);
        }

        RequireAll(credential, signedHeaders, signature);
        var scope = credential!.Split('/');
        if (scope.Length != 5 || scope[4] != Terminator || scope.Any(string.IsNullOrEmpty))
            throw Incomplete("Credential must have exactly 5 slash-delimited elements: keyid/date/region/service/aws4_request.");
        return new SignatureHeader(scope[0], scope[1], scope[2], scope[3], Names(signedHeaders!), Hex(signature!));
    }

    private static void Set(string name, string value, ref string? credential, ref string? signedHeaders, ref string? signature)
    {
        ref var part = ref credential;
        switch (name)
        {
            case "Credential": break;
            case "SignedHeaders": part = ref signedHeaders; break;
            case "Signature": part = ref signature; break;
            default: throw Incomplete("The Authorization header has an unknown part.");
        }

        if (part is not null) throw Incomplete($"The Authorization header has '{name}' twice.");
        part = value;
    }

    private static void RequireAll(string? credential, string? signedHeaders, string? signature)
    {
        var missing = (credential is null ? " Authorization header requires 'Credential' parameter." : "")
            + (signature is null ? " Authorization header requires 'Signature' parameter." : "")
            + (signedHeaders is null ? " Authorization header requires 'SignedHeaders' parameter." : "");
        if (missing.Length > 0) throw Incomplete(missing[1..]);
    }

    private static string[] Names(string signedHeaders)
    {
        var names = signedHeaders.Split(';');
        var isList = names.Length <= MaxSignedHeaders
            && names.All(n => n.Length > 0 && !n.AsSpan().ContainsAnyExcept(HeaderNameCharacters))
            && names.Distinct().Count() == names.Length;
        return isList ? names : throw Incomplete("SignedHeaders must be distinct names in lower case, with ';' between them.");
    }

    private static string Hex(string signature) =>
        signature.Length == 64 && !signature.AsSpan().ContainsAnyExcept(LowerHexDigits)
            ? signature
            : throw Incomplete("Signature must have 64 hexadecimal digits in lower case.");

    private static AuthenticationException Incomplete(string message) => new(AuthenticationFault.Incomplete, message);
}
