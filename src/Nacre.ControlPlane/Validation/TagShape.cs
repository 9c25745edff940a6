using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>The shape of requests about tags.</summary>
internal static class TagShape
{
    public static void Check(TagResourceRequest request) => new ShapeCheck()
        .RequiredText("resourceARN", request.ResourceARN, Constraints.ResourceArn)
        .Required("tags", request.Tags)
        .Tags("tags", request.Tags)
        .ThrowIfBroken();

    public static void Check(UntagResourceRequest request)
    {
        var check = new ShapeCheck();
        check.RequiredText("resourceARN", request.ResourceARN, Constraints.ResourceArn)
            .Required("tagKeys", request.TagKeys)
            .List("tagKeys", request.TagKeys, 1, TagRules.MaxTags, (item, key) => check.Text(item, key, Constraints.TagKey))
            .ThrowIfBroken();
    }

    public static void Check(ListTagsForResourceRequest request) => new ShapeCheck()
        .RequiredText("resourceARN", request.ResourceARN, Constraints.ResourceArn)
        .Page(request.MaxResults, request.NextToken)
        .ThrowIfBroken();
}
