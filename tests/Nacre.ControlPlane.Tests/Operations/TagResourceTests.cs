using System.Text.Json.Nodes;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Tests.Operations.Support;
using static Nacre.ControlPlane.Tests.Operations.Support.Requests;

namespace Nacre.ControlPlane.Tests.Operations;

public sealed class TagResourceTests : IDisposable
{
    private readonly TestApi _api = new();

    [Fact]
    public async Task Adds_tags_and_gives_those_that_are_there_new_values()
    {
        string arn = await ArnAsync(Scratch(rest: "'Tags':[{'Key':'a','Value':'1'},{'Key':'b','Value':'2'}]"));
        Assert.Equal("{}", (await TagAsync(arn, "{'Key':'b','Value':'3'},{'Key':'c','Value':''}")).ToJsonString());
        const string Tags = """[{"Key":"a","Value":"1"},{"Key":"b","Value":"3"},{"Key":"c","Value":""}]""";
        Assert.Equal(Tags, (await _api.DescribeAsync(arn[(arn.IndexOf('/', StringComparison.Ordinal) + 1)..]))["Tags"]!.ToJsonString());
        Assert.Equal(Tags, (await _api.CallAsync("ListTagsForResource", $$"""{"ResourceARN":"{{arn}}"}"""))["Tags"]!.ToJsonString());
    }

    [Fact]
    public async Task Does_not_disturb_what_the_reconciler_does()
    {
        string arn = await ArnAsync(Scratch());
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => TagAsync(arn, $"{{'Key':'k{i}','Value':''}}"))));
        Assert.Equal(20, _api.Catalog.FileSystems.List(TestApi.Account)[0].Entry.Description.Tags.Count);
    }

    [Fact]
    public async Task A_resource_has_fifty_tags_at_most()
    {
        string arn = await ArnAsync(Scratch());
        await TagAsync(arn, string.Join(',', Enumerable.Range(0, 49).Select(i => $"{{'Key':'k{i}','Value':''}}")));
        await TagAsync(arn, "{'Key':'k1','Value':'again'},{'Key':'last','Value':''}");
        Assert.Contains("50 tags; it would have 51", (await RefusedAsync(arn, "{'Key':'more','Value':''}")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("arn:aws:fsx:us-east-1:123456789012:file-system/fs-00000000000000000", "ResourceNotFound")]
    [InlineData("arn:aws:fsx:us-east-1:123456789012:backup/backup-00000000000000000", "ResourceNotFound")]
    [InlineData("arn:aws:fsx:us-east-1:123456789012:association/fs-00000000000000000/dra-00000000000000000", "ResourceNotFound")]
    [InlineData("arn:aws:fsx:us-east-1:123456789012:task/task-00000000000000000", "ResourceNotFound")]
    [InlineData("arn:aws:fsx:us-east-1:123456789012:nonsense", "ResourceNotFound")]
    [InlineData("arn:aws:s3:::bucket", "NotServiceResourceError")]
    [InlineData("arn:aws:fsx:us-east-1", "BadRequest")]
    [InlineData("fs-0123456789abcdef0", "BadRequest")]
    [InlineData("short", "BadRequest")]
    public async Task Arns_that_name_nothing_are_refused(string arn, string code)
    {
        foreach (var (operation, more) in new[] { ("TagResource", ",'Tags':[{'Key':'a','Value':''}]"), ("UntagResource", ",'TagKeys':['a']"), ("ListTagsForResource", "") })
        {
            var refusal = await _api.RefusedAsync(operation, Parse($"{{'ResourceARN':'{arn}'{more}}}"));
            Assert.Equal(code, refusal.Code);
            Assert.Equal(code != "BadRequest", refusal.Members.ContainsKey("ResourceARN"));
        }
    }

    [Fact]
    public async Task Somebody_elses_resource_is_not_found_whatever_account_the_arn_names()
    {
        string arn = await ArnAsync(Scratch());
        foreach (string named in new[] { arn, arn.Replace(TestApi.Account, "999999999999", StringComparison.Ordinal) })
        {
            var refusal = await _api.RefusedAsync("ListTagsForResource", $$"""{"ResourceARN":"{{named}}"}""", "999999999999");
            Assert.Equal("ResourceNotFound", refusal.Code);
        }
    }

    [Theory]
    [InlineData("{'Key':'aws:a','Value':''}", "reserved")]
    [InlineData("{'Key':'a','Value':''},{'Key':'a','Value':''}", "unique")]
    [InlineData("{'Key':'','Value':''}", "at 'tags.1.member.key'")]
    [InlineData("null", "Value null at 'tags.1.member'")]
    [InlineData("", "at 'tags' failed")]
    public async Task Tags_that_cannot_be_are_refused(string tags, string message)
    {
        var refusal = await RefusedAsync(await ArnAsync(Scratch()), tags);
        Assert.Equal("BadRequest", refusal.Code);
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _api.Dispose();

    private static string Request(string arn, string tags) => $"{{'ResourceARN':'{arn}','Tags':[{tags}]}}".Replace('\'', '"');

    private Task<JsonObject> TagAsync(string arn, string tags) => _api.CallAsync("TagResource", Request(arn, tags));

    private Task<ApiException> RefusedAsync(string arn, string tags) => _api.RefusedAsync("TagResource", Request(arn, tags));

    private async Task<string> ArnAsync(JsonObject request) => TestApi.Text(await _api.CreateAsync(request), "ResourceARN");
}
