using System.Text.Json.Nodes;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Tests.Operations.Support;
using static Nacre.ControlPlane.Tests.Operations.Support.Requests;

namespace Nacre.ControlPlane.Tests.Operations;

public sealed class UpdateFileSystemTests : IDisposable
{
    private readonly TestApi _api = new();

    [Fact]
    public async Task Growth_is_pending_with_its_optimization_and_the_old_capacity_until_it_is_made()
    {
        string id = await _api.AvailableAsync(Scratch());
        _api.Time.Advance(TimeSpan.FromSeconds(1));
        var updated = await _api.UpdateAsync(id, "{'StorageCapacity':2400}");
        Assert.Equal(1200, updated["StorageCapacity"]!.GetValue<int>());
        Assert.Equal(
            """[{"AdministrativeActionType":"FILE_SYSTEM_UPDATE","RequestTime":1782907201.25,"Status":"PENDING","TargetFileSystemValues":{"StorageCapacity":2400}},"""
            + """{"AdministrativeActionType":"STORAGE_OPTIMIZATION","RequestTime":1782907201.25,"Status":"PENDING"}]""",
            updated["AdministrativeActions"]!.ToJsonString());
        Assert.Equal([id], _api.Catalog.FileSystems.Unsettled());

        await _api.SettleAsync(id);
        var settled = await _api.DescribeAsync(id);
        Assert.Equal(2400, settled["StorageCapacity"]!.GetValue<int>());
        Assert.Equal("COMPLETED", Assert.Single(settled["AdministrativeActions"]!.AsArray())!["Status"]!.GetValue<string>());
    }

    [Fact]
    public async Task Every_member_that_can_change_does_and_no_other()
    {
        string id = await _api.AvailableAsync(Persistent(1200, "'MetadataConfiguration':{'Mode':'AUTOMATIC'},'RootSquashConfiguration':{'RootSquash':'1:1','NoSquashNids':['10.0.0.1@tcp']}"));
        var before = await _api.DescribeAsync(id);
        var updated = await _api.UpdateAsync(
            id,
            "{'StorageCapacity':4800,'LustreConfiguration':{'WeeklyMaintenanceStartTime':'3:04:05','DailyAutomaticBackupStartTime':'06:07',"
            + "'AutomaticBackupRetentionDays':8,'DataCompressionType':'LZ4','PerUnitStorageThroughput':250,"
            + "'LogConfiguration':{'Level':'ERROR_ONLY'},'RootSquashConfiguration':{'RootSquash':'9:9'},"
            + "'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':12000}}}");
        Assert.Equal(before["LustreConfiguration"]!.ToJsonString(), updated["LustreConfiguration"]!.ToJsonString());

        await _api.SettleAsync(id);
        var after = await _api.DescribeAsync(id);
        Assert.Equal(4800, after["StorageCapacity"]!.GetValue<int>());
        var expected = before["LustreConfiguration"]!.DeepClone().AsObject();
        expected["WeeklyMaintenanceStartTime"] = "3:04:05";
        expected["DailyAutomaticBackupStartTime"] = "06:07";
        expected["AutomaticBackupRetentionDays"] = 8;
        expected["DataCompressionType"] = "LZ4";
        expected["PerUnitStorageThroughput"] = 250;
        expected["LogConfiguration"] = Parse(
            $"{{'Level':'ERROR_ONLY','Destination':'arn:aws:logs:us-east-1:123456789012:log-group:/aws/fsx/lustre:log-stream:datarepo_{id}'}}");
        expected["RootSquashConfiguration"] = Parse("{'RootSquash':'9:9','NoSquashNids':['10.0.0.1@tcp']}");
        expected["MetadataConfiguration"] = Parse("{'Iops':12000,'Mode':'USER_PROVISIONED'}");
        Assert.True(JsonNode.DeepEquals(expected, after["LustreConfiguration"]), after["LustreConfiguration"]!.ToJsonString());
    }

    [Fact]
    public async Task Targets_hold_the_members_asked_for_and_the_newest_update_is_first()
    {
        string id = await _api.AvailableAsync(Scratch());
        await _api.UpdateAsync(id, "{'LustreConfiguration':{'DataCompressionType':'LZ4'}}");
        var updated = await _api.UpdateAsync(id, "{'LustreConfiguration':{'WeeklyMaintenanceStartTime':'3:04:05'}}");
        Assert.Equal(
            ["""{"LustreConfiguration":{"WeeklyMaintenanceStartTime":"3:04:05"}}""", """{"LustreConfiguration":{"DataCompressionType":"LZ4"}}"""],
            updated["AdministrativeActions"]!.AsArray().Select(action => action!["TargetFileSystemValues"]!.ToJsonString()));
    }

    [Fact]
    public async Task The_ten_most_recent_updates_are_listed()
    {
        string id = await _api.AvailableAsync(Scratch());
        for (int i = 0; i < 12; i++)
        {
            await _api.UpdateAsync(id, $"{{'LustreConfiguration':{{'WeeklyMaintenanceStartTime':'1:00:{i:d2}'}}}}");
            await _api.SettleAsync(id);
        }
        var actions = (await _api.DescribeAsync(id))["AdministrativeActions"]!.AsArray();
        Assert.Equal(10, actions.Count);
        Assert.Equal("1:00:11", actions[0]!["TargetFileSystemValues"]!["LustreConfiguration"]!["WeeklyMaintenanceStartTime"]!.GetValue<string>());
    }

    [Fact]
    public async Task Updates_that_nobody_carries_out_do_not_pile_up()
    {
        string id = await _api.AvailableAsync(Scratch());
        for (int i = 0; i < 10; i++)
        {
            await _api.UpdateAsync(id, "{'LustreConfiguration':{'DataCompressionType':'LZ4'}}");
        }
        var refusal = await _api.UpdateRefusedAsync(id, "{'LustreConfiguration':{'DataCompressionType':'LZ4'}}");
        Assert.Contains("too many updates in progress", refusal.Message, StringComparison.Ordinal);
    }

    // Drivers look for the first text, word for word, to find out that their own request is under way.
    [Theory]
    [InlineData("{'StorageCapacity':2400}", "Unable to perform the storage capacity update. There is an update already in progress.")]
    [InlineData("{'StorageCapacity':4800}", "Unable to perform the storage capacity update. There is an update already in progress.")]
    [InlineData("{'LustreConfiguration':{'MetadataConfiguration':{'Mode':'AUTOMATIC'}}}", "Unable to perform the metadata update. There is an update already in progress.")]
    public async Task While_capacity_grows_neither_it_nor_metadata_can_be_changed(string changes, string message)
    {
        string id = await _api.AvailableAsync(Persistent(1200, "'MetadataConfiguration':{'Mode':'AUTOMATIC'}"));
        await _api.UpdateAsync(id, "{'StorageCapacity':2400}");
        var refusal = await _api.UpdateRefusedAsync(id, changes);
        Assert.Equal(("BadRequest", message), (refusal.Code, refusal.Message));
        await _api.UpdateAsync(id, "{'LustreConfiguration':{'DataCompressionType':'LZ4'}}");
    }

    [Fact]
    public async Task The_time_between_two_growths_is_kept_where_one_is_set()
    {
        using var api = new TestApi(new ControlPlaneSettings { ScalingInterval = TimeSpan.FromHours(6) });
        string id = await api.AvailableAsync(Scratch());
        await api.UpdateAsync(id, "{'StorageCapacity':2400}");
        await api.SettleAsync(id);
        api.Time.Advance(TimeSpan.FromHours(6) - TimeSpan.FromSeconds(1));
        var refusal = await api.UpdateRefusedAsync(id, "{'StorageCapacity':4800}");
        Assert.Equal("Unable to perform the storage capacity update. The last one was requested less than 6 hours ago.", refusal.Message);
        api.Time.Advance(TimeSpan.FromSeconds(1));
        await api.UpdateAsync(id, "{'StorageCapacity':4800}");
    }

    [Fact]
    public async Task Without_one_growth_follows_growth()
    {
        string id = await _api.AvailableAsync(Scratch());
        foreach (int capacity in new[] { 2400, 4800, 7200 })
        {
            await _api.UpdateAsync(id, $"{{'StorageCapacity':{capacity}}}");
            await _api.SettleAsync(id);
        }
        Assert.Equal(7200, (await _api.DescribeAsync(id))["StorageCapacity"]!.GetValue<int>());
    }

    [Fact]
    public async Task Automatic_metadata_iops_and_network_interfaces_grow_with_the_capacity()
    {
        string id = await _api.AvailableAsync(Persistent(2400, "'MetadataConfiguration':{'Mode':'AUTOMATIC'}"));
        var before = (await _api.DescribeAsync(id))["NetworkInterfaceIds"]!.AsArray();
        await _api.UpdateAsync(id, "{'StorageCapacity':12000}");
        await _api.SettleAsync(id);
        var after = await _api.DescribeAsync(id);
        Assert.Equal(12000, after["LustreConfiguration"]!["MetadataConfiguration"]!["Iops"]!.GetValue<int>());
        var interfaces = after["NetworkInterfaceIds"]!.AsArray();
        Assert.Equal((2, 6), (before.Count, interfaces.Count));
        Assert.Equal(before.Select(item => item!.GetValue<string>()), interfaces.Take(2).Select(item => item!.GetValue<string>()));
    }

    [Fact]
    public async Task Growth_and_the_metadata_iops_it_needs_can_be_asked_for_at_once()
    {
        string id = await _api.AvailableAsync(Persistent(1200, "'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':1500}"));
        var refusal = await _api.UpdateRefusedAsync(id, "{'StorageCapacity':2400}");
        Assert.Contains("Iops 1500 is below what a storage capacity of 2400 GiB needs: 3000", refusal.Message, StringComparison.Ordinal);
        await _api.UpdateAsync(id, "{'StorageCapacity':2400,'LustreConfiguration':{'MetadataConfiguration':{'Iops':3000}}}");
    }

    [Fact]
    public async Task An_empty_list_of_nids_takes_the_exceptions_away()
    {
        string id = await _api.AvailableAsync(Persistent(1200, "'RootSquashConfiguration':{'RootSquash':'1:1','NoSquashNids':['10.0.0.1@tcp']}"));
        await _api.UpdateAsync(id, "{'LustreConfiguration':{'RootSquashConfiguration':{'NoSquashNids':[]}}}");
        await _api.SettleAsync(id);
        Assert.Equal("""{"RootSquash":"1:1"}""", (await _api.DescribeAsync(id))["LustreConfiguration"]!["RootSquashConfiguration"]!.ToJsonString());
    }

    [Fact]
    public async Task A_repeated_request_changes_nothing_and_one_with_other_parameters_is_refused()
    {
        string id = await _api.AvailableAsync(Scratch());
        const string Request = "{'StorageCapacity':2400,'ClientRequestToken':'once'}";
        await _api.UpdateAsync(id, Request);
        Assert.Equal(2, (await _api.UpdateAsync(id, Request))["AdministrativeActions"]!.AsArray().Count);
        await _api.SettleAsync(id);
        Assert.Single((await _api.UpdateAsync(id, Request))["AdministrativeActions"]!.AsArray());
        var refusal = await _api.UpdateRefusedAsync(id, "{'StorageCapacity':4800,'ClientRequestToken':'once'}");
        Assert.Equal(("IncompatibleParameterError", "StorageCapacity"), (refusal.Code, refusal.Members["Parameter"]));
    }

    [Theory]
    [InlineData(FileSystemLifecycle.Creating)]
    [InlineData(FileSystemLifecycle.Deleting)]
    [InlineData(FileSystemLifecycle.Failed)]
    public async Task Only_what_is_there_can_be_changed(string lifecycle)
    {
        string id = await _api.AvailableAsync(Scratch());
        _api.Catalog.FileSystems.Update(id, entry => entry with { Description = entry.Description with { Lifecycle = lifecycle } });
        var refusal = await _api.UpdateRefusedAsync(id, "{'StorageCapacity':2400}");
        Assert.Equal($"Cannot update file system {id} while in {lifecycle} state.", refusal.Message);
    }

    [Fact]
    public async Task An_unknown_one_is_not_found()
    {
        Assert.Equal("FileSystemNotFound", (await _api.UpdateRefusedAsync("fs-00000000000000000", "{'StorageCapacity':2400}")).Code);
        string id = await _api.AvailableAsync(Scratch());
        var refusal = await _api.RefusedAsync("UpdateFileSystem", $$"""{"FileSystemId":"{{id}}","StorageCapacity":2400}""", "999999999999");
        Assert.Equal("FileSystemNotFound", refusal.Code);
    }

    [Fact]
    public async Task Growth_is_bounded_by_the_quota_too()
    {
        using var api = new TestApi(new ControlPlaneSettings { Quotas = new Quotas { StorageGib = 4800, FileSystems = 2 } });
        string id = await api.AvailableAsync(Scratch(2400));
        await api.AvailableAsync(Scratch(1200));
        var refusal = await api.UpdateRefusedAsync(id, "{'StorageCapacity':4800}");
        Assert.Equal(("ServiceLimitExceeded", "TOTAL_STORAGE"), (refusal.Code, refusal.Members["Limit"]));
    }

    [Fact]
    public async Task Growth_takes_its_part_of_the_quota_when_it_is_asked_for()
    {
        using var api = new TestApi(new ControlPlaneSettings { Quotas = new Quotas { StorageGib = 4800 } });
        string id = await api.AvailableAsync(Scratch(2400));
        await api.UpdateAsync(id, "{'StorageCapacity':4800}");
        Assert.Equal("ServiceLimitExceeded", (await api.RefusedAsync("CreateFileSystem", Scratch())).Code);
    }

    public static TheoryData<string, string, string> Refusals => new()
    {
        { Row("SCRATCH_2", "SSD", 1200), "{}", "The request changes nothing" },
        { Row("SCRATCH_2", "SSD", 1200), "{'LustreConfiguration':{}}", "The request changes nothing" },
        { Row("SCRATCH_2", "SSD", 1200), "{'StorageType':'HDD'}", "StorageType of a LUSTRE file system cannot be changed." },
        { Row("SCRATCH_2", "SSD", 1200), "{'OpenZFSConfiguration':{}}", "OpenZFSConfiguration cannot be applied to update a LUSTRE file system." },
        // Capacity.
        { Row("SCRATCH_1", "SSD", 1200), "{'StorageCapacity':3600}", "SCRATCH_1 cannot be changed" },
        { Row("SCRATCH_2", "SSD", 2400), "{'StorageCapacity':2400}", "It can only grow; it is 2400." },
        { Row("SCRATCH_2", "SSD", 2400), "{'StorageCapacity':1200}", "It can only grow; it is 2400." },
        { Row("SCRATCH_2", "SSD", 1200), "{'StorageCapacity':3600}", "Must be a multiple of 2400." },
        { Row("PERSISTENT_1", "HDD", 6000, "'PerUnitStorageThroughput':12,'DriveCacheType':'NONE'"), "{'StorageCapacity':9600}", "Must be a multiple of 6000." },
        { Row("PERSISTENT_1", "HDD", 1800, "'PerUnitStorageThroughput':40,'DriveCacheType':'NONE'"), "{'StorageCapacity':6000}", "Must be a multiple of 1800." },
        { Row("PERSISTENT_2", "SSD", 9600, "'PerUnitStorageThroughput':500,'EfaEnabled':true,'MetadataConfiguration':{'Mode':'AUTOMATIC'}"), "{'StorageCapacity':12000}", "Must be a multiple of 9600." },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Tiering), "{'StorageCapacity':2400}", "whose capacity is elastic" },
        // Throughput.
        { Row("SCRATCH_2", "SSD", 1200), Lustre("'PerUnitStorageThroughput':200"), "persistent file systems with StorageType SSD only; this one is SCRATCH_2 SSD." },
        { Row("PERSISTENT_1", "HDD", 6000, "'PerUnitStorageThroughput':12,'DriveCacheType':'NONE'"), Lustre("'PerUnitStorageThroughput':40"), "StorageType SSD only" },
        { Row("PERSISTENT_1", "SSD", 1200, "'PerUnitStorageThroughput':50"), Lustre("'PerUnitStorageThroughput':125"), "Allowed for PERSISTENT_1 SSD: 50, 100, 200." },
        { Row("PERSISTENT_1", "SSD", 1200, "'PerUnitStorageThroughput':50"), Lustre("'PerUnitStorageThroughput':50"), "is 50 already" },
        { Row("PERSISTENT_2", "SSD", 4800, "'PerUnitStorageThroughput':1000,'EfaEnabled':true,'MetadataConfiguration':{'Mode':'AUTOMATIC'}"), Lustre("'PerUnitStorageThroughput':500"), "EFA-enabled" },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Tiering.Replace("4000", "8000", StringComparison.Ordinal)), Lustre("'ThroughputCapacity':4000"), "ThroughputCapacity can only grow: 4000 is not above 8000." },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Tiering), Lustre("'ThroughputCapacity':9000"), "Must be 4000 or a multiple of 4000." },
        { Row("SCRATCH_2", "SSD", 1200), Lustre("'ThroughputCapacity':4000"), "INTELLIGENT_TIERING only" },
        // Read cache.
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Cached(100)), Lustre("'DataReadCacheConfiguration':{'SizingMode':'USER_PROVISIONED','SizeGiB':109}"), "by 10 percent or more" },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Cached(40)), Lustre("'ThroughputCapacity':8000"), "minimum read cache size of 64 GiB" },
        { Row("SCRATCH_2", "SSD", 1200), Lustre("'DataReadCacheConfiguration':{'SizingMode':'NO_CACHE'}"), "INTELLIGENT_TIERING only" },
        // Metadata.
        { Row("PERSISTENT_2", "SSD", 1200, "'PerUnitStorageThroughput':125"), Lustre("'MetadataConfiguration':{'Mode':'AUTOMATIC'}"), "only of file systems that were created with one" },
        { User(6000), Lustre("'MetadataConfiguration':{'Iops':3000}"), "cannot be lowered from 6000 to 3000" },
        { User(6000), Lustre("'MetadataConfiguration':{'Mode':'AUTOMATIC'}"), "cannot be lowered from 6000 to 1500" },
        { User(6000), Lustre("'MetadataConfiguration':{'Iops':7000}"), "Invalid MetadataConfiguration Iops: 7000." },
        { Row("PERSISTENT_2", "SSD", 1200, "'PerUnitStorageThroughput':125,'MetadataConfiguration':{'Mode':'AUTOMATIC'}"), Lustre("'MetadataConfiguration':{'Iops':3000}"), "Iops 3000 cannot be set with Mode AUTOMATIC" },
        // Version.
        { Row("SCRATCH_2", "SSD", 1200), "{'FileSystemTypeVersion':'2.10'}", "FileSystemTypeVersion 2.10 is not available. Allowed: 2.12, 2.15." },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'FileSystemTypeVersion':'2.15'"), "{'FileSystemTypeVersion':'2.12'}", "2.12 is not newer than 2.15" },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'FileSystemTypeVersion':'2.12'"), "{'FileSystemTypeVersion':'2.12'}", "2.12 is not newer than 2.12" },
        // The rest.
        { Row("SCRATCH_2", "SSD", 1200), Lustre("'AutoImportPolicy':'NEW'"), "created with an ImportPath" },
        { Row("SCRATCH_2", "SSD", 1200), Lustre("'AutomaticBackupRetentionDays':1"), "persistent deployment types only" },
        { Row("SCRATCH_2", "SSD", 1200), Lustre("'RootSquashConfiguration':{'RootSquash':'0:1'}"), "Either both ids are 0" },
        { Row("SCRATCH_2", "SSD", 1200), Lustre("'LogConfiguration':{'Level':'WARN_ONLY','Destination':'arn:aws:logs:us-east-1:123456789012:log-group:/x'}"), "begins with /aws/fsx" },
        { Row("SCRATCH_2", "SSD", 1200), Lustre("'DataCompressionType':'ZIP'"), "Member must satisfy enum value set: [NONE, LZ4]" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Refuses(string fileSystem, string changes, string message)
    {
        string id = await _api.AvailableAsync(Parse(fileSystem));
        var before = await _api.DescribeAsync(id);
        var refusal = await _api.UpdateRefusedAsync(id, changes);
        Assert.Equal("BadRequest", refusal.Code);
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before.ToJsonString(), (await _api.DescribeAsync(id)).ToJsonString());
    }

    public static TheoryData<string, string> Accepted => new()
    {
        { Row("SCRATCH_2", "SSD", 1200), "{'FileSystemTypeVersion':'2.15'}" },
        { Row("PERSISTENT_1", "SSD", 1200, "'PerUnitStorageThroughput':200"), Lustre("'PerUnitStorageThroughput':50") },
        { Row("PERSISTENT_1", "HDD", 1800, "'PerUnitStorageThroughput':40,'DriveCacheType':'NONE'"), "{'StorageCapacity':3600}" },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Tiering), Lustre("'ThroughputCapacity':8000") },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Cached(100)), Lustre("'DataReadCacheConfiguration':{'SizingMode':'USER_PROVISIONED','SizeGiB':110}") },
        { User(1500), Lustre("'MetadataConfiguration':{'Mode':'AUTOMATIC'}") },
        { User(1500), Lustre("'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':3000}") },
        { Row("PERSISTENT_2", "SSD", 1200, "'PerUnitStorageThroughput':125,'AutomaticBackupRetentionDays':3"), Lustre("'AutomaticBackupRetentionDays':0") },
    };

    [Theory]
    [MemberData(nameof(Accepted))]
    public async Task Accepts(string fileSystem, string changes)
    {
        string id = await _api.AvailableAsync(Parse(fileSystem));
        await _api.UpdateAsync(id, changes);
        await _api.SettleAsync(id);
        Assert.Empty(_api.Catalog.FileSystems.Unsettled());
    }

    public void Dispose() => _api.Dispose();

    private static string Lustre(string members) => $"{{'LustreConfiguration':{{{members}}}}}";

    private static string Cached(int size) =>
        Tiering.Replace("'NO_CACHE'", $"'USER_PROVISIONED','SizeGiB':{size}", StringComparison.Ordinal);

    private static string User(int iops) =>
        Row("PERSISTENT_2", "SSD", 1200, $"'PerUnitStorageThroughput':125,'MetadataConfiguration':{{'Mode':'USER_PROVISIONED','Iops':{iops}}}");
}
