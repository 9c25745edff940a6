using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>Checks of the members and structures that several requests have.</summary>
internal static class Members
{
    private const int MaxTags = 50;
    private const int MaxIds = 50;

    public static ShapeCheck Token(this ShapeCheck check, string? token) => check.Text("clientRequestToken", token, Constraints.ClientRequestToken);

    public static ShapeCheck Page(this ShapeCheck check, int? maxResults, string? nextToken) => check
        .Number("maxResults", maxResults, Constraints.MaxResults)
        .Text("nextToken", nextToken, Constraints.NextToken);

    public static ShapeCheck Ids(this ShapeCheck check, string member, IReadOnlyList<string?>? ids, TextConstraint constraint) =>
        check.List(member, ids, 0, MaxIds, (item, id) => check.Text(item, id, constraint));

    public static ShapeCheck Tags(this ShapeCheck check, string member, IReadOnlyList<Tag?>? tags) =>
        check.List(member, tags, 1, MaxTags, (item, tag) => check
            .RequiredText($"{item}.key", tag.Key, Constraints.TagKey)
            .RequiredText($"{item}.value", tag.Value, Constraints.TagValue));

    public static ShapeCheck Filters(this ShapeCheck check, IReadOnlyList<Filter?>? filters, int max, params string[] names) =>
        check.List("filters", filters, 0, max, (item, filter) => check
            .OneOf($"{item}.name", filter.Name, names)
            .List($"{item}.values", filter.Values, 0, 20, (value, text) => check.Text(value, text, Constraints.FilterValue)));

    public static ShapeCheck Network(this ShapeCheck check, IReadOnlyList<string?>? subnets, IReadOnlyList<string?>? groups, string? type) => check
        .Required("subnetIds", subnets)
        .Ids("subnetIds", subnets, Constraints.SubnetId)
        .Ids("securityGroupIds", groups, Constraints.SecurityGroupId)
        .OneOf("networkType", type, "IPV4", "DUAL");

    public static ShapeCheck Lustre(this ShapeCheck check, CreateLustreConfiguration? lustre)
    {
        if (lustre is null)
        {
            return check;
        }
        const string In = "lustreConfiguration.";
        return check
            .Text(In + "weeklyMaintenanceStartTime", lustre.WeeklyMaintenanceStartTime, Constraints.WeeklyTime)
            .Text(In + "importPath", lustre.ImportPath, Constraints.ArchivePath)
            .Text(In + "exportPath", lustre.ExportPath, Constraints.ArchivePath)
            .Number(In + "importedFileChunkSize", lustre.ImportedFileChunkSize, Constraints.Megabytes)
            .OneOf(
                In + "deploymentType", lustre.DeploymentType,
                DeploymentType.Scratch1, DeploymentType.Scratch2, DeploymentType.Persistent1, DeploymentType.Persistent2)
            .AutoImportPolicy(lustre.AutoImportPolicy)
            .Number(In + "perUnitStorageThroughput", lustre.PerUnitStorageThroughput, Constraints.PerUnitStorageThroughput)
            .Text(In + "dailyAutomaticBackupStartTime", lustre.DailyAutomaticBackupStartTime, Constraints.DailyTime)
            .Number(In + "automaticBackupRetentionDays", lustre.AutomaticBackupRetentionDays, Constraints.RetentionDays)
            .OneOf(In + "driveCacheType", lustre.DriveCacheType, "NONE", "READ")
            .OneOf(In + "dataCompressionType", lustre.DataCompressionType, "NONE", "LZ4")
            .Log(lustre.LogConfiguration)
            .Squash(lustre.RootSquashConfiguration)
            .Metadata(lustre.MetadataConfiguration, isModeRequired: true)
            .Number(In + "throughputCapacity", lustre.ThroughputCapacity, Constraints.ThroughputCapacity)
            .ReadCache(lustre.DataReadCacheConfiguration);
    }

    public static ShapeCheck Lustre(this ShapeCheck check, UpdateLustreConfiguration? lustre)
    {
        if (lustre is null)
        {
            return check;
        }
        const string In = "lustreConfiguration.";
        return check
            .Text(In + "weeklyMaintenanceStartTime", lustre.WeeklyMaintenanceStartTime, Constraints.WeeklyTime)
            .Text(In + "dailyAutomaticBackupStartTime", lustre.DailyAutomaticBackupStartTime, Constraints.DailyTime)
            .Number(In + "automaticBackupRetentionDays", lustre.AutomaticBackupRetentionDays, Constraints.RetentionDays)
            .AutoImportPolicy(lustre.AutoImportPolicy)
            .OneOf(In + "dataCompressionType", lustre.DataCompressionType, "NONE", "LZ4")
            .Log(lustre.LogConfiguration)
            .Squash(lustre.RootSquashConfiguration)
            .Number(In + "perUnitStorageThroughput", lustre.PerUnitStorageThroughput, Constraints.PerUnitStorageThroughput)
            .Metadata(lustre.MetadataConfiguration, isModeRequired: false)
            .Number(In + "throughputCapacity", lustre.ThroughputCapacity, Constraints.ThroughputCapacity)
            .ReadCache(lustre.DataReadCacheConfiguration);
    }

    private static ShapeCheck AutoImportPolicy(this ShapeCheck check, string? policy) =>
        check.OneOf("lustreConfiguration.autoImportPolicy", policy, "NONE", "NEW", "NEW_CHANGED", "NEW_CHANGED_DELETED");

    private static ShapeCheck Log(this ShapeCheck check, LogConfiguration? log) => log is null ? check : check
        .Required("lustreConfiguration.logConfiguration.level", log.Level)
        .OneOf(
            "lustreConfiguration.logConfiguration.level", log.Level,
            LogLevels.Disabled, LogLevels.WarnOnly, LogLevels.ErrorOnly, LogLevels.WarnError)
        .Text("lustreConfiguration.logConfiguration.destination", log.Destination, Constraints.LogDestination);

    private static ShapeCheck Squash(this ShapeCheck check, RootSquashConfiguration? squash) => squash is null ? check : check
        .Text("lustreConfiguration.rootSquashConfiguration.rootSquash", squash.RootSquash, Constraints.RootSquash)
        .List(
            "lustreConfiguration.rootSquashConfiguration.noSquashNids", squash.NoSquashNids, 0, 64,
            (item, nid) => check.Text(item, nid, Constraints.NoSquashNid));

    private static ShapeCheck Metadata(this ShapeCheck check, MetadataConfiguration? metadata, bool isModeRequired)
    {
        if (metadata is null)
        {
            return check;
        }
        const string Mode = "lustreConfiguration.metadataConfiguration.mode";
        if (isModeRequired)
        {
            check.Required(Mode, metadata.Mode);
        }
        return check
            .OneOf(Mode, metadata.Mode, MetadataMode.Automatic, MetadataMode.UserProvisioned)
            .Number("lustreConfiguration.metadataConfiguration.iops", metadata.Iops, Constraints.MetadataIops);
    }

    private static ShapeCheck ReadCache(this ShapeCheck check, DataReadCacheConfiguration? cache) => cache is null ? check : check
        .OneOf(
            "lustreConfiguration.dataReadCacheConfiguration.sizingMode", cache.SizingMode,
            ReadCacheSizing.None, ReadCacheSizing.UserProvisioned, ReadCacheSizing.Proportional)
        .Number("lustreConfiguration.dataReadCacheConfiguration.sizeGiB", cache.SizeGiB, Constraints.StorageCapacity);
}
