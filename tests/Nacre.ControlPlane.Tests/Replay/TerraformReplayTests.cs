using System.Text.Json.Nodes;
using Nacre.ControlPlane.Tests.Operations.Support;
using static Nacre.ControlPlane.Tests.Operations.Support.Requests;
using static Nacre.ControlPlane.Tests.Operations.Support.TestApi;

namespace Nacre.ControlPlane.Tests.Replay;

/// <summary>
/// The calls of Terraform's aws_fsx_lustre_file_system, in its order and with its conditions: create, wait for AVAILABLE, read, plan (what is read
/// equals what is configured), change, wait for the newest action, plan, tag, destroy and wait for FileSystemNotFound.
/// </summary>
public sealed class TerraformReplayTests : IDisposable
{
    private readonly TestApi _api = new();

    public static TheoryData<string, string> Resources => new()
    {
        { Row("SCRATCH_1", "SSD", 1200), "" },
        { Row("SCRATCH_2", "SSD", 1200, "'WeeklyMaintenanceStartTime':'1:01:01','DataCompressionType':'LZ4'", "'FileSystemTypeVersion':'2.15'"), "{'StorageCapacity':2400}" },
        { Row("PERSISTENT_1", "HDD", 6000, "'PerUnitStorageThroughput':12,'DriveCacheType':'READ','AutomaticBackupRetentionDays':0"), "{'StorageCapacity':12000}" },
        {
            Row("PERSISTENT_1", "SSD", 1200, "'PerUnitStorageThroughput':50,'CopyTagsToBackups':true,'AutomaticBackupRetentionDays':90,'DailyAutomaticBackupStartTime':'01:01'"),
            "{'LustreConfiguration':{'DailyAutomaticBackupStartTime':'02:02','AutomaticBackupRetentionDays':0}}"
        },
        {
            Row("PERSISTENT_2", "SSD", 1200, "'PerUnitStorageThroughput':125,'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':1500},'EfaEnabled':false", "'FileSystemTypeVersion':'2.15'"),
            "{'LustreConfiguration':{'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':3000}}}"
        },
        { Row("PERSISTENT_2", "SSD", 1200, "'PerUnitStorageThroughput':125"), "{'LustreConfiguration':{'PerUnitStorageThroughput':250}}" },
        {
            Row("PERSISTENT_2", "SSD", 1200, "'PerUnitStorageThroughput':125,'RootSquashConfiguration':{'RootSquash':'365534:65534'}"),
            "{'LustreConfiguration':{'RootSquashConfiguration':{'RootSquash':'355534:64534','NoSquashNids':['10.216.123.47@tcp']}}}"
        },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Tiering, "'FileSystemTypeVersion':'2.15'"), "{'LustreConfiguration':{'ThroughputCapacity':8000}}" },
    };

    [Theory]
    [MemberData(nameof(Resources))]
    public async Task Apply_plan_change_plan_destroy(string configuration, string change)
    {
        var wanted = Parse(configuration);
        wanted["ClientRequestToken"] = "terraform-20260701120000000000000001";
        wanted["Tags"] = JsonNode.Parse("""[{"Key":"Name","Value":"one"}]""");
        string id = Text(await _api.CreateAsync(wanted), "FileSystemId");
        await WaitAvailableAsync(id);
        await PlanIsEmptyAsync(id, wanted);

        if (change.Length > 0)
        {
            await _api.UpdateAsync(id, change);
            await WaitAvailableAsync(id);
            await WaitActionAsync(id);
            await PlanIsEmptyAsync(id, Merge(wanted, Parse(change)));
        }

        string arn = Text(await _api.DescribeAsync(id), "ResourceARN");
        await _api.CallAsync("UntagResource", $$"""{"ResourceARN":"{{arn}}","TagKeys":["Name"]}""");
        await _api.CallAsync("TagResource", $$"""{"ResourceARN":"{{arn}}","Tags":[{"Key":"Name","Value":"two"}]}""");
        Assert.Equal("""[{"Key":"Name","Value":"two"}]""", (await _api.CallAsync("ListTagsForResource", $$"""{"ResourceARN":"{{arn}}"}"""))["Tags"]!.ToJsonString());

        await DestroyAsync(id, Text(wanted["LustreConfiguration"]!.AsObject(), "DeploymentType"));
    }

    public void Dispose() => _api.Dispose();

    private async Task WaitAvailableAsync(string id)
    {
        for (int seen = 0; seen < 3;)
        {
            string state = Text(await _api.DescribeAsync(id), "Lifecycle");
            Assert.Contains(state, new[] { "CREATING", "UPDATING", "AVAILABLE" });
            seen = state == "AVAILABLE" ? seen + 1 : 0;
            await _api.SettleAsync(id);
        }
    }

    private async Task WaitActionAsync(string id)
    {
        var newest = (await _api.DescribeAsync(id))["AdministrativeActions"]!.AsArray()
            .First(action => Text(action!.AsObject(), "AdministrativeActionType") == "FILE_SYSTEM_UPDATE")!.AsObject();
        Assert.NotNull(newest["TargetFileSystemValues"]);
        Assert.Contains(Text(newest, "Status"), new[] { "COMPLETED", "UPDATED_OPTIMIZING" });
    }

    /// <summary>Everything the provider reads back is as configured, or something it takes for unset.</summary>
    private async Task PlanIsEmptyAsync(string id, JsonObject wanted)
    {
        var read = await _api.DescribeAsync(id);
        foreach (string computed in new[] { "ResourceARN", "DNSName", "OwnerId", "VpcId", "FileSystemTypeVersion" })
        {
            Assert.NotEmpty(Text(read, computed));
        }
        Assert.NotEmpty(read["NetworkInterfaceIds"]!.AsArray());
        foreach (string member in new[] { "StorageCapacity", "StorageType", "SubnetIds", "KmsKeyId", "FileSystemTypeVersion", "Tags" })
        {
            Assert.True(wanted[member] is null || JsonNode.DeepEquals(wanted[member], read[member]), member);
        }
        PlanIsEmpty(wanted["LustreConfiguration"]!.AsObject(), read["LustreConfiguration"]!.AsObject());
    }

    private static void PlanIsEmpty(JsonObject wanted, JsonObject read)
    {
        Assert.NotEmpty(Text(read, "MountName"));
        Assert.NotEmpty(Text(read, "WeeklyMaintenanceStartTime"));
        Assert.NotEmpty(Text(read["LogConfiguration"]!.AsObject(), "Level"));
        Assert.NotNull(read["EfaEnabled"]);
        foreach (string block in new[] { "MetadataConfiguration", "RootSquashConfiguration", "DriveCacheType", "DataReadCacheConfiguration", "PerUnitStorageThroughput", "DataRepositoryConfiguration" })
        {
            Assert.Equal(wanted.ContainsKey(block), read.ContainsKey(block));
        }
        foreach (var (name, value) in wanted)
        {
            Assert.True(JsonNode.DeepEquals(value, read[name]), $"{name}: {value?.ToJsonString()} became {read[name]?.ToJsonString()}");
        }
    }

    private async Task DestroyAsync(string id, string deployment)
    {
        string block = deployment.StartsWith("PERSISTENT", StringComparison.Ordinal) ? ",\"LustreConfiguration\":{\"SkipFinalBackup\":true}" : "";
        await _api.CallAsync("DeleteFileSystem", $"{{\"FileSystemId\":\"{id}\",\"ClientRequestToken\":\"terraform-2\"{block}}}");
        Assert.Equal("DELETING", Text(await _api.DescribeAsync(id), "Lifecycle"));
        await _api.SettleAsync(id);
        Assert.Equal("FileSystemNotFound", (await _api.RefusedAsync("DescribeFileSystems", $$"""{"FileSystemIds":["{{id}}"]}""")).Code);
    }

    private static JsonObject Merge(JsonObject into, JsonObject changes)
    {
        var merged = into.DeepClone().AsObject();
        foreach (var (name, value) in changes)
        {
            merged[name] = value is JsonObject inner && merged[name] is JsonObject present && name == "LustreConfiguration"
                ? Merge(present, inner)
                : value!.DeepClone();
        }
        return merged;
    }
}
