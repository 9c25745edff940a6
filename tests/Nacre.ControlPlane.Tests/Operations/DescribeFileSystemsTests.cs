using System.Text.Json.Nodes;
using Nacre.ControlPlane.Tests.Operations.Support;
using static Nacre.ControlPlane.Tests.Operations.Support.Requests;
using static Nacre.ControlPlane.Tests.Operations.Support.TestApi;

namespace Nacre.ControlPlane.Tests.Operations;

public sealed class DescribeFileSystemsTests : IDisposable
{
    private readonly TestApi _api = new();

    [Fact]
    public async Task Nothing_is_an_empty_list_without_a_token() =>
        Assert.Equal("""{"FileSystems":[]}""", (await _api.CallAsync("DescribeFileSystems", "{}")).ToJsonString());

    [Fact]
    public async Task Shows_what_create_answered()
    {
        var created = await _api.CreateAsync(Persistent(rest: "'Tags':[{'Key':'Name','Value':'one'}]"));
        Assert.Equal(created.ToJsonString(), (await _api.DescribeAsync(Text(created, "FileSystemId"))).ToJsonString());
    }

    [Fact]
    public async Task Named_ones_come_as_named_and_each_once()
    {
        var ids = await CreateManyAsync(3);
        var answer = await _api.CallAsync("DescribeFileSystems", Named([ids[2], ids[0], ids[2]]));
        Assert.Equal([ids[2], ids[0]], Ids(answer));
        Assert.False(answer.ContainsKey("NextToken"));
    }

    [Theory]
    [InlineData("fs-00000000000000000", Account)]
    [InlineData(null, "999999999999")]
    public async Task One_that_does_not_exist_or_is_somebody_elses_fails_the_call(string? id, string account)
    {
        string own = (await CreateManyAsync(1))[0];
        var refusal = await _api.RefusedAsync("DescribeFileSystems", Named([own, id ?? own]), account);
        Assert.Equal("FileSystemNotFound", refusal.Code);
        Assert.Equal($"File system '{id ?? own}' does not exist.", refusal.Message);
        Assert.Empty(Ids(await _api.CallAsync("DescribeFileSystems", "{}", "999999999999")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(1000)]
    public async Task Pages_show_everything_once(int maxResults)
    {
        var ids = await CreateManyAsync(5);
        Assert.Equal(ids, await PagesAsync(maxResults));
    }

    [Fact]
    public async Task A_page_is_bounded_whatever_is_asked_for()
    {
        var ids = await CreateManyAsync(103);
        var first = await _api.CallAsync("DescribeFileSystems", """{"MaxResults":1000}""");
        Assert.Equal(100, Ids(first).Count);
        Assert.Equal(ids, await PagesAsync(1000));
    }

    [Fact]
    public async Task Pages_go_on_where_they_were_while_file_systems_come_and_go()
    {
        var ids = await CreateManyAsync(6);
        var first = await _api.CallAsync("DescribeFileSystems", """{"MaxResults":3}""");
        _api.Catalog.FileSystems.Remove(ids[2]);
        _api.Catalog.FileSystems.Remove(ids[3]);
        var later = await CreateManyAsync(1);
        var second = await _api.CallAsync("DescribeFileSystems", $$"""{"MaxResults":3,"NextToken":"{{Text(first, "NextToken")}}"}""");
        Assert.Equal([ids[4], ids[5], later[0]], Ids(second));
        Assert.False(second.ContainsKey("NextToken"));
    }

    [Fact]
    public async Task Named_ones_are_paged_too()
    {
        var ids = await CreateManyAsync(3);
        string named = string.Join(',', ids.Select(id => $"\"{id}\""));
        var first = await _api.CallAsync("DescribeFileSystems", $$"""{"FileSystemIds":[{{named}}],"MaxResults":2}""");
        Assert.Equal(ids[..2], Ids(first));
        var second = await _api.CallAsync(
            "DescribeFileSystems", $$"""{"FileSystemIds":[{{named}}],"MaxResults":2,"NextToken":"{{Text(first, "NextToken")}}"}""");
        Assert.Equal(ids[2..], Ids(second));
    }

    [Fact]
    public async Task Tokens_that_were_not_given_for_this_listing_are_refused()
    {
        await CreateManyAsync(3);
        string token = Text(await _api.CallAsync("DescribeFileSystems", """{"MaxResults":1}"""), "NextToken");
        byte[] bytes = Convert.FromBase64String(token);
        bytes[7] ^= 1;
        foreach (string wrong in new[] { Convert.ToBase64String(bytes), "AAAA", token[..^4], Convert.ToBase64String(new byte[24]) })
        {
            Assert.Equal("BadRequest", (await _api.RefusedAsync("DescribeFileSystems", $$"""{"NextToken":"{{wrong}}"}""")).Code);
        }
        string request = $$"""{"NextToken":"{{token}}"}""";
        Assert.Equal("BadRequest", (await _api.RefusedAsync("DescribeFileSystems", request, "999999999999")).Code);
        Assert.Equal("BadRequest", (await _api.RefusedAsync("DescribeBackups", request)).Code);
        Assert.Equal(2, Ids(await _api.CallAsync("DescribeFileSystems", request)).Count);
    }

    [Theory]
    [InlineData("{'MaxResults':0}", "Value '0' at 'maxResults'")]
    [InlineData("{'NextToken':'no base64!'}", "at 'nextToken'")]
    [InlineData("{'NextToken':''}", "at 'nextToken'")]
    [InlineData("{'FileSystemIds':['fs-1']}", "Value 'fs-1' at 'fileSystemIds.1.member'")]
    [InlineData("{'FileSystemIds':['fs-0123456789ABCDEF0']}", "at 'fileSystemIds.1.member'")]
    [InlineData("{'FileSystemIds':[null]}", "Value null at 'fileSystemIds.1.member'")]
    public async Task Broken_requests_are_refused(string request, string message)
    {
        var refusal = await _api.RefusedAsync("DescribeFileSystems", Parse(request));
        Assert.Equal("BadRequest", refusal.Code);
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _api.Dispose();

    private static string Named(IEnumerable<string> ids) =>
        new JsonObject { ["FileSystemIds"] = new JsonArray([.. ids.Select(id => JsonValue.Create(id))]) }.ToJsonString();

    private static List<string> Ids(JsonObject answer) =>
        [.. answer["FileSystems"]!.AsArray().Select(item => Text(item!.AsObject(), "FileSystemId"))];

    private async Task<List<string>> CreateManyAsync(int count)
    {
        var ids = new List<string>();
        for (int i = 0; i < count; i++)
        {
            ids.Add(Text(await _api.CreateAsync(Scratch()), "FileSystemId"));
        }
        return ids;
    }

    private async Task<List<string>> PagesAsync(int maxResults)
    {
        var ids = new List<string>();
        string? token = null;
        do
        {
            string next = token is null ? "" : $",\"NextToken\":\"{token}\"";
            var answer = await _api.CallAsync("DescribeFileSystems", $"{{\"MaxResults\":{maxResults}{next}}}");
            ids.AddRange(Ids(answer));
            token = answer["NextToken"]?.GetValue<string>();
        }
        while (token is not null);
        return ids;
    }
}
