using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Tests.Operations.Support;
using static Nacre.ControlPlane.Tests.Operations.Support.Requests;

namespace Nacre.ControlPlane.Tests.Operations;

public sealed class DeleteFileSystemTests : IDisposable
{
    private readonly TestApi _api = new();

    [Fact]
    public async Task Deleting_is_seen_until_the_file_system_is_gone_and_then_it_is_not_found()
    {
        string id = await _api.AvailableAsync(Scratch());
        string answer = $$"""{"FileSystemId":"{{id}}","Lifecycle":"DELETING"}""";
        Assert.Equal(answer, (await _api.CallAsync("DeleteFileSystem", Request(id))).ToJsonString());
        Assert.Equal("DELETING", TestApi.Text(await _api.DescribeAsync(id), "Lifecycle"));
        Assert.Equal(answer, (await _api.CallAsync("DeleteFileSystem", Request(id))).ToJsonString());
        Assert.Equal([id], _api.Catalog.FileSystems.Unsettled());

        await _api.SettleAsync(id);
        foreach (string operation in new[] { "DeleteFileSystem", "UpdateFileSystem" })
        {
            Assert.Equal("FileSystemNotFound", (await _api.RefusedAsync(operation, Request(id))).Code);
        }
        Assert.Equal("FileSystemNotFound", (await _api.RefusedAsync("DescribeFileSystems", $$"""{"FileSystemIds":["{{id}}"]}""")).Code);
    }

    [Theory]
    [InlineData(FileSystemLifecycle.Creating)]
    [InlineData(FileSystemLifecycle.Updating)]
    [InlineData(FileSystemLifecycle.Failed)]
    [InlineData(FileSystemLifecycle.Misconfigured)]
    public async Task It_can_be_deleted_in_every_state(string lifecycle)
    {
        string id = await _api.AvailableAsync(Scratch());
        _api.Catalog.FileSystems.Update(id, entry => entry with { Description = entry.Description with { Lifecycle = lifecycle } });
        await _api.CallAsync("DeleteFileSystem", Request(id));
        Assert.Equal("DELETING", TestApi.Text(await _api.DescribeAsync(id), "Lifecycle"));
    }

    [Fact]
    public async Task Persistent_types_take_a_configuration()
    {
        string id = await _api.AvailableAsync(Persistent());
        await _api.CallAsync("DeleteFileSystem", Request(id, ",'LustreConfiguration':{'SkipFinalBackup':true,'FinalBackupTags':[{'Key':'a','Value':'b'}]},'ClientRequestToken':'t'"));
        await _api.CallAsync("DeleteFileSystem", Request(await _api.AvailableAsync(Persistent()), ",'LustreConfiguration':{}"));
    }

    [Theory]
    [InlineData("SCRATCH_1", ",'LustreConfiguration':{}", "LustreConfiguration cannot be applied to delete a file system with DeploymentType SCRATCH_1.")]
    [InlineData("SCRATCH_2", ",'LustreConfiguration':{'SkipFinalBackup':true}", "LustreConfiguration cannot be applied")]
    [InlineData("PERSISTENT_2", ",'LustreConfiguration':{'SkipFinalBackup':false}", "has no backups yet. Nothing was deleted.")]
    [InlineData("PERSISTENT_2", ",'WindowsConfiguration':{}", "WindowsConfiguration cannot be applied to delete a LUSTRE file system.")]
    [InlineData("PERSISTENT_2", ",'LustreConfiguration':{'FinalBackupTags':[{'Key':'a'}]}", "Value null at 'lustreConfiguration.finalBackupTags.1.member.value'")]
    public async Task What_is_refused_deletes_nothing(string deployment, string more, string message)
    {
        string lustre = deployment == "PERSISTENT_2" ? "'PerUnitStorageThroughput':125" : "";
        string id = await _api.AvailableAsync(Create(deployment, "SSD", 1200, lustre));
        var refusal = await _api.RefusedAsync("DeleteFileSystem", Request(id, more));
        Assert.Equal("BadRequest", refusal.Code);
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
        Assert.Equal("AVAILABLE", TestApi.Text(await _api.DescribeAsync(id), "Lifecycle"));
    }

    [Fact]
    public async Task Somebody_elses_is_not_found()
    {
        string id = await _api.AvailableAsync(Scratch());
        Assert.Equal("FileSystemNotFound", (await _api.RefusedAsync("DeleteFileSystem", Request(id), "999999999999")).Code);
        Assert.Equal("AVAILABLE", TestApi.Text(await _api.DescribeAsync(id), "Lifecycle"));
    }

    public void Dispose() => _api.Dispose();

    private static string Request(string id, string more = "") => $"{{'FileSystemId':'{id}'{more}}}".Replace('\'', '"');
}
