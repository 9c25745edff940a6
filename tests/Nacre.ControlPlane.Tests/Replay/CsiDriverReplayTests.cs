using System.Text.Json.Nodes;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Tests.Operations.Support;
using static Nacre.ControlPlane.Tests.Operations.Support.TestApi;

namespace Nacre.ControlPlane.Tests.Replay;

/// <summary>The calls of aws-fsx-csi-driver 1.9: what it sends, and what it reads without looking whether it is there.</summary>
public sealed class CsiDriverReplayTests : IDisposable
{
    private readonly TestApi _api = new();

    [Fact]
    public async Task Create_the_same_volume_twice_with_a_long_time_between_expand_and_delete()
    {
        string id = ReadVolume(await CreateVolumeAsync("pvc-0001"));
        _api.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(id, ReadVolume(await CreateVolumeAsync("pvc-0001")));
        await _api.SettleAsync(id);
        Assert.Equal(id, Assert.Single(await RefreshAsync()));

        await ExpandAsync(id, 2400);
        await DeleteVolumeAsync(id);
        await DeleteVolumeAsync(id);
        Assert.Empty(await RefreshAsync());
    }

    [Fact]
    public async Task The_background_loop_sees_all_volumes_and_only_its_own()
    {
        var ids = new List<string>();
        for (int i = 0; i < 101; i++)
        {
            ids.Add(ReadVolume(await CreateVolumeAsync($"pvc-{i}")));
        }
        await _api.CreateAsync(Requests.Scratch());
        Assert.Equal(ids, await RefreshAsync());
    }

    [Fact]
    public async Task A_volume_without_security_groups_is_refused_politely()
    {
        var refusal = await _api.RefusedAsync("CreateFileSystem", Request("pvc-1").Replace("[\"sg-0123456789abcdef0\"]", "[\"\"]", StringComparison.Ordinal));
        Assert.Equal("BadRequest", refusal.Code);
        Assert.Contains("'securityGroupIds.1.member'", refusal.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _api.Dispose();

    private static string Request(string volume) =>
        $$$"""
        {"ClientRequestToken":"{{{volume}}}","FileSystemType":"LUSTRE","StorageCapacity":1200,"StorageType":"SSD",
        "SubnetIds":["{{{Requests.Subnet}}}"],"SecurityGroupIds":["sg-0123456789abcdef0"],"FileSystemTypeVersion":"2.15",
        "Tags":[{"Key":"CSIVolumeName","Value":"{{{volume}}}"},{"Key":"team","Value":"a"}],
        "LustreConfiguration":{"DeploymentType":"PERSISTENT_2","PerUnitStorageThroughput":125,"AutomaticBackupRetentionDays":0,"CopyTagsToBackups":false}}
        """;

    private async Task<JsonObject> CreateVolumeAsync(string volume) =>
        (await _api.CallAsync("CreateFileSystem", Request(volume)))["FileSystem"]!.AsObject();

    private static string ReadVolume(JsonObject fileSystem)
    {
        Assert.Contains(Text(fileSystem, "Lifecycle"), new[] { "CREATING", "AVAILABLE", "UPDATING" });
        Assert.NotEmpty(Text(fileSystem, "DNSName"));
        Assert.True(fileSystem["StorageCapacity"]!.GetValue<int>() > 0);
        Assert.NotEmpty(Text(fileSystem, "StorageType"));
        var lustre = fileSystem["LustreConfiguration"]!.AsObject();
        Assert.NotEmpty(Text(lustre, "MountName"));
        Assert.NotEmpty(Text(lustre, "DeploymentType"));
        Assert.Equal(125, lustre["PerUnitStorageThroughput"]!.GetValue<int>());
        return Text(fileSystem, "FileSystemId");
    }

    private async Task<List<string>> RefreshAsync()
    {
        var ids = new List<string>();
        JsonObject? page = null;
        do
        {
            string next = page is null ? "" : $",\"NextToken\":\"{Text(page, "NextToken")}\"";
            page = await _api.CallAsync("DescribeFileSystems", $"{{\"MaxResults\":1000{next}}}");
            ids.AddRange(page["FileSystems"]!.AsArray().Select(item => item!.AsObject())
                .Where(item => item["Tags"]!.AsArray().Any(tag => Text(tag!.AsObject(), "Key") == "CSIVolumeName"))
                .Select(ReadVolume));
        }
        while (page.ContainsKey("NextToken"));
        return ids;
    }

    private async Task ExpandAsync(string id, int capacity)
    {
        string request = $"{{'StorageCapacity':{capacity}}}";
        await _api.UpdateAsync(id, request);
        // The driver repeats after a time-out, is told that an update is under way, and looks for its own.
        var refusal = await _api.UpdateRefusedAsync(id, request);
        Assert.Equal("BadRequest", refusal.Code);
        Assert.Contains("Unable to perform the storage capacity update. There is an update already in progress.", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("PENDING", await GrowthAsync(id, capacity));
        await _api.SettleAsync(id);
        Assert.Contains(await GrowthAsync(id, capacity), new[] { "UPDATED_OPTIMIZING", "COMPLETED" });
    }

    private async Task<string> GrowthAsync(string id, int capacity) => Text(
        (await _api.DescribeAsync(id))["AdministrativeActions"]!.AsArray().Select(action => action!.AsObject())
            .Where(action => Text(action, "AdministrativeActionType") == "FILE_SYSTEM_UPDATE")
            .First(action => action["TargetFileSystemValues"]!["StorageCapacity"]!.GetValue<int>() == capacity),
        "Status");

    private async Task DeleteVolumeAsync(string id)
    {
        try
        {
            await _api.CallAsync("DeleteFileSystem", $$"""{"FileSystemId":"{{id}}"}""");
        }
        catch (ApiException e) when (e.Code == "FileSystemNotFound")
        {
            // Counts as deleted.
        }
        await _api.SettleAsync(id);
    }
}
