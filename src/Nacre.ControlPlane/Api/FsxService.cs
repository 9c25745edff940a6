using System.Buffers;
using System.Collections.Frozen;
using System.Text.Json;
using Nacre.ControlPlane.Auth;

namespace Nacre.ControlPlane.Api;

/// <summary>FSx: AWS JSON 1.1.</summary>
internal sealed class FsxService : Service
{
    public const string Target = "X-Amz-Target";

    /// <summary>Of the target, which names the operation behind it.</summary>
    public const string TargetPrefix = "AWSSimbaAPIService_v20180301.";

    private readonly FrozenDictionary<string, Operation> _operations;
    private readonly ApiLimits _limits;
    private readonly string _region;

    public FsxService(IEnumerable<Operation> operations, string region, ApiLimits limits)
    {
        _operations = operations.ToFrozenDictionary(o => o.Name);
        _region = region;
        _limits = limits;
    }

    /// <inheritdoc/>
    public override string SigningName => "fsx";

    /// <inheritdoc/>
    public override string ContentType => "application/x-amz-json-1.1";

    /// <inheritdoc/>
    public override string OperationOf(SignedRequest request)
    {
        var target = request.Headers[Target];
        return target.Count == 1 && target[0]!.StartsWith(TargetPrefix, StringComparison.Ordinal) ? target[0]![TargetPrefix.Length..] : "";
    }

    /// <inheritdoc/>
    public override async ValueTask<byte[]> RunAsync(SignedRequest request, Call call, CallTokens tokens)
    {
        if (!_operations.TryGetValue(call.Operation, out var operation)) throw new ApiException("UnknownOperationException", "", 404);
        if (operation.Changes && call.Key!.IsReadOnly) throw AccessDenied(call);
        using var body = JsonBody.Parse(request.Body, _limits.JsonDepth);
        call.ResourceId = ResourceIds.OfRequest(body.RootElement);
        var answer = await operation.RunAsync(body.RootElement, call.Context, operation.Changes ? tokens.Changing : tokens.Reading);
        if (operation.Changes) call.ResourceId ??= ResourceIds.OfAnswer(answer);
        return answer;
    }

    /// <inheritdoc/>
    public override byte[] WriteError(ApiException error, string requestId)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("__type", error.Code);
        if (error.Message.Length > 0) json.WriteString("Message", error.Message);
        foreach (var (name, value) in error.Members) json.WriteString(name, value);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <inheritdoc/>
    public override ApiException Translate(AuthenticationException refusal) => AuthenticationErrors.Fsx(refusal);

    // The status is what FSx was seen to answer; its documentation says 403 (docs/api.md, "Errors").
    private ApiException AccessDenied(Call call)
    {
        var (key, action) = (call.Key!, $"{SigningName}:{call.Operation}");
        return new ApiException(
            "AccessDeniedException",
            $"User: {key.Arn} is not authorized to perform: {action} on resource: arn:aws:fsx:{_region}:{key.AccountId}:* "
            + $"because no identity-based policy allows the {action} action");
    }
}
