using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Primitives;
using Microsoft.Extensions.Time.Testing;
using Nacre.ControlPlane.Auth;
using Endpoint = Nacre.ControlPlane.Tests.Api.Endpoint;

namespace Nacre.ControlPlane.Tests.Auth;

/// <summary>
/// The signer of AWS's own botocore as the judge: what it signs is accepted, and nothing that differs from it by a byte. It makes random requests: methods,
/// queries, bodies in UTF-8, headers with blanks in many places, headers that occur twice.
/// </summary>
public sealed class BotocoreTests : IDisposable
{
    private const string Script = """
        import base64, json, random, sys
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.compat import HTTPHeaders
        from botocore.credentials import Credentials
        seed, key, secret = int(sys.argv[1]), sys.argv[2], sys.argv[3]
        rnd = random.Random(seed)
        letters = 'abcXYZ019-_.~ /:=+*"\'()$,;@%&!'
        def text(most, of=letters): return ''.join(rnd.choice(of) for _ in range(rnd.randrange(most + 1)))
        for _ in range(int(sys.argv[4])):
            method = rnd.choice(['POST', 'POST', 'GET'])
            params = {'p' + text(3, 'abcXYZ') + str(i): text(12, letters + '\u00e4\u20ac') for i in range(rnd.randrange(4))}
            body = text(200, letters + '\u00e4\u20ac\U0001f600\n{}[]').encode() if method == 'POST' else b''
            request = AWSRequest(method=method, url='http://127.0.0.1:8988/', params=params, data=body)
            request.headers['X-Amz-Target'] = 'AWSSimbaAPIService_v20180301.' + text(20, 'abcXYZ')
            for i in range(rnd.randrange(5)):
                name = 'x-test-' + str(i)
                for _ in range(rnd.choice([1, 1, 2])):
                    request.headers.add_header(name, text(3, ' ') + (text(20) or 'x').strip() + text(3, ' '))
            region = rnd.choice(['us-east-1', 'eu-central-1', 'anywhere'])
            SigV4Auth(Credentials(key, secret), 'fsx', region).add_auth(request)
            prepared = request.prepare()
            print(json.dumps({
                'method': method, 'url': prepared.url, 'body': base64.b64encode(body).decode(),
                'headers': [[n, v] for n, v in request.headers.items()]}))
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nacre-judge-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task WhatBotocoreSignsIsAcceptedAndNothingElse()
    {
        const int count = 200;
        var seed = Random.Shared.Next();
        var output = await Shell.RunAsync(
            Shell.Python, ["-c", Script, $"{seed}", Endpoint.Admin.Id, Endpoint.Admin.Secret, $"{count}"]);
        var requests = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Read).ToArray();
        Assert.Equal(count, requests.Length);
        var verifier = await VerifierAsync(requests[0]);
        var random = new Random(seed);

        foreach (var request in requests)
        {
            try
            {
                Assert.Equal(Endpoint.Admin.Id, verifier.Verify(request, "fsx").Id);
            }
            catch (AuthenticationException e)
            {
                Assert.Fail($"seed {seed}: {e.Message}: {Show(request)}");
            }

            foreach (var (what, changed) in Changes(request, random))
            {
                Assert.True(IsRefused(verifier, changed), $"seed {seed}: accepted with another {what}: {Show(changed)} for {Show(request)}");
            }
        }
    }

    /// <summary>The request with one byte of each of its parts changed to another.</summary>
    private static IEnumerable<(string What, SignedRequest Changed)> Changes(SignedRequest request, Random random)
    {
        if (request.Body.Length > 0)
        {
            var body = request.Body.ToArray();
            body[random.Next(body.Length)] ^= (byte)(1 << random.Next(8));
            yield return ("body", request with { Body = body });
        }

        yield return ("longer body", request with { Body = new byte[] { 0 }.Concat(request.Body.ToArray()).ToArray() });
        yield return ("method", request with { Method = request.Method == "POST" ? "GET" : "POST" });
        yield return ("query", request with { Query = request.Query + (request.Query.Length == 0 ? "a=b" : "&a=b") });
        foreach (var (name, values) in request.Headers)
        {
            var value = values.ToString();
            if (value.Length == 0) continue;
            var at = random.Next(value.Length);
            // A blank may fold away and an unsigned header may be anything, so it is always another visible character.
            if (value[at] == ' ') continue;
            yield return ($"header {name}", With(request, name, value[..at] + (value[at] == '7' ? '8' : '7') + value[(at + 1)..]));
        }

        yield return ("header that is gone", With(request, "X-Amz-Target", null));
        yield return ("added x-amz- header", With(request, "X-Amz-Else", "1"));
    }

    private static SignedRequest With(SignedRequest request, string name, string? value)
    {
        var headers = new HeaderDictionary(request.Headers.ToDictionary(StringComparer.OrdinalIgnoreCase));
        if (value is null) headers.Remove(name);
        else headers[name] = value;
        return request with { Headers = headers };
    }

    private static bool IsRefused(RequestVerifier verifier, SignedRequest request)
    {
        try
        {
            verifier.Verify(request, "fsx");
            return false;
        }
        catch (AuthenticationException)
        {
            return true;
        }
    }

    private static SignedRequest Read(string line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        var url = root.GetProperty("url").GetString()!;
        var headers = new HeaderDictionary { ["Host"] = "127.0.0.1:8988" };
        foreach (var header in root.GetProperty("headers").EnumerateArray())
        {
            // As a server sees it: without the blanks around it.
            var name = header[0].GetString()!;
            headers[name] = StringValues.Concat(headers[name], header[1].GetString()!.Trim(' '));
        }

        return new SignedRequest(
            root.GetProperty("method").GetString()!, "/", url.Contains('?', StringComparison.Ordinal) ? url[(url.IndexOf('?') + 1)..] : "",
            headers, root.GetProperty("body").GetBytesFromBase64());
    }

    /// <summary>At the time of the first request, so that a slow machine does not matter.</summary>
    private async Task<RequestVerifier> VerifierAsync(SignedRequest first)
    {
        var path = Path.Combine(_folder.FullName, "credentials");
        await Endpoint.WriteCredentialsAsync(path, Endpoint.Admin);
        var at = DateTimeOffset.ParseExact(
            first.Headers["X-Amz-Date"].ToString(), SigV4.DateFormat, System.Globalization.CultureInfo.InvariantCulture,
            System.Globalization.DateTimeStyles.AssumeUniversal);
        return new RequestVerifier(CredentialStore.Open(path, mayCreate: false, NullLoggerFactory.Instance), new FakeTimeProvider(at));
    }

    private static string Show(SignedRequest request) =>
        $"{request.Method} ?{request.Query} {string.Join(" | ", request.Headers.Select(h => $"{h.Key}: {h.Value}"))} body {Convert.ToHexString(request.Body.Span)}";
}
