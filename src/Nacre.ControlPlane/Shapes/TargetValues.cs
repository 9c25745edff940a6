namespace Nacre.ControlPlane.Shapes;

/// <summary>What becomes of a file system when an update takes effect.</summary>
public static class TargetValues
{
    /// <returns>
    /// The file system with the members that <paramref name="target"/> has, and with what follows from them: metadata IOPS, network interfaces.
    /// </returns>
    public static FileSystem Apply(FileSystem now, TargetFileSystemValues target)
    {
        var changed = now with
        {
            StorageCapacity = target.StorageCapacity ?? now.StorageCapacity,
            FileSystemTypeVersion = target.FileSystemTypeVersion ?? now.FileSystemTypeVersion,
            LustreConfiguration = Apply(now.LustreConfiguration, target.LustreConfiguration ?? new LustreFileSystemConfiguration()),
        };
        return changed with
        {
            LustreConfiguration = changed.LustreConfiguration with { MetadataConfiguration = Metadata(changed) },
            NetworkInterfaceIds = changed.NetworkInterfaceIds is null ? null : Sizing.NetworkInterfaceIds(changed),
        };
    }

    /// <summary>Whether the servers have to do something for it, so that the file system is UPDATING meanwhile.</summary>
    public static bool ConcernServers(TargetFileSystemValues target) =>
        target.StorageCapacity is not null || target.FileSystemTypeVersion is not null
        || target.LustreConfiguration is { PerUnitStorageThroughput: not null }
            or { MetadataConfiguration: not null } or { ThroughputCapacity: not null } or { DataReadCacheConfiguration: not null };

    // Only the members that UpdateFileSystem knows; the rest of a file system never changes.
    private static LustreFileSystemConfiguration Apply(LustreFileSystemConfiguration now, LustreFileSystemConfiguration target) => now with
    {
        WeeklyMaintenanceStartTime = target.WeeklyMaintenanceStartTime ?? now.WeeklyMaintenanceStartTime,
        DailyAutomaticBackupStartTime = target.DailyAutomaticBackupStartTime ?? now.DailyAutomaticBackupStartTime,
        AutomaticBackupRetentionDays = target.AutomaticBackupRetentionDays ?? now.AutomaticBackupRetentionDays,
        DataCompressionType = target.DataCompressionType ?? now.DataCompressionType,
        LogConfiguration = target.LogConfiguration ?? now.LogConfiguration,
        PerUnitStorageThroughput = target.PerUnitStorageThroughput ?? now.PerUnitStorageThroughput,
        ThroughputCapacity = target.ThroughputCapacity ?? now.ThroughputCapacity,
        DataReadCacheConfiguration = target.DataReadCacheConfiguration ?? now.DataReadCacheConfiguration,
        RootSquashConfiguration = Squash(now.RootSquashConfiguration, target.RootSquashConfiguration),
        MetadataConfiguration = Metadata(now.MetadataConfiguration, target.MetadataConfiguration),
        DataRepositoryConfiguration = Repository(now.DataRepositoryConfiguration, target.DataRepositoryConfiguration),
    };

    // An empty list of NIDs takes the exceptions away, an absent one leaves them.
    private static RootSquashConfiguration? Squash(RootSquashConfiguration? now, RootSquashConfiguration? target)
    {
        if (target is null)
        {
            return now;
        }
        var nids = target.NoSquashNids ?? now?.NoSquashNids;
        return new RootSquashConfiguration
        {
            RootSquash = target.RootSquash ?? now?.RootSquash,
            NoSquashNids = nids is { Count: 0 } ? null : nids,
        };
    }

    private static MetadataConfiguration? Metadata(MetadataConfiguration? now, MetadataConfiguration? target) =>
        target is null ? now : new MetadataConfiguration { Mode = target.Mode ?? now?.Mode, Iops = target.Iops ?? now?.Iops };

    private static MetadataConfiguration? Metadata(FileSystem changed) => changed.LustreConfiguration.MetadataConfiguration switch
    {
        { Mode: MetadataMode.Automatic } automatic => automatic with { Iops = Sizing.AutomaticMetadataIops(changed.StorageCapacity ?? 0) },
        var other => other,
    };

    private static DataRepositoryConfiguration? Repository(DataRepositoryConfiguration? now, DataRepositoryConfiguration? target) =>
        now is null || target is null ? now : now with { AutoImportPolicy = target.AutoImportPolicy ?? now.AutoImportPolicy };
}
