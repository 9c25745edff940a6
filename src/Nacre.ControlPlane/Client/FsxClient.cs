using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Client;

/// <summary>
/// Calls the FSx API, of Nacre or of AWS: AWS JSON 1.1 over HTTP, signed with Signature Version 4. Throttled calls and faults of the server are
/// tried again a few times, as the AWS tools do.
/// </summary>
/// <param name="endpoint">For instance <c>http://127.0.0.1:8988</c>.</param>
public sealed class FsxClient(HttpClient http, Uri endpoint, string region, AwsCredentials credentials, TimeProvider time)
{
    private const string TargetPrefix = "AWSSimbaAPIService_v20180301.";
    private const int MaxTries = 5;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private readonly RequestSigner _signer = new(credentials, region, "fsx", time);

    /// <summary>CreateFileSystem.</summary>
    public Task<FileSystem> CreateAsync(JsonObject request, CancellationToken ct) => FileSystemOfAsync("CreateFileSystem", WithToken(request), ct);

    /// <summary>UpdateFileSystem.</summary>
    public Task<FileSystem> UpdateAsync(JsonObject request, CancellationToken ct) => FileSystemOfAsync("UpdateFileSystem", WithToken(request), ct);

    /// <summary>DeleteFileSystem; returns the answer as it is.</summary>
    public Task<JsonElement> DeleteAsync(JsonObject request, CancellationToken ct) => CallAsync("DeleteFileSystem", WithToken(request), ct);

    /// <summary>DescribeFileSystems of one file system.</summary>
    /// <exception cref="FsxException">FileSystemNotFound, for instance.</exception>
    public async Task<FileSystem> DescribeAsync(string id, CancellationToken ct)
    {
        var page = await CallAsync("DescribeFileSystems", new JsonObject { ["FileSystemIds"] = new JsonArray(id) }, ct);
        return Read(page.GetProperty("FileSystems")[0], ClientJson.Default.FileSystem);
    }

    /// <summary>DescribeFileSystems, all pages; those that are not Lustre are left out.</summary>
    public async Task<IReadOnlyList<FileSystem>> ListAsync(CancellationToken ct)
    {
        var all = new List<FileSystem>();
        string? next = null;
        do
        {
            var request = new JsonObject();
            if (next is not null)
            {
                request["NextToken"] = next;
            }

            var page = await CallAsync("DescribeFileSystems", request, ct);
            all.AddRange(page.GetProperty("FileSystems").EnumerateArray().Where(IsLustre).Select(one => Read(one, ClientJson.Default.FileSystem)));
            next = page.TryGetProperty("NextToken", out var token) ? token.GetString() : null;
        }
        while (!string.IsNullOrEmpty(next));
        return all;
    }

    /// <summary>ListTagsForResource, all pages.</summary>
    public async Task<IReadOnlyList<Tag>> ListTagsAsync(string arn, CancellationToken ct)
    {
        var all = new List<Tag>();
        string? next = null;
        do
        {
            var request = new JsonObject { ["ResourceARN"] = arn };
            if (next is not null)
            {
                request["NextToken"] = next;
            }

            var page = await CallAsync("ListTagsForResource", request, ct);
            all.AddRange(Read(page.GetProperty("Tags"), ClientJson.Default.TagArray));
            next = page.TryGetProperty("NextToken", out var token) ? token.GetString() : null;
        }
        while (!string.IsNullOrEmpty(next));
        return all;
    }

    /// <summary>TagResource.</summary>
    public Task TagAsync(string arn, IEnumerable<Tag> tags, CancellationToken ct) => CallAsync(
        "TagResource",
        new JsonObject { ["ResourceARN"] = arn, ["Tags"] = new JsonArray([.. tags.Select(ToJson)]) },
        ct);

    /// <summary>UntagResource.</summary>
    public Task UntagAsync(string arn, IEnumerable<string> keys, CancellationToken ct) => CallAsync(
        "UntagResource",
        new JsonObject { ["ResourceARN"] = arn, ["TagKeys"] = new JsonArray([.. keys.Select(key => (JsonNode)key)]) },
        ct);

    public static JsonNode ToJson(Tag tag) => new JsonObject { ["Key"] = tag.Key, ["Value"] = tag.Value };

    /// <summary>Any operation.</summary>
    /// <returns>The answer, a JSON object.</returns>
    /// <exception cref="FsxException">It is refused, or nobody answers.</exception>
    public async Task<JsonElement> CallAsync(string operation, JsonObject request, CancellationToken ct)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(request, ClientJson.Default.JsonObject);
        for (var tried = 1; ; tried++)
        {
            try
            {
                return await CallOnceAsync(operation, body, ct);
            }
            catch (FsxException e) when (tried < MaxTries && e.Code is "ThrottlingException" or "InternalServerError" or "InternalFailure" or "ServiceUnavailable")
            {
                await Task.Delay(FirstPause * (1 << tried), time, ct);
            }
        }
    }

    private async Task<JsonElement> CallOnceAsync(string operation, byte[] body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-amz-json-1.1");
        request.Headers.Add("X-Amz-Target", TargetPrefix + operation);
        _signer.Sign(request, body);
        try
        {
            using var response = await http.SendAsync(request, ct);
            var answer = await response.Content.ReadAsByteArrayAsync(ct);
            return response.IsSuccessStatusCode ? Parse(answer) : throw Refusal(answer, (int)response.StatusCode);
        }
        catch (HttpRequestException e)
        {
            throw new FsxException(null, $"the API at {endpoint.GetLeftPart(UriPartial.Authority)} cannot be reached: {Explain(e)}", e);
        }
        catch (TaskCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new FsxException(null, $"the API at {endpoint.GetLeftPart(UriPartial.Authority)} does not answer", e);
        }
    }

    private static string Explain(HttpRequestException e) => e.InnerException switch
    {
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "nothing listens there",
        SocketException inner => inner.Message,
        System.Security.Authentication.AuthenticationException inner => inner.Message,
        _ => e.Message,
    };

    private static JsonElement Parse(byte[] answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new FsxException(null, "the API's answer is no JSON object: is this an endpoint of FSx?");
        }
        catch (JsonException e)
        {
            throw new FsxException(null, "the API's answer is no JSON: is this an endpoint of FSx?", e);
        }
    }

    /// <summary><c>__type</c> may carry a namespace before and a URL behind the name (api.md 2.2).</summary>
    private static FsxException Refusal(byte[] answer, int status)
    {
        var error = Parse(answer);
        var type = Text(error, "__type") ?? $"HTTP {status}";
        var code = type[(type.LastIndexOf('#') + 1)..].Split(':')[0];
        var message = Text(error, "Message") ?? Text(error, "message") ?? "";
        return new FsxException(code, $"{code}: {message.ReplaceLineEndings(" ")}".TrimEnd(' ', ':'));
    }

    private static string? Text(JsonElement from, string member) =>
        from.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private async Task<FileSystem> FileSystemOfAsync(string operation, JsonObject request, CancellationToken ct) =>
        Read((await CallAsync(operation, request, ct)).GetProperty("FileSystem"), ClientJson.Default.FileSystem);

    private static T Read<T>(JsonElement from, JsonTypeInfo<T> type)
    {
        try
        {
            return from.Deserialize(type) ?? throw new JsonException("it is empty");
        }
        catch (JsonException e)
        {
            throw new FsxException(null, $"the API's answer cannot be understood: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    private static bool IsLustre(JsonElement one) => Text(one, "FileSystemType") == "LUSTRE" && one.TryGetProperty("LustreConfiguration", out _);

    /// <summary>So that a call that is tried again does nothing twice.</summary>
    private static JsonObject WithToken(JsonObject request)
    {
        request["ClientRequestToken"] ??= Guid.NewGuid().ToString();
        return request;
    }
}
