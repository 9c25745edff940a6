using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Nacre.ControlPlane.Api;

/// <summary>One operation of the FSx API. The endpoint finds it by name, checks the signature, and hands it the body.</summary>
public abstract class Operation
{
    /// <summary>The part of <c>X-Amz-Target</c> behind the dot, for instance <c>CreateFileSystem</c>.</summary>
    public abstract string Name { get; }

    /// <summary>A key that may only read is refused where this is set.</summary>
    public abstract bool Changes { get; }

    /// <param name="body">A JSON object; bounded in size and depth by the endpoint.</param>
    /// <returns>The answer, a JSON object in UTF-8.</returns>
    /// <exception cref="ApiException">The call is refused.</exception>
    public abstract ValueTask<byte[]> RunAsync(JsonElement body, CallContext context, CancellationToken cancellationToken);
}

/// <summary>An operation with the shapes of its request and its answer.</summary>
public abstract class Operation<TRequest, TResponse>(JsonTypeInfo<TRequest> request, JsonTypeInfo<TResponse> response) : Operation
    where TRequest : class
    where TResponse : class
{
    /// <inheritdoc/>
    public sealed override async ValueTask<byte[]> RunAsync(JsonElement body, CallContext context, CancellationToken cancellationToken)
    {
        var answer = await RunAsync(Read(body), context, cancellationToken);
        return JsonSerializer.SerializeToUtf8Bytes(answer, response);
    }

    /// <param name="request">As sent: nothing but the JSON types of its members has been checked.</param>
    protected abstract ValueTask<TResponse> RunAsync(TRequest request, CallContext context, CancellationToken cancellationToken);

    private TRequest Read(JsonElement body)
    {
        try
        {
            return body.Deserialize(request) ?? throw new ApiException("SerializationException", "The request has no body.");
        }
        catch (JsonException e)
        {
            // AWS's own services answer a member of the wrong JSON type with this code.
            throw new ApiException("SerializationException", $"The value at '{e.Path}' has the wrong type.");
        }
    }
}
