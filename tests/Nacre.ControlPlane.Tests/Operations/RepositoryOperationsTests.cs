using Nacre.ControlPlane.Tests.Operations.Support;
using static Nacre.ControlPlane.Tests.Operations.Support.Requests;

namespace Nacre.ControlPlane.Tests.Operations;

/// <summary>Operations on backups, data repositories and file caches, of which there are none yet, and those of other families.</summary>
public sealed class RepositoryOperationsTests : IDisposable
{
    private const string Backup = "backup-00000000000000000";
    private const string Association = "dra-00000000000000000";
    private const string Task = "task-00000000000000000";
    private const string Linked = "'DataRepositoryPath':'s3://bucket/in','FileSystemPath':'/in'";
    private const string Export = "'Type':'EXPORT_TO_REPOSITORY','Report':{'Enabled':false}";

    private readonly TestApi _api = new();

    [Fact]
    public void All_48_operations_are_there() => Assert.Equal(48, _api.Operations.Select(operation => operation.Name).Distinct().Count());

    [Theory]
    [InlineData("DescribeBackups", "{}", """{"Backups":[]}""")]
    [InlineData("DescribeBackups", "{'Filters':[{'Name':'file-system-id','Values':['fs-00000000000000000']}],'MaxResults':5}", """{"Backups":[]}""")]
    [InlineData("DescribeDataRepositoryAssociations", "{'MaxResults':1000}", """{"Associations":[]}""")]
    [InlineData("DescribeDataRepositoryAssociations", "{'Filters':[{'Name':'data-repository-type','Values':['NFS','S3']}]}", """{"Associations":[]}""")]
    [InlineData("DescribeDataRepositoryTasks", "{'Filters':[{'Name':'task-lifecycle','Values':['EXECUTING']}]}", """{"DataRepositoryTasks":[]}""")]
    [InlineData("DescribeFileCaches", "{}", """{"FileCaches":[]}""")]
    [InlineData("DescribeVolumes", "{}", """{"Volumes":[]}""")]
    [InlineData("DescribeStorageVirtualMachines", "{'Filters':[]}", """{"StorageVirtualMachines":[]}""")]
    [InlineData("DescribeSnapshots", "{'SnapshotIds':[]}", """{"Snapshots":[]}""")]
    public async Task Lists_are_there_and_empty(string operation, string request, string answer) =>
        Assert.Equal(answer, (await _api.CallAsync(operation, Parse(request))).ToJsonString());

    [Theory]
    [InlineData("DescribeBackups", $"{{'BackupIds':['{Backup}']}}", "BackupNotFound", $"Backup '{Backup}' does not exist.")]
    [InlineData("CopyBackup", $"{{'SourceBackupId':'{Backup}'}}", "BackupNotFound", Backup)]
    [InlineData("DeleteBackup", $"{{'BackupId':'{Backup}'}}", "BackupNotFound", Backup)]
    [InlineData("CreateFileSystemFromBackup", $"{{'BackupId':'{Backup}','SubnetIds':['{Subnet}']}}", "BackupNotFound", Backup)]
    [InlineData("DescribeDataRepositoryAssociations", $"{{'AssociationIds':['{Association}']}}", "DataRepositoryAssociationNotFound", Association)]
    [InlineData("DescribeDataRepositoryAssociations", "{'Filters':[{'Name':'data-repository-type','Values':['HTTP']}]}", "InvalidDataRepositoryType", "HTTP")]
    [InlineData("UpdateDataRepositoryAssociation", $"{{'AssociationId':'{Association}'}}", "DataRepositoryAssociationNotFound", Association)]
    [InlineData("DeleteDataRepositoryAssociation", $"{{'AssociationId':'{Association}'}}", "DataRepositoryAssociationNotFound", Association)]
    [InlineData("DescribeDataRepositoryTasks", $"{{'TaskIds':['{Task}']}}", "DataRepositoryTaskNotFound", Task)]
    [InlineData("CancelDataRepositoryTask", $"{{'TaskId':'{Task}'}}", "DataRepositoryTaskNotFound", Task)]
    [InlineData("CreateBackup", "{'FileSystemId':'fs-00000000000000000'}", "FileSystemNotFound", "fs-00000000000000000")]
    [InlineData("CreateBackup", "{'VolumeId':'fsvol-00000000000000000'}", "VolumeNotFound", "fsvol-00000000000000000")]
    [InlineData("CreateBackup", "{}", "BadRequest", "FileSystemId is required")]
    [InlineData("CreateDataRepositoryAssociation", $"{{'FileSystemId':'fs-00000000000000000',{Linked}}}", "FileSystemNotFound", "fs-00000000000000000")]
    [InlineData("CreateDataRepositoryTask", $"{{'FileSystemId':'fs-00000000000000000',{Export}}}", "FileSystemNotFound", "fs-00000000000000000")]
    [InlineData("DescribeFileCaches", "{'FileCacheIds':['fc-00000000000000000']}", "FileCacheNotFound", "FileCaches")]
    [InlineData("UpdateFileCache", "{'FileCacheId':'fc-00000000000000000'}", "FileCacheNotFound", "fc-00000000000000000")]
    [InlineData("DeleteFileCache", "{'FileCacheId':'fc-00000000000000000'}", "FileCacheNotFound", "fc-00000000000000000")]
    [InlineData("DeleteFileCache", "{}", "BadRequest", "Value null at 'fileCacheId'")]
    [InlineData("CreateFileCache", "{'FileCacheType':'LUSTRE'}", "UnsupportedOperation", "no file caches yet")]
    [InlineData("DescribeVolumes", "{'VolumeIds':['fsvol-00000000000000000']}", "VolumeNotFound", "Volumes")]
    [InlineData("CreateVolume", "{}", "UnsupportedOperation", "CreateVolume is unsupported for LUSTRE file systems")]
    [InlineData("AssociateFileSystemAliases", "{}", "UnsupportedOperation", "AssociateFileSystemAliases")]
    [InlineData("DescribeBackups", "{'Filters':[{'Name':'color','Values':['red']}]}", "BadRequest", "Value 'color' at 'filters.1.member.name'")]
    [InlineData("CreateDataRepositoryTask", "{'FileSystemId':'fs-00000000000000000'}", "BadRequest", "2 validation errors detected: Value null at 'type'")]
    [InlineData("CreateDataRepositoryAssociation", $"{{'FileSystemId':'fs-00000000000000000',{Linked},'S3':{{'AutoImportPolicy':{{'Events':['RENAMED']}}}}}}", "BadRequest", "Value 'RENAMED' at 's3.autoImportPolicy.events.1.member'")]
    public async Task What_does_not_exist_is_refused_by_its_own_code(string operation, string request, string code, string message)
    {
        var refusal = await _api.RefusedAsync(operation, Parse(request));
        Assert.Equal(code, refusal.Code);
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SCRATCH_2", "2.15", "CreateBackup", "", "UnsupportedOperation", "Backups of file systems with DeploymentType SCRATCH_2 are unsupported")]
    [InlineData("PERSISTENT_2", "2.15", "CreateBackup", "", "UnsupportedOperation", "no backups yet")]
    [InlineData("SCRATCH_1", "2.15", "CreateDataRepositoryAssociation", Linked, "UnsupportedOperation", "SCRATCH_1")]
    [InlineData("SCRATCH_2", "2.10", "CreateDataRepositoryAssociation", Linked, "UnsupportedOperation", "this file system has 2.10")]
    [InlineData("SCRATCH_2", "2.15", "CreateDataRepositoryAssociation", "'DataRepositoryPath':'s3://bucket','FileSystemPath':'in'", "BadRequest", "Invalid FileSystemPath: in.")]
    [InlineData("SCRATCH_2", "2.15", "CreateDataRepositoryAssociation", "'DataRepositoryPath':'nfs://server/x','FileSystemPath':'/in'", "BadRequest", "Invalid DataRepositoryPath: nfs://server/x.")]
    [InlineData("PERSISTENT_2", "2.15", "CreateDataRepositoryAssociation", Linked, "UnsupportedOperation", "no data repositories yet")]
    [InlineData("PERSISTENT_2", "2.15", "CreateDataRepositoryTask", Export, "BadRequest", "is not linked to a data repository")]
    [InlineData("SCRATCH_2", "2.10", "CreateDataRepositoryTask", "'Type':'RELEASE_DATA_FROM_FILESYSTEM','Report':{'Enabled':false}", "UnsupportedOperation", "2.10")]
    [InlineData("SCRATCH_2", "2.15", "CreateDataRepositoryTask", "'Type':'EXPORT_TO_REPOSITORY','Report':{'Enabled':true}", "BadRequest", "Report with Enabled true needs Path")]
    [InlineData("SCRATCH_2", "2.15", "CreateDataRepositoryTask", "'Type':'AUTO_RELEASE_DATA','Report':{'Enabled':false}", "UnsupportedOperation", "file caches")]
    public async Task What_a_file_system_cannot_have_is_refused_before_what_no_file_system_has_yet(
        string deployment, string version, string operation, string request, string code, string message)
    {
        string id = await _api.AvailableAsync(Create(
            deployment, "SSD", 1200, deployment == "PERSISTENT_2" ? "'PerUnitStorageThroughput':125" : "", $"'FileSystemTypeVersion':'{version}'"));
        string more = request.Length == 0 ? "" : "," + request;
        var refusal = await _api.RefusedAsync(operation, Parse($"{{'FileSystemId':'{id}'{more}}}"));
        Assert.Equal(code, refusal.Code);
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_system_with_automatic_backups_cannot_be_associated()
    {
        string id = await _api.AvailableAsync(Persistent(1200, "'AutomaticBackupRetentionDays':5"));
        var refusal = await _api.RefusedAsync("CreateDataRepositoryAssociation", Parse($"{{'FileSystemId':'{id}',{Linked}}}"));
        Assert.Equal("BadRequest", refusal.Code);
        Assert.Contains("automatic backups", refusal.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _api.Dispose();
}
