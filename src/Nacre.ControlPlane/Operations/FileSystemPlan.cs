using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

/// <summary>What becomes of an order: the file system as it is answered while CREATING.</summary>
/// <param name="Address">Of the node, for file systems without a name of their own.</param>
internal sealed record FileSystemPlan(FileSystemOrder Order, string Id, string MountName, string Address, DateTimeOffset Now)
{
    private CreateFileSystemRequest Request => Order.Request;

    private CreateLustreConfiguration Lustre => Order.Lustre;

    public FileSystemEntry Entry() => new()
    {
        Description = Description(),
        SecurityGroupIds = [.. (Request.SecurityGroupIds ?? []).OfType<string>()],
    };

    private FileSystem Description() => new()
    {
        OwnerId = Order.Account,
        CreationTime = Actions.Epoch(Now),
        FileSystemId = Id,
        Lifecycle = FileSystemLifecycle.Creating,
        StorageCapacity = Request.StorageCapacity,
        StorageType = Order.StorageType,
        VpcId = Identifiers.Vpc(Request.SubnetIds![0]!),
        SubnetIds = [.. Request.SubnetIds.OfType<string>()],
        DNSName = Order.Settings.DnsSuffix is { } suffix ? $"{Id}.{suffix}" : Address,
        KmsKeyId = Order.Offer!.IsPersistent ? Identifiers.KeyArn(Order.Settings, Order.Account, Request.KmsKeyId) : null,
        ResourceARN = Identifiers.Arn(Order.Settings, Order.Account, $"file-system/{Id}"),
        Tags = [.. (Request.Tags ?? []).OfType<Tag>()],
        FileSystemTypeVersion = Order.Version,
        LustreConfiguration = Configuration(),
    };

    private LustreFileSystemConfiguration Configuration() => new()
    {
        WeeklyMaintenanceStartTime = Lustre.WeeklyMaintenanceStartTime ?? Identifiers.WeeklyTime(Id),
        DeploymentType = Order.DeploymentType,
        PerUnitStorageThroughput = Lustre.PerUnitStorageThroughput,
        MountName = MountName,
        DailyAutomaticBackupStartTime = Lustre.DailyAutomaticBackupStartTime ?? (Order.RetentionDays > 0 ? Identifiers.DailyTime(Id) : null),
        AutomaticBackupRetentionDays = Order.RetentionDays,
        CopyTagsToBackups = Lustre.CopyTagsToBackups ?? false,
        DriveCacheType = Lustre.DriveCacheType,
        DataCompressionType = Lustre.DataCompressionType ?? "NONE",
        LogConfiguration = LogRules.Answered(Lustre.LogConfiguration, Id, Order.Account, Order.Settings),
        RootSquashConfiguration = Squash(),
        MetadataConfiguration = Metadata(),
        EfaEnabled = Order.Efa,
        ThroughputCapacity = Lustre.ThroughputCapacity,
        DataReadCacheConfiguration = Lustre.DataReadCacheConfiguration,
    };

    // Tools read an empty list back as a difference from an absent one.
    private RootSquashConfiguration? Squash() => Lustre.RootSquashConfiguration switch
    {
        { NoSquashNids.Count: 0 } squash => squash with { NoSquashNids = null },
        var squash => squash,
    };

    private MetadataConfiguration? Metadata() => Lustre.MetadataConfiguration switch
    {
        { Mode: MetadataMode.Automatic } automatic => automatic with { Iops = Sizing.AutomaticMetadataIops(Request.StorageCapacity ?? 0) },
        var given => given,
    };
}
