using System.Text.Json.Nodes;
using Nacre.ControlPlane.Tests.Operations.Support;
using static Nacre.ControlPlane.Tests.Operations.Support.Requests;
using static Nacre.ControlPlane.Tests.Operations.Support.TestApi;

namespace Nacre.ControlPlane.Tests.Operations;

public sealed class CreateFileSystemTests : IDisposable
{
    private readonly TestApi _api = new();

    [Fact]
    public async Task Answers_what_tools_read_without_a_null_check()
    {
        var created = await _api.CreateAsync(Scratch());
        string id = Text(created, "FileSystemId");
        Assert.Matches("^fs-[0-9a-f]{17}$", id);
        Assert.Equal("CREATING", Text(created, "Lifecycle"));
        Assert.Equal("LUSTRE", Text(created, "FileSystemType"));
        Assert.Equal(1782907200.25, created["CreationTime"]!.GetValue<double>());
        Assert.Equal(1200, created["StorageCapacity"]!.GetValue<int>());
        Assert.Equal("SSD", Text(created, "StorageType"));
        Assert.Equal("10.0.0.5", Text(created, "DNSName"));
        Assert.Equal(Account, Text(created, "OwnerId"));
        Assert.Equal($"arn:aws:fsx:us-east-1:{Account}:file-system/{id}", Text(created, "ResourceARN"));
        Assert.Equal([Subnet], created["SubnetIds"]!.AsArray().Select(item => item!.GetValue<string>()));
        Assert.Matches("^vpc-[0-9a-f]{17}$", Text(created, "VpcId"));
        Assert.Empty(created["Tags"]!.AsArray());
        var lustre = created["LustreConfiguration"]!.AsObject();
        Assert.Matches("^[a-z0-9]{8}$", Text(lustre, "MountName"));
        Assert.Matches("^[1-7]:[0-2][0-9]:[0-5][0-9]$", Text(lustre, "WeeklyMaintenanceStartTime"));
    }

    [Fact]
    public async Task Scratch_gets_the_defaults_and_none_of_what_persistent_types_have()
    {
        var created = await _api.CreateAsync(Parse($"{{'FileSystemType':'LUSTRE','StorageCapacity':1200,'SubnetIds':['{Subnet}']}}"));
        Assert.Equal("2.10", Text(created, "FileSystemTypeVersion"));
        AssertAbsent(created, "KmsKeyId", "NetworkInterfaceIds", "AdministrativeActions", "FailureDetails");
        var lustre = created["LustreConfiguration"]!.AsObject();
        Assert.Equal("SCRATCH_1", Text(lustre, "DeploymentType"));
        Assert.Equal("NONE", Text(lustre, "DataCompressionType"));
        Assert.Equal("""{"Level":"DISABLED"}""", lustre["LogConfiguration"]!.ToJsonString());
        Assert.Equal(0, lustre["AutomaticBackupRetentionDays"]!.GetValue<int>());
        Assert.False(lustre["CopyTagsToBackups"]!.GetValue<bool>());
        Assert.False(lustre["EfaEnabled"]!.GetValue<bool>());
        AssertAbsent(
            lustre, "PerUnitStorageThroughput", "DriveCacheType", "DataRepositoryConfiguration", "MetadataConfiguration", "RootSquashConfiguration",
            "DailyAutomaticBackupStartTime", "ThroughputCapacity", "DataReadCacheConfiguration");
    }

    [Fact]
    public async Task Persistent_gets_a_key_and_times_for_backups_it_wants()
    {
        var created = await _api.CreateAsync(Persistent(2400, "'AutomaticBackupRetentionDays':7,'MetadataConfiguration':{'Mode':'AUTOMATIC'},'LogConfiguration':{'Level':'WARN_ONLY'}"));
        string id = Text(created, "FileSystemId");
        Assert.Equal("2.15", Text(created, "FileSystemTypeVersion"));
        Assert.Matches($"^arn:aws:kms:us-east-1:{Account}:key/[0-9a-f]{{8}}-[0-9a-f-]{{27}}$", Text(created, "KmsKeyId"));
        var lustre = created["LustreConfiguration"]!.AsObject();
        Assert.Matches("^[0-2][0-9]:[0-5][0-9]$", Text(lustre, "DailyAutomaticBackupStartTime"));
        Assert.Equal(3000, lustre["MetadataConfiguration"]!["Iops"]!.GetValue<int>());
        Assert.Equal(
            $"arn:aws:logs:us-east-1:{Account}:log-group:/aws/fsx/lustre:log-stream:datarepo_{id}",
            lustre["LogConfiguration"]!["Destination"]!.GetValue<string>());
        Assert.Equal("2.12", Text(await _api.CreateAsync(Persistent()), "FileSystemTypeVersion"));
    }

    [Theory]
    [InlineData("arn:aws:kms:eu-west-1:999999999999:key/abc", "arn:aws:kms:eu-west-1:999999999999:key/abc")]
    [InlineData("0f1e2d3c-aaaa-bbbb-cccc-0123456789ab", "arn:aws:kms:us-east-1:123456789012:key/0f1e2d3c-aaaa-bbbb-cccc-0123456789ab")]
    public async Task Keys_are_answered_as_arns(string given, string answered) =>
        Assert.Equal(answered, Text(await _api.CreateAsync(Persistent(rest: $"'KmsKeyId':'{given}'")), "KmsKeyId"));

    [Fact]
    public async Task An_alias_stands_for_the_same_key_each_time()
    {
        var keys = new List<string>();
        foreach (string alias in new[] { "alias/one", "arn:aws:kms:us-east-1:123456789012:alias/one", "alias/two" })
        {
            keys.Add(Text(await _api.CreateAsync(Persistent(rest: $"'KmsKeyId':'{alias}'")), "KmsKeyId"));
        }
        Assert.Equal(keys[0], keys[1]);
        Assert.NotEqual(keys[0], keys[2]);
        Assert.All(keys, key => Assert.Contains(":key/", key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Subnets_are_in_one_vpc_each_time()
    {
        var first = await _api.CreateAsync(Scratch());
        var second = await _api.CreateAsync(Scratch());
        Assert.Equal(Text(first, "VpcId"), Text(second, "VpcId"));
        Assert.NotEqual(Text(first, "FileSystemId"), Text(second, "FileSystemId"));
    }

    [Fact]
    public async Task With_a_suffix_each_has_a_name_of_its_own()
    {
        using var api = new TestApi(new ControlPlaneSettings { DnsSuffix = "fsx.home.example", Region = "eu-central-1", Partition = "aws-cn" });
        var created = await api.CreateAsync(Scratch());
        Assert.Equal(Text(created, "FileSystemId") + ".fsx.home.example", Text(created, "DNSName"));
        Assert.StartsWith("arn:aws-cn:fsx:eu-central-1:", Text(created, "ResourceARN"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_of_scratch_1_is_called_fsx_and_again_once_it_is_gone()
    {
        Assert.Equal("fsx", await MountNameAsync());
        Assert.NotEqual("fsx", await MountNameAsync());
        string id = _api.Catalog.FileSystems.List(Account)[0].Entry.Description.FileSystemId;
        await _api.CallAsync("DeleteFileSystem", $$"""{"FileSystemId":"{{id}}"}""");
        Assert.NotEqual("fsx", await MountNameAsync());
        await _api.SettleAsync(id);
        Assert.Equal("fsx", await MountNameAsync());
    }

    [Fact]
    public async Task Names_that_the_node_serves_already_are_not_given()
    {
        _api.DataPlane.Names.Add("fsx");
        Assert.NotEqual("fsx", await MountNameAsync());
    }

    [Fact]
    public async Task A_hundred_concurrent_requests_with_one_token_make_one_file_system()
    {
        var request = Scratch(rest: "'ClientRequestToken':'pvc-1','Tags':[{'Key':'CSIVolumeName','Value':'pvc-1'}]");
        string json = request.ToJsonString();
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => _api.CallAsync("CreateFileSystem", json))));
        Assert.Single(answers.Select(answer => Text(answer["FileSystem"]!.AsObject(), "FileSystemId")).Distinct());
        Assert.Single(_api.Catalog.FileSystems.List(Account));
    }

    [Fact]
    public async Task A_repeated_request_answers_the_file_system_as_it_is_now()
    {
        var request = Scratch(rest: "'ClientRequestToken':'once'");
        string id = await _api.AvailableAsync(request);
        _api.Time.Advance(TimeSpan.FromDays(30));
        var again = await _api.CreateAsync(request);
        Assert.Equal((id, "AVAILABLE"), (Text(again, "FileSystemId"), Text(again, "Lifecycle")));
    }

    [Fact]
    public async Task The_same_token_with_other_parameters_is_refused_and_the_parameter_named()
    {
        await _api.CreateAsync(Scratch(rest: "'ClientRequestToken':'once'"));
        var refusal = await _api.RefusedAsync("CreateFileSystem", Scratch(2400, "'ClientRequestToken':'once'"));
        Assert.Equal(("IncompatibleParameterError", "StorageCapacity"), (refusal.Code, refusal.Members["Parameter"]));
        // Also where the other parameters are wrong: the token is looked at first.
        refusal = await _api.RefusedAsync("CreateFileSystem", Scratch(7, "'ClientRequestToken':'once'"));
        Assert.Equal("IncompatibleParameterError", refusal.Code);
    }

    [Fact]
    public async Task A_token_is_free_again_when_its_file_system_is_gone_and_for_other_accounts_always()
    {
        var request = Scratch(rest: "'ClientRequestToken':'once'");
        string id = await _api.AvailableAsync(request);
        var other = await _api.CallAsync("CreateFileSystem", request, "999999999999");
        Assert.NotEqual(id, Text(other["FileSystem"]!.AsObject(), "FileSystemId"));
        await _api.CallAsync("DeleteFileSystem", $$"""{"FileSystemId":"{{id}}"}""");
        await _api.SettleAsync(id);
        Assert.NotEqual(id, Text(await _api.CreateAsync(request), "FileSystemId"));
    }

    [Theory]
    [InlineData("FILE_SYSTEM_COUNT", 2, 100_000, 2)]
    [InlineData("TOTAL_STORAGE", 100, 2_400, 2)]
    [InlineData("TOTAL_STORAGE", 100, 3_599, 2)]
    public async Task Quotas_bound_what_an_account_has_of_each_class(string limit, int count, int gib, int fits)
    {
        using var api = new TestApi(new ControlPlaneSettings { Quotas = new Quotas { FileSystems = count, StorageGib = gib } });
        for (int i = 0; i < fits; i++)
        {
            await api.CreateAsync(Scratch());
        }
        var refusal = await api.RefusedAsync("CreateFileSystem", Scratch());
        Assert.Equal(("ServiceLimitExceeded", limit), (refusal.Code, refusal.Members["Limit"]));
        await api.CreateAsync(Persistent());
        await api.CallAsync("CreateFileSystem", Scratch(), "999999999999");
    }

    [Fact]
    public async Task Throughput_of_intelligent_tiering_has_a_quota_of_its_own()
    {
        using var api = new TestApi(new ControlPlaneSettings { Quotas = new Quotas { ThroughputCapacity = 4_000 } });
        var request = Create("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Tiering);
        await api.CreateAsync(request);
        var refusal = await api.RefusedAsync("CreateFileSystem", request);
        Assert.Equal(("ServiceLimitExceeded", "TOTAL_THROUGHPUT_CAPACITY"), (refusal.Code, refusal.Members["Limit"]));
    }

    public void Dispose() => _api.Dispose();

    private static void AssertAbsent(JsonObject from, params string[] members) =>
        Assert.All(members, member => Assert.False(from.ContainsKey(member), member));

    private async Task<string> MountNameAsync() =>
        Text((await _api.CreateAsync(Create("SCRATCH_1", "SSD", 1200)))["LustreConfiguration"]!.AsObject(), "MountName");
}
