using System.Text;
using System.Text.Json;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

/// <summary>Lists resources that only other families of file systems have: there are none. Tools that show everything ask for them.</summary>
/// <param name="listMember">The member of the answer that holds the list.</param>
/// <param name="idsMember">The member of the request that names resources; null where there is none.</param>
/// <param name="notFound">The code for a name, as none exists.</param>
internal sealed class EmptyListing(string name, string listMember, string? idsMember, string notFound) : Operation
{
    private readonly byte[] _answer = Encoding.UTF8.GetBytes($"{{\"{listMember}\":[]}}");

    public override string Name => name;

    public override bool Changes => false;

    public override ValueTask<byte[]> RunAsync(JsonElement body, CallContext context, CancellationToken cancellationToken)
    {
        bool namesSome = idsMember is not null && body.TryGetProperty(idsMember, out var ids)
            && ids.ValueKind == JsonValueKind.Array && ids.GetArrayLength() > 0;
        return namesSome
            ? throw new ApiException(notFound, $"None of the named {listMember} exists: this server has LUSTRE file systems only.")
            : ValueTask.FromResult(_answer);
    }
}

/// <summary>An operation on resources that only other families of file systems have.</summary>
internal sealed class ForeignOperation(string name) : Operation
{
    public override string Name => name;

    public override bool Changes => true;

    public override ValueTask<byte[]> RunAsync(JsonElement body, CallContext context, CancellationToken cancellationToken) =>
        throw new ApiException(ErrorCode.UnsupportedOperation, $"{name} is unsupported for LUSTRE file systems, and this server has no others.");
}

/// <summary>UpdateFileCache and DeleteFileCache: there is no file cache.</summary>
internal sealed class FileCacheOperation(string name)
    : Operation<FileCacheRequest, EmptyResponse>(ShapesJson.Default.FileCacheRequest, ShapesJson.Default.EmptyResponse)
{
    public override string Name => name;

    public override bool Changes => true;

    protected override ValueTask<EmptyResponse> RunAsync(FileCacheRequest request, CallContext context, CancellationToken cancellationToken)
    {
        RepositoryShape.Check(request);
        throw NotFound.FileCache(request.FileCacheId!);
    }
}

/// <summary>CreateFileCache.</summary>
internal sealed class CreateFileCache : Operation
{
    public override string Name => "CreateFileCache";

    public override bool Changes => true;

    public override ValueTask<byte[]> RunAsync(JsonElement body, CallContext context, CancellationToken cancellationToken) =>
        throw NotHereYet.FileCaches();
}
