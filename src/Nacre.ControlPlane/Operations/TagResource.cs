using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

/// <summary>Adds tags, or gives those that are there new values.</summary>
internal sealed class TagResource(OperationServices services)
    : Operation<TagResourceRequest, EmptyResponse>(ShapesJson.Default.TagResourceRequest, ShapesJson.Default.EmptyResponse)
{
    private static readonly IReadOnlyList<Rule<TagResourceRequest>> Rules = [.. TagRules.Of<TagResourceRequest>(request => request.Tags)];

    private readonly TaggedResources _resources = new(services.Catalog);

    public override string Name => "TagResource";

    public override bool Changes => true;

    protected override ValueTask<EmptyResponse> RunAsync(TagResourceRequest request, CallContext context, CancellationToken cancellationToken)
    {
        TagShape.Check(request);
        Rules.Check(request);
        _resources.Change(request.ResourceARN!, context, now => Merge(now, [.. request.Tags!.OfType<Tag>()]));
        return ValueTask.FromResult(new EmptyResponse());
    }

    private static List<Tag> Merge(IReadOnlyList<Tag> now, IReadOnlyList<Tag> given)
    {
        var merged = now.Select(tag => given.FirstOrDefault(other => other.Key == tag.Key) ?? tag).ToList();
        merged.AddRange(given.Where(tag => now.All(other => other.Key != tag.Key)));
        return merged.Count <= TagRules.MaxTags
            ? merged
            : throw new ApiException(ErrorCode.BadRequest, $"A resource can have {TagRules.MaxTags} tags; it would have {merged.Count}.");
    }
}
