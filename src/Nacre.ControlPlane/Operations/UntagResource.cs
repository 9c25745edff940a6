using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

/// <summary>Takes tags away; keys that are not there are no fault.</summary>
internal sealed class UntagResource(OperationServices services)
    : Operation<UntagResourceRequest, EmptyResponse>(ShapesJson.Default.UntagResourceRequest, ShapesJson.Default.EmptyResponse)
{
    private readonly TaggedResources _resources = new(services.Catalog);

    public override string Name => "UntagResource";

    public override bool Changes => true;

    protected override ValueTask<EmptyResponse> RunAsync(UntagResourceRequest request, CallContext context, CancellationToken cancellationToken)
    {
        TagShape.Check(request);
        _resources.Change(request.ResourceARN!, context, now => [.. now.Where(tag => !request.TagKeys!.Contains(tag.Key))]);
        return ValueTask.FromResult(new EmptyResponse());
    }
}
