using System.Text.Json;
using Nacre.EndToEnd.Harness;
using static Nacre.EndToEnd.Harness.Programs;

namespace Nacre.EndToEnd;

/// <summary><c>nacre fs</c> and <c>nacre tags</c> as processes of their own, against a node with its API.</summary>
[Collection(Alone.Name)]
public sealed class FsCommandTests
{
    [Fact]
    public async Task A_file_system_is_made_shown_changed_tagged_and_deleted()
    {
        using var folder = new TestFolder();
        var data = Path.Combine(folder.Path, "data");
        await using var node = await ApiNode.StartAsync(data, TestServer.FreePort());

        var made = JsonDocument.Parse(await AskAsync(
            data, "fs", "create", "--storage-capacity", "2400", "--tag", "Name=mine", "--root-squash", "65534:65534", "--output", "json")).RootElement;
        var id = made.GetProperty("FileSystemId").GetString()!;
        Assert.Equal("AVAILABLE", made.GetProperty("Lifecycle").GetString());

        var list = await AskAsync(data, "fs", "list");
        Assert.Contains(id, list, StringComparison.Ordinal);
        Assert.Contains("mine", list, StringComparison.Ordinal);
        var mountName = made.GetProperty("LustreConfiguration").GetProperty("MountName").GetString();
        var shown = await AskAsync(data, "fs", "show", id);
        Assert.Contains($"mount -t lustre -o relatime,flock {made.GetProperty("DNSName").GetString()}@tcp:/{mountName} /mnt", shown, StringComparison.Ordinal);
        Assert.Contains("65534:65534", shown, StringComparison.Ordinal);

        var changed = JsonDocument.Parse(await AskAsync(data, "fs", "update", id, "--storage-capacity", "4800", "--output", "json")).RootElement;
        Assert.Equal(4800, changed.GetProperty("StorageCapacity").GetInt32());

        await AskAsync(data, "tags", "add", id, "team=storage", "cost=none");
        await AskAsync(data, "tags", "remove", id, "cost");
        var tags = await AskAsync(data, "tags", "list", id);
        Assert.Contains("storage", tags, StringComparison.Ordinal);
        Assert.DoesNotContain("cost", tags, StringComparison.Ordinal);

        await AskAsync(data, "fs", "delete", id);
        Assert.Equal("[]", await AskAsync(data, "fs", "list", "--output", "json"));
    }

    [Fact]
    public async Task What_is_wrong_is_said_in_one_line()
    {
        using var folder = new TestFolder();
        var data = Path.Combine(folder.Path, "data");
        Assert.Equal((1, $"nacre: no node with an API runs on {data}"), await RunAsync(NacreCommand, "fs", "list", "--data", data));
        await using var node = await ApiNode.StartAsync(data, TestServer.FreePort());
        Assert.Equal(
            (1, "nacre: the API at http://127.0.0.1:1 cannot be reached: nothing listens there"),
            await RunAsync(NacreCommand, "fs", "list", "--data", data, "--endpoint-url", "http://127.0.0.1:1"));
        foreach (var wrong in (string[][])[["show", "fs-00000000000000000"], ["create", "--storage-capacity", "1234"], ["update", "fs-00000000000000000"]])
        {
            var (status, said) = await RunAsync(NacreCommand, ["fs", .. wrong, "--data", data]);
            Assert.Equal(1, status);
            Assert.StartsWith("nacre: ", said, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', said);
        }
    }

    [Fact]
    public async Task A_second_node_of_a_machine_finds_a_port_and_says_when_it_may_not()
    {
        using var folder = new TestFolder();
        await using var one = await ApiNode.StartAsync(Path.Combine(folder.Path, "one"), TestServer.FreePort());
        var taken = one.Url.GetLeftPart(UriPartial.Authority);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => ChildNode.StartAsync(Path.Combine(folder.Path, "two"), TestServer.FreePort(), ["--api", taken]));

        Assert.Contains($"the API cannot listen at {taken}", refused.Message, StringComparison.Ordinal);
        // Without a wish there are two that want the same port by default.
        await using var three = await ChildNode.StartAsync(Path.Combine(folder.Path, "three"), TestServer.FreePort(), []);
        await using var four = await ChildNode.StartAsync(Path.Combine(folder.Path, "four"), TestServer.FreePort(), []);
        Assert.Contains("FSx API at http://127.0.0.1:", four.Output, StringComparison.Ordinal);
        Assert.Contains("aws configure set", four.Output, StringComparison.Ordinal);
    }

    private static async Task<string> AskAsync(string data, params string[] arguments)
    {
        var (status, said) = await RunAsync("/bin/sh", ["-c", "exec \"$@\" 2>/dev/null", "sh", NacreCommand, .. arguments, "--data", data]);
        Assert.Equal((0, said), (status, said));
        return said;
    }
}
