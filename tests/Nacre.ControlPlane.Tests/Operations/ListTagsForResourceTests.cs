using Nacre.ControlPlane.Tests.Operations.Support;
using static Nacre.ControlPlane.Tests.Operations.Support.Requests;

namespace Nacre.ControlPlane.Tests.Operations;

public sealed class ListTagsForResourceTests : IDisposable
{
    private readonly TestApi _api = new();

    [Fact]
    public async Task Pages_show_every_tag_once()
    {
        string tags = string.Join(',', Enumerable.Range(0, 7).Select(i => $"{{'Key':'k{i}','Value':''}}"));
        string arn = TestApi.Text(await _api.CreateAsync(Scratch(rest: $"'Tags':[{tags}]")), "ResourceARN");
        var seen = new List<string>();
        string next = "";
        do
        {
            var answer = await _api.CallAsync("ListTagsForResource", $"{{\"ResourceARN\":\"{arn}\",\"MaxResults\":3{next}}}");
            seen.AddRange(answer["Tags"]!.AsArray().Select(tag => TestApi.Text(tag!.AsObject(), "Key")));
            next = answer["NextToken"] is { } token ? $",\"NextToken\":\"{token}\"" : "";
        }
        while (next.Length > 0);
        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"k{i}"), seen);
    }

    public void Dispose() => _api.Dispose();
}
