using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class ListTagsForResource(OperationServices services)
    : Operation<ListTagsForResourceRequest, ListTagsForResourceResponse>(
        ShapesJson.Default.ListTagsForResourceRequest, ShapesJson.Default.ListTagsForResourceResponse)
{
    private readonly TaggedResources _resources = new(services.Catalog);
    private readonly PageTokens _tokens = new(services.Catalog.PageKey);

    public override string Name => "ListTagsForResource";

    public override bool Changes => false;

    protected override ValueTask<ListTagsForResourceResponse> RunAsync(
        ListTagsForResourceRequest request, CallContext context, CancellationToken cancellationToken)
    {
        TagShape.Check(request);
        string listing = $"{Name}\n{context.AccountId}\n{request.ResourceARN}";
        int from = (int)_tokens.Read(listing, request.NextToken);
        var tags = _resources.Read(request.ResourceARN!, context);
        int until = (int)Math.Min((long)from + (request.MaxResults ?? TagRules.MaxTags), tags.Count);
        return ValueTask.FromResult(new ListTagsForResourceResponse(
            [.. tags.Take(until).Skip(from)], until < tags.Count ? _tokens.Write(listing, until) : null));
    }
}
