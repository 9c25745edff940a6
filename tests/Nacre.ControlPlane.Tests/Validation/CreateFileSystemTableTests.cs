using Nacre.ControlPlane.Tests.Operations.Support;
using static Nacre.ControlPlane.Tests.Operations.Support.Requests;

namespace Nacre.ControlPlane.Tests.Validation;

/// <summary>What can be ordered together, row by row, and the nearest things that cannot.</summary>
public sealed class CreateFileSystemTableTests : IDisposable
{
    private const string Refused = "BadRequest";
    private const string Throughput = "InvalidPerUnitStorageThroughput";

    private readonly TestApi _api = new();

    public static TheoryData<string> Accepted => new(
        // Capacity of the scratch types.
        Row("SCRATCH_1", "SSD", 1200), Row("SCRATCH_1", "SSD", 2400), Row("SCRATCH_1", "SSD", 3600), Row("SCRATCH_1", "SSD", 7200),
        Row("SCRATCH_2", "SSD", 1200), Row("SCRATCH_2", "SSD", 2400), Row("SCRATCH_2", "SSD", 4800), Row("SCRATCH_2", "SSD", 100800),
        // Throughput and drive cache.
        Row("PERSISTENT_1", "SSD", 1200, "'PerUnitStorageThroughput':50"), Row("PERSISTENT_1", "SSD", 1200, "'PerUnitStorageThroughput':100"),
        Row("PERSISTENT_1", "SSD", 2400, "'PerUnitStorageThroughput':200"),
        Row("PERSISTENT_1", "HDD", 6000, "'PerUnitStorageThroughput':12,'DriveCacheType':'NONE'"),
        Row("PERSISTENT_1", "HDD", 12000, "'PerUnitStorageThroughput':12,'DriveCacheType':'READ'"),
        Row("PERSISTENT_1", "HDD", 1800, "'PerUnitStorageThroughput':40,'DriveCacheType':'NONE'"),
        Row("PERSISTENT_1", "HDD", 3600, "'PerUnitStorageThroughput':40,'DriveCacheType':'READ'"),
        Row("PERSISTENT_2", "SSD", 1200, "'PerUnitStorageThroughput':125"), Row("PERSISTENT_2", "SSD", 2400, "'PerUnitStorageThroughput':250"),
        Row("PERSISTENT_2", "SSD", 4800, "'PerUnitStorageThroughput':500"), Row("PERSISTENT_2", "SSD", 1200, "'PerUnitStorageThroughput':1000"),
        // Metadata.
        P2(1200, "'MetadataConfiguration':{'Mode':'AUTOMATIC'}"), P2(1200, "'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':1500}"),
        P2(2400, "'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':3000}"), P2(12000, "'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':12000}"),
        P2(1200, "'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':192000}"), P2(1200, "'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':24000}"),
        // Intelligent-Tiering.
        Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Tiering),
        Tiered(8000, "'SizingMode':'PROPORTIONAL_TO_THROUGHPUT_CAPACITY'"), Tiered(8000, "'SizingMode':'USER_PROVISIONED','SizeGiB':64"),
        Tiered(4000, "'SizingMode':'USER_PROVISIONED','SizeGiB':131072"), Tiered(8000, "'SizingMode':'USER_PROVISIONED','SizeGiB':262144"),
        // EFA.
        Efa(38400, 125), Efa(19200, 250), Efa(9600, 500), Efa(4800, 1000), Efa(9600, 1000), P2(1200, "'EfaEnabled':false"),
        // Versions.
        Row("SCRATCH_1", "SSD", 1200, rest: "'FileSystemTypeVersion':'2.10'"), Row("SCRATCH_2", "SSD", 1200, rest: "'FileSystemTypeVersion':'2.15'"),
        Row("PERSISTENT_2", "SSD", 1200, "'PerUnitStorageThroughput':125", "'FileSystemTypeVersion':'2.12'"),
        Row("PERSISTENT_2", "SSD", 1200, "'PerUnitStorageThroughput':125", "'FileSystemTypeVersion':'2.15'"),
        // Backups, key, log, root squash, tags.
        P2(1200, "'AutomaticBackupRetentionDays':90,'DailyAutomaticBackupStartTime':'23:59','CopyTagsToBackups':true"),
        Row("SCRATCH_2", "SSD", 1200, "'AutomaticBackupRetentionDays':0,'CopyTagsToBackups':false"),
        Row("PERSISTENT_1", "SSD", 1200, "'PerUnitStorageThroughput':50", "'KmsKeyId':'alias/mine'"),
        P2(1200, "'LogConfiguration':{'Level':'DISABLED'}"),
        P2(1200, "'LogConfiguration':{'Level':'WARN_ERROR','Destination':'arn:aws:logs:us-east-1:123456789012:log-group:/aws/fsx/mine:*'}"),
        P2(1200, "'RootSquashConfiguration':{'RootSquash':'65534:65534','NoSquashNids':['10.0.1.6@tcp','10.0.[2-10].[1-255]@tcp']}"),
        P2(1200, "'RootSquashConfiguration':{'RootSquash':'0:0'}"), P2(1200, "'RootSquashConfiguration':{'RootSquash':'4294967294:1'}"),
        Row("SCRATCH_2", "SSD", 1200, rest: "'Tags':[{'Key':'Name','Value':''},{'Key':'kubernetes.io/created-for/pvc','Value':'a b+c=d@e'}]"),
        Row("SCRATCH_2", "SSD", 1200, rest: "'NetworkType':'IPV4','SecurityGroupIds':['sg-0123456789abcdef0']"),
        Row("SCRATCH_2", "SSD", 1200, "'AutoImportPolicy':'NONE','DataCompressionType':'LZ4','WeeklyMaintenanceStartTime':'7:23:59'"),
        // Members nobody knows are ignored, null ones are absent ones.
        Row("SCRATCH_2", "SSD", 1200, "'NewOfNextYear':1", "'Unknown':{'a':[]},'KmsKeyId':null"));

    public static TheoryData<string, string, string> Refusals => new()
    {
        // The shape.
        { "{}", Refused, "2 validation errors detected: Value null at 'fileSystemType' failed to satisfy constraint: Member must not be null; Value null at 'subnetIds'" },
        { "{'FileSystemType':'LUSTRE','SubnetIds':['subnet-0123456789abcdef0']}", Refused, "1 validation error detected: Value null at 'storageCapacity' failed to satisfy constraint: Member must not be null" },
        { Row("SCRATCH_9", "SSD", 1200), Refused, "Value 'SCRATCH_9' at 'lustreConfiguration.deploymentType' failed to satisfy constraint: Member must satisfy enum value set: [SCRATCH_1, SCRATCH_2, PERSISTENT_1, PERSISTENT_2]" },
        { Row("SCRATCH_2", "FLOPPY", 1200), Refused, "at 'storageType' failed to satisfy constraint: Member must satisfy enum value set: [SSD, HDD, INTELLIGENT_TIERING]" },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'SecurityGroupIds':['']"), Refused, "Value '' at 'securityGroupIds.1.member' failed to satisfy constraint: Member must have length greater than or equal to 11" },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'SecurityGroupIds':[null]"), Refused, "Value null at 'securityGroupIds.1.member' failed to satisfy constraint: Member must not be null" },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'ClientRequestToken':'with space'"), Refused, "at 'clientRequestToken' failed to satisfy constraint: Member must satisfy regular expression pattern" },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'Tags':[]"), Refused, "at 'tags' failed to satisfy constraint: Member must have length greater than or equal to 1" },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'Tags':[{'Key':'a'}]"), Refused, "Value null at 'tags.1.member.value'" },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'Tags':[{'Key':'a*','Value':''}]"), Refused, "Value 'a*' at 'tags.1.member.key'" },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'FileSystemTypeVersion':'2.15\\n'"), Refused, "at 'fileSystemTypeVersion' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[0-9](.[0-9]*)*$" },
        { Row("SCRATCH_2", "SSD", 1200, "'WeeklyMaintenanceStartTime':'8:00:00'"), Refused, "at 'lustreConfiguration.weeklyMaintenanceStartTime'" },
        { Row("SCRATCH_2", "SSD", 1200, "'WeeklyMaintenanceStartTime':'1:24:00'"), Refused, "at 'lustreConfiguration.weeklyMaintenanceStartTime'" },
        { P2(1200, "'DailyAutomaticBackupStartTime':'9:00'"), Refused, "at 'lustreConfiguration.dailyAutomaticBackupStartTime' failed to satisfy constraint: Member must have length greater than or equal to 5" },
        { P2(1200, "'AutomaticBackupRetentionDays':91"), Refused, "Value '91' at 'lustreConfiguration.automaticBackupRetentionDays' failed to satisfy constraint: Member must have value less than or equal to 90" },
        { P2(1200, "'MetadataConfiguration':{'Iops':1500}"), Refused, "Value null at 'lustreConfiguration.metadataConfiguration.mode'" },
        { P2(1200, "'LogConfiguration':{}"), Refused, "Value null at 'lustreConfiguration.logConfiguration.level'" },
        { P2(1200, "'RootSquashConfiguration':{'RootSquash':'root'}"), Refused, "at 'lustreConfiguration.rootSquashConfiguration.rootSquash'" },
        { Row("PERSISTENT_1", "SSD", 1200, "'PerUnitStorageThroughput':1001"), Refused, "Value '1001' at 'lustreConfiguration.perUnitStorageThroughput'" },
        // Wrong JSON types.
        { "{'FileSystemType':7}", "SerializationException", "$.FileSystemType" },
        { "{'SubnetIds':'subnet-0123456789abcdef0'}", "SerializationException", "$.SubnetIds" },
        { "{'StorageCapacity':'1200'}", "SerializationException", "$.StorageCapacity" },
        { "{'StorageCapacity':99999999999}", "SerializationException", "$.StorageCapacity" },
        { "{'LustreConfiguration':{'EfaEnabled':'true'}}", "SerializationException", "$.LustreConfiguration.EfaEnabled" },
        { "{'Tags':{'Key':'a'}}", "SerializationException", "$.Tags" },
        { "{'KmsKeyId':'\\ud800'}", "SerializationException", "$.KmsKeyId" },
        // Types.
        { Row("SCRATCH_2", "SSD", 1200).Replace("LUSTRE", "WINDOWS", StringComparison.Ordinal), Refused, "FileSystemType WINDOWS is not available here" },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'WindowsConfiguration':{}"), Refused, "WindowsConfiguration cannot be applied to create a LUSTRE file system." },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'NetworkType':'DUAL'"), Refused, "NetworkType DUAL" },
        { Row("SCRATCH_1", "HDD", 6000), Refused, "StorageType HDD is not available for DeploymentType SCRATCH_1. Allowed: SSD." },
        { Row("SCRATCH_2", "HDD", 6000), Refused, "Allowed: SSD." },
        { Row("PERSISTENT_2", "HDD", 6000, "'PerUnitStorageThroughput':12"), Refused, "Allowed: SSD, INTELLIGENT_TIERING." },
        { Row("PERSISTENT_1", "INTELLIGENT_TIERING", 0), Refused, "Allowed: SSD, HDD." },
        { Row("PERSISTENT_1", "SSD", 1200, "'PerUnitStorageThroughput':50,'DriveCacheType':'READ'"), Refused, "DriveCacheType READ is allowed with StorageType HDD only" },
        { Row("PERSISTENT_1", "HDD", 6000, "'PerUnitStorageThroughput':12"), Refused, "DriveCacheType is required with StorageType HDD. Allowed: NONE, READ." },
        // Throughput.
        { Row("SCRATCH_2", "SSD", 1200, "'PerUnitStorageThroughput':200"), Throughput, "PerUnitStorageThroughput 200 cannot be set for DeploymentType SCRATCH_2" },
        { Row("PERSISTENT_1", "SSD", 1200), Throughput, "PerUnitStorageThroughput is absent; allowed for PERSISTENT_1 SSD: 50, 100, 200." },
        { Row("PERSISTENT_1", "SSD", 1200, "'PerUnitStorageThroughput':125"), Throughput, "Invalid Lustre deployment configuration: the provided throughput is invalid or does not meet the storage capacity requirement" },
        { Row("PERSISTENT_1", "HDD", 6000, "'PerUnitStorageThroughput':50,'DriveCacheType':'NONE'"), Throughput, "allowed for PERSISTENT_1 HDD: 12, 40." },
        { Row("PERSISTENT_2", "SSD", 1200, "'PerUnitStorageThroughput':50"), Throughput, "allowed for PERSISTENT_2 SSD: 125, 250, 500, 1000." },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Tiering + ",'PerUnitStorageThroughput':125"), Throughput, "cannot be set" },
        // Capacity.
        { Row("SCRATCH_1", "SSD", 4800), Refused, "Invalid Lustre FS storage capacity: 4800. Must be 1200, 2400 or a multiple of 3600." },
        { Row("SCRATCH_2", "SSD", 3600), Refused, "Invalid Lustre FS storage capacity: 3600. Must be 1200 or a multiple of 2400." },
        { Row("SCRATCH_2", "SSD", 1201), Refused, "Must be 1200 or a multiple of 2400." },
        { Row("PERSISTENT_1", "SSD", 600, "'PerUnitStorageThroughput':50"), Refused, "Must be 1200 or a multiple of 2400." },
        { Row("PERSISTENT_1", "HDD", 1800, "'PerUnitStorageThroughput':12,'DriveCacheType':'NONE'"), Refused, "Must be a multiple of 6000." },
        { Row("PERSISTENT_1", "HDD", 6000, "'PerUnitStorageThroughput':40,'DriveCacheType':'NONE'"), Refused, "Must be a multiple of 1800." },
        { Efa(4800, 500), Refused, "Must be a multiple of 9600." },
        { Efa(19200, 125), Refused, "Must be a multiple of 38400." },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 1200, Tiering), Refused, "StorageCapacity 1200 cannot be set with StorageType INTELLIGENT_TIERING" },
        { Row("SCRATCH_2", "SSD", 1200).Replace("1200", "0", StringComparison.Ordinal), Refused, "Invalid Lustre FS storage capacity: 0." },
        // Metadata.
        { Row("PERSISTENT_1", "SSD", 1200, "'PerUnitStorageThroughput':50,'MetadataConfiguration':{'Mode':'AUTOMATIC'}"), Refused, "MetadataConfiguration is allowed with DeploymentType PERSISTENT_2 only" },
        { P2(1200, "'MetadataConfiguration':{'Mode':'AUTOMATIC','Iops':1500}"), Refused, "Iops 1500 cannot be set with Mode AUTOMATIC" },
        { P2(1200, "'MetadataConfiguration':{'Mode':'USER_PROVISIONED'}"), Refused, "Iops is required with Mode USER_PROVISIONED" },
        { P2(1200, "'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':2000}"), Refused, "Invalid MetadataConfiguration Iops: 2000." },
        { P2(1200, "'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':18000}"), Refused, "1500, 3000, 6000, 12000 or a multiple of 12000" },
        { P2(2400, "'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':1500}"), Refused, "below what a storage capacity of 2400 GiB needs: 3000." },
        // Intelligent-Tiering.
        { Row("SCRATCH_2", "SSD", 1200, "'ThroughputCapacity':4000"), Refused, "ThroughputCapacity is allowed with StorageType INTELLIGENT_TIERING only" },
        { P2(1200, "'DataReadCacheConfiguration':{'SizingMode':'NO_CACHE'}"), Refused, "DataReadCacheConfiguration is allowed with StorageType INTELLIGENT_TIERING only" },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0), Refused, "ThroughputCapacity is required" },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, "'ThroughputCapacity':4000"), Refused, "MetadataConfiguration is required" },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, "'ThroughputCapacity':4000,'MetadataConfiguration':{'Mode':'USER_PROVISIONED','Iops':6000}"), Refused, "DataReadCacheConfiguration is required" },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Tiering.Replace("6000", "24000", StringComparison.Ordinal)), Refused, "Must be 6000, 12000." },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Tiering.Replace("'USER_PROVISIONED','Iops':6000", "'AUTOMATIC'", StringComparison.Ordinal)), Refused, "Mode AUTOMATIC is not available" },
        { Tiered(6000, "'SizingMode':'NO_CACHE'"), Refused, "Invalid ThroughputCapacity: 6000. Must be 4000 or a multiple of 4000." },
        { Tiered(4000, "'SizingMode':'USER_PROVISIONED','SizeGiB':31"), Refused, "File systems with throughput capacity of 4000 MB/s support a minimum read cache size of 32 GiB and maximum read cache size of 131072 GiB" },
        { Tiered(8000, "'SizingMode':'USER_PROVISIONED','SizeGiB':63"), Refused, "minimum read cache size of 64 GiB and maximum read cache size of 262144 GiB" },
        { Tiered(4000, "'SizingMode':'USER_PROVISIONED'"), Refused, "SizeGiB is required" },
        { Tiered(4000, "'SizingMode':'NO_CACHE','SizeGiB':32"), Refused, "SizeGiB cannot be set with SizingMode NO_CACHE" },
        { Tiered(4000, ""), Refused, "SizingMode is required" },
        // EFA.
        { P2(4800, "'EfaEnabled':true"), Refused, "EfaEnabled requires DeploymentType PERSISTENT_2 with a MetadataConfiguration" },
        { Row("SCRATCH_2", "SSD", 1200, "'EfaEnabled':true"), Refused, "EfaEnabled requires" },
        // Versions.
        { Row("SCRATCH_2", "SSD", 1200, rest: "'FileSystemTypeVersion':'2.16'"), Refused, "FileSystemTypeVersion 2.16 is not available. Allowed: 2.10, 2.12, 2.15." },
        { Row("PERSISTENT_2", "SSD", 1200, "'PerUnitStorageThroughput':125", "'FileSystemTypeVersion':'2.10'"), Refused, "is not available for DeploymentType PERSISTENT_2. Allowed: 2.12, 2.15." },
        { Row("PERSISTENT_2", "SSD", 1200, "'PerUnitStorageThroughput':125,'MetadataConfiguration':{'Mode':'AUTOMATIC'}", "'FileSystemTypeVersion':'2.12'"), Refused, "Allowed: 2.15." },
        { Row("PERSISTENT_2", "INTELLIGENT_TIERING", 0, Tiering, "'FileSystemTypeVersion':'2.12'"), Refused, "Allowed: 2.15." },
        // Links to S3.
        { P2(1200, "'ImportPath':'s3://bucket'"), Refused, "Linking a Persistent 2 file system to an S3 bucket using the LustreConfiguration is not supported." },
        { Row("SCRATCH_2", "SSD", 1200, "'ExportPath':'s3://bucket/out'"), Refused, "ExportPath is allowed together with ImportPath only." },
        { Row("SCRATCH_2", "SSD", 1200, "'ImportedFileChunkSize':1024"), Refused, "ImportedFileChunkSize is allowed together with ImportPath only." },
        { Row("SCRATCH_2", "SSD", 1200, "'AutoImportPolicy':'NEW'"), Refused, "AutoImportPolicy NEW is allowed together with ImportPath only." },
        { Row("SCRATCH_2", "SSD", 1200, "'ImportPath':'http://bucket'"), "InvalidImportPath", "Must be s3://bucket or s3://bucket/prefix." },
        { Row("SCRATCH_2", "SSD", 1200, "'ImportPath':'s3://Bucket'"), "InvalidImportPath", "Invalid ImportPath: s3://Bucket." },
        { Row("SCRATCH_2", "SSD", 1200, "'ImportPath':'s3://bucket','ExportPath':'bucket/out'"), "InvalidExportPath", "Invalid ExportPath: bucket/out." },
        { Row("SCRATCH_2", "SSD", 1200, "'ImportPath':'s3://bucket','ExportPath':'s3://other/out'"), "InvalidExportPath", "It must be in the bucket of ImportPath, bucket." },
        { Row("PERSISTENT_1", "SSD", 1200, "'PerUnitStorageThroughput':50,'ImportPath':'s3://bucket','AutomaticBackupRetentionDays':1"), Refused, "file systems linked to S3 have no backups" },
        { Row("SCRATCH_2", "SSD", 1200, "'ImportPath':'s3://bucket/in'"), Refused, "this version of Nacre has no data repositories yet" },
        // Backups, key, log, root squash, tags.
        { Row("SCRATCH_2", "SSD", 1200, "'AutomaticBackupRetentionDays':1"), Refused, "AutomaticBackupRetentionDays 1 is allowed with persistent deployment types only" },
        { Row("SCRATCH_1", "SSD", 1200, "'CopyTagsToBackups':true"), Refused, "CopyTagsToBackups is allowed with persistent deployment types only" },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'KmsKeyId':'alias/mine'"), Refused, "KmsKeyId is allowed with persistent deployment types only" },
        { P2(1200, "'LogConfiguration':{'Level':'DISABLED','Destination':'arn:aws:logs:us-east-1:123456789012:log-group:/aws/fsx/a'}"), Refused, "cannot be set with Level DISABLED" },
        { P2(1200, "'LogConfiguration':{'Level':'WARN_ONLY','Destination':'arn:aws:logs:us-east-1:123456789012:log-group:/mine'}"), Refused, "whose name begins with /aws/fsx" },
        { P2(1200, "'LogConfiguration':{'Level':'WARN_ONLY','Destination':'arn:aws:logs:us-east-1:999999999999:log-group:/aws/fsx/a'}"), Refused, "of this account and region" },
        { P2(1200, "'RootSquashConfiguration':{'RootSquash':'0:65534'}"), Refused, "Either both ids are 0" },
        { P2(1200, "'RootSquashConfiguration':{'RootSquash':'4294967295:1'}"), Refused, "Both ids must be between 0 and 4294967294." },
        { P2(1200, "'RootSquashConfiguration':{'RootSquash':'1:1','NoSquashNids':['10.0.0.256@tcp']}"), Refused, "Invalid NoSquashNids: 10.0.0.256@tcp." },
        { P2(1200, "'RootSquashConfiguration':{'RootSquash':'1:1','NoSquashNids':['10.0.[9-2].1@tcp']}"), Refused, "Invalid NoSquashNids: 10.0.[9-2].1@tcp." },
        { P2(1200, "'RootSquashConfiguration':{'RootSquash':'1:1','NoSquashNids':['[[[-...]]]@tcp']}"), Refused, "Invalid NoSquashNids" },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'Tags':[{'Key':'AWS:mine','Value':''}]"), Refused, "Tag keys beginning with 'aws:' are reserved: AWS:mine." },
        { Row("SCRATCH_2", "SSD", 1200, rest: "'Tags':[{'Key':'a','Value':''},{'Key':'a','Value':''}]"), Refused, "Tag keys must be unique: a" },
        // Network.
        { Row("SCRATCH_2", "SSD", 1200).Replace("['subnet-0123456789abcdef0']", "[]", StringComparison.Ordinal), Refused, "Exactly one subnet ID is required" },
        { Row("SCRATCH_2", "SSD", 1200).Replace("['subnet", "['subnet-11111111','subnet", StringComparison.Ordinal), Refused, "SubnetIds has 2." },
        // The order of answers where several rules are broken: shape, type and throughput, capacity, version, S3, network.
        { Row("PERSISTENT_1", "SSD", 7, "'PerUnitStorageThroughput':7"), Refused, "Value '7' at 'lustreConfiguration.perUnitStorageThroughput'" },
        { Row("PERSISTENT_1", "SSD", 7, "'PerUnitStorageThroughput':125", "'FileSystemTypeVersion':'9'"), Throughput, "throughput is invalid" },
        { Row("SCRATCH_2", "SSD", 7, "'ImportPath':'x:y'", "'FileSystemTypeVersion':'9'"), Refused, "storage capacity: 7" },
        { Row("SCRATCH_2", "SSD", 1200, "'ImportPath':'x:y'", "'FileSystemTypeVersion':'9'"), Refused, "FileSystemTypeVersion 9" },
    };

    [Theory]
    [MemberData(nameof(Accepted))]
    public async Task Accepts(string request)
    {
        var fileSystem = await _api.CreateAsync(Parse(request));
        Assert.Equal("CREATING", TestApi.Text(fileSystem, "Lifecycle"));
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Refuses(string request, string code, string message)
    {
        var refusal = await _api.RefusedAsync("CreateFileSystem", request.Replace('\'', '"'));
        Assert.Equal(code, refusal.Code);
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(400, refusal.Status);
        Assert.Empty(_api.Catalog.FileSystems.List(TestApi.Account));
    }

    public void Dispose() => _api.Dispose();

    private static string P2(int capacity, string lustre) => Row("PERSISTENT_2", "SSD", capacity, "'PerUnitStorageThroughput':125," + lustre);

    private static string Efa(int capacity, int throughput) => Row(
        "PERSISTENT_2", "SSD", capacity, $"'PerUnitStorageThroughput':{throughput},'EfaEnabled':true,'MetadataConfiguration':{{'Mode':'AUTOMATIC'}}");

    private static string Tiered(int throughput, string cache) => Row(
        "PERSISTENT_2", "INTELLIGENT_TIERING", 0,
        $"'ThroughputCapacity':{throughput},'MetadataConfiguration':{{'Mode':'USER_PROVISIONED','Iops':12000}},'DataReadCacheConfiguration':{{{cache}}}");
}
