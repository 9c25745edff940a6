using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Audit;
using Nacre.ControlPlane.Auth;
using Nacre.ControlPlane.Network;

namespace Nacre.ControlPlane.Tests.Api;

/// <summary>A running endpoint on a free port of loopback, with a folder of its own that goes with it.</summary>
internal sealed class Endpoint : IAsyncDisposable
{
    public const string AccountId = "123456789012";

    /// <summary>May do everything.</summary>
    public static readonly AccessKey Admin = new("admin", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", AccountId, IsReadOnly: false);

    public static readonly AccessKey Reader = new("reader", "AKIAREADREADREADREAD", "ReadReadReadReadReadReadReadReadReadRead", AccountId, IsReadOnly: true);

    private readonly DirectoryInfo _folder;
    private readonly AuditLog _audit;
    private bool _isAuditOpen = true;

    private Endpoint(DirectoryInfo folder, ApiServer server, AuditLog audit, CredentialStore credentials)
    {
        (_folder, Server, _audit, Credentials) = (folder, server, audit, credentials);
        Http = new HttpClient { BaseAddress = server.Url };
    }

    public ApiServer Server { get; }

    public CredentialStore Credentials { get; }

    public HttpClient Http { get; }

    public string AuditFolder => Path.Combine(_folder.FullName, "audit");

    public static async Task<Endpoint> StartAsync(
        IEnumerable<Operation>? operations = null, Func<ApiServerOptions, ApiServerOptions>? change = null,
        TimeProvider? time = null, ILoggerFactory? logging = null)
    {
        time ??= TimeProvider.System;
        logging ??= NullLoggerFactory.Instance;
        var folder = Directory.CreateTempSubdirectory("nacre-api-");
        var path = Path.Combine(folder.FullName, CredentialStore.FileName);
        await WriteCredentialsAsync(path, Admin, Reader);
        var credentials = CredentialStore.Open(path, mayCreate: false, logging);
        var audit = new AuditLog(new AuditOptions(Path.Combine(folder.FullName, "audit")), time, logging);
        var options = new ApiServerOptions
        {
            Url = ApiUrl.Parse("http://127.0.0.1:0"),
            Operations = operations ?? [],
            Credentials = credentials,
            Audit = audit,
            NetworkInterfaces = new NoInterfaces(),
        };
        options = change?.Invoke(options) ?? options;
        var server = await ApiServer.StartAsync(options, time, logging, CancellationToken.None);
        return new Endpoint(folder, server, audit, credentials);
    }

    public static async Task WriteCredentialsAsync(string path, params AccessKey[] keys)
    {
        var text = string.Concat(keys.Select(k => CredentialsFile.Write(k) + (k.IsReadOnly ? "read_only = true\n" : "")));
        await File.WriteAllTextAsync(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>A signed call of FSx.</summary>
    public Task<Answer> CallAsync(string operation, string body = "{}", AccessKey? key = null) =>
        SendAsync(Request(operation, Encoding.UTF8.GetBytes(body)), key ?? Admin);

    /// <param name="key">Null to send it without a signature.</param>
    public async Task<Answer> SendAsync(HttpRequestMessage request, AccessKey? key, string service = "fsx", DateTimeOffset? at = null)
    {
        if (key is not null) await SignAsync(request, key, service, at ?? DateTimeOffset.UtcNow);
        using var response = await Http.SendAsync(request);
        return await Answer.OfAsync(response);
    }

    public HttpRequestMessage Request(string operation, byte[] body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Server.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-amz-json-1.1");
        request.Headers.Add("X-Amz-Target", "AWSSimbaAPIService_v20180301." + operation);
        return request;
    }

    public HttpRequestMessage Form(string body) => new(HttpMethod.Post, Server.Url)
    {
        Content = new StringContent(body, Encoding.UTF8, "application/x-www-form-urlencoded"),
    };

    /// <summary>What the endpoint is to have written to its audit log: stops the writing, so that all is there.</summary>
    public async Task<JsonElement[]> AuditAsync()
    {
        await CloseAuditAsync();
        var lines = await File.ReadAllLinesAsync(Path.Combine(AuditFolder, "audit.jsonl"));
        return [.. lines.Select(line => JsonDocument.Parse(line).RootElement)];
    }

    public async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, Server.Url.Port);
        return socket;
    }

    public async Task<HttpRequestMessage> SignedAsync(string operation, string body = "{}")
    {
        var request = Request(operation, Encoding.UTF8.GetBytes(body));
        await SignAsync(request, Admin, "fsx", DateTimeOffset.UtcNow);
        return request;
    }

    /// <summary>A signed call of FSx as it goes over the wire.</summary>
    public async Task<byte[]> WireAsync(string operation, string body = "{}")
    {
        var request = await SignedAsync(operation, body);
        var headers = request.Headers.Concat(request.Content!.Headers).Select(h => $"{h.Key}: {string.Join(",", h.Value)}\r\n");
        return Encoding.ASCII.GetBytes($"POST / HTTP/1.1\r\n{string.Concat(headers)}\r\n{body}");
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
        await CloseAuditAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>Signs with the arithmetic under test, which <c>BotocoreTests</c> holds against another's.</summary>
    private static async Task SignAsync(HttpRequestMessage request, AccessKey key, string service, DateTimeOffset at)
    {
        request.Headers.Host ??= request.RequestUri!.Authority;
        if (!request.Headers.Contains("X-Amz-Date")) request.Headers.Add("X-Amz-Date", SigV4.Format(at));
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync();
        var headers = new HeaderDictionary();
        foreach (var (name, values) in request.Headers) headers[name.ToLowerInvariant()] = values.ToArray();
        if (request.Content?.Headers.ContentType is { } type) headers["content-type"] = type.ToString();
        string[] signed = [.. headers.Keys.Order(StringComparer.Ordinal)];
        var scope = $"{SigV4.Format(at)[..8]}/us-east-1/{service}/aws4_request";
        var text = new SignedRequest(request.Method.Method, "/", request.RequestUri!.Query.TrimStart('?'), headers, body);
        var signature = SigV4.Signature(
            SigV4.SigningKey(key.Secret, SigV4.Format(at)[..8], "us-east-1", service),
            SigV4.StringToSign(at, scope, SigV4.CanonicalRequest(text, signed, SigV4.Hash(body))));
        request.Headers.TryAddWithoutValidation(
            "Authorization", $"AWS4-HMAC-SHA256 Credential={key.Id}/{scope}, SignedHeaders={string.Join(';', signed)}, Signature={signature}");
    }

    private async Task CloseAuditAsync()
    {
        if (_isAuditOpen) await _audit.DisposeAsync();
        _isAuditOpen = false;
    }

    private sealed class NoInterfaces : INetworkInterfaces
    {
        public IReadOnlyCollection<NetworkInterface> List(string accountId) => [];
    }
}

/// <summary>What came back.</summary>
internal sealed record Answer(HttpStatusCode Status, string Body, string RequestId, string? ErrorType, string? ContentType)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>The code of the error, or OK.</summary>
    public string Code => Status == HttpStatusCode.OK ? "OK" : Json.GetProperty("__type").GetString()!;

    public static async Task<Answer> OfAsync(HttpResponseMessage response) => new(
        response.StatusCode,
        await response.Content.ReadAsStringAsync(),
        response.Headers.GetValues("x-amzn-RequestId").Single(),
        response.Headers.TryGetValues("x-amzn-ErrorType", out var type) ? type.Single() : null,
        response.Content.Headers.ContentType?.ToString());
}
