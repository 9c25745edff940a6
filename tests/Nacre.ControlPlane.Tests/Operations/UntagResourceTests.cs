using Nacre.ControlPlane.Tests.Operations.Support;
using static Nacre.ControlPlane.Tests.Operations.Support.Requests;

namespace Nacre.ControlPlane.Tests.Operations;

public sealed class UntagResourceTests : IDisposable
{
    private readonly TestApi _api = new();

    [Fact]
    public async Task Takes_the_named_tags_and_leaves_the_others()
    {
        var created = await _api.CreateAsync(Scratch(rest: "'Tags':[{'Key':'a','Value':'1'},{'Key':'b','Value':'2'}]"));
        string arn = TestApi.Text(created, "ResourceARN");
        Assert.Equal("{}", (await _api.CallAsync("UntagResource", $$"""{"ResourceARN":"{{arn}}","TagKeys":["a","never-there"]}""")).ToJsonString());
        Assert.Equal("""[{"Key":"b","Value":"2"}]""", (await _api.DescribeAsync(TestApi.Text(created, "FileSystemId")))["Tags"]!.ToJsonString());
        Assert.Equal("BadRequest", (await _api.RefusedAsync("UntagResource", $$"""{"ResourceARN":"{{arn}}"}""")).Code);
    }

    public void Dispose() => _api.Dispose();
}
