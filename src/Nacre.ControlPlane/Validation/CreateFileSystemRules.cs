using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>
/// What can be ordered together. The order is the order of answers when several rules are broken: type and throughput, capacity, version, S3,
/// backups and the rest, network. Texts in the service's own words where those are known; elsewhere they name member, value and what is allowed.
/// </summary>
internal static class CreateFileSystemRules
{
    public static readonly IReadOnlyList<Rule<FileSystemOrder>> All =
    [
        .. Type(), .. Throughput(), .. Metadata(), .. Tiering(), .. Capacity(), .. Version(), .. RepositoryRules.OfCreation,
        .. Backups(), .. Rest(), .. Network(),
    ];

    private static IEnumerable<Rule<FileSystemOrder>> Type() =>
    [
        new(
            o => o.Request.FileSystemType != "LUSTRE",
            o => $"FileSystemType {o.Request.FileSystemType} is not available here. Available: LUSTRE."),
        new(
            o => FamilyRules.Foreign(o.Request) is not null,
            o => $"{FamilyRules.Foreign(o.Request)} cannot be applied to create a LUSTRE file system."),
        new(o => o.Request.NetworkType == "DUAL", "NetworkType DUAL is not available for LUSTRE file systems. Allowed: IPV4."),
        new(
            o => o.Offer is null,
            o => $"StorageType {o.StorageType} is not available for DeploymentType {o.DeploymentType}. Allowed: "
                + $"{string.Join(", ", Offer.StorageTypesOf(o.DeploymentType))}."),
        new(
            o => o.Lustre.DriveCacheType is not null && o.Offer!.DriveCacheTypes.Count == 0,
            o => $"DriveCacheType {o.Lustre.DriveCacheType} is allowed with StorageType HDD only; StorageType is {o.StorageType}."),
        new(
            o => o.Lustre.DriveCacheType is null && o.Offer!.DriveCacheTypes.Count > 0,
            o => $"DriveCacheType is required with StorageType {o.StorageType}. Allowed: {string.Join(", ", o.Offer!.DriveCacheTypes)}."),
        new(
            o => o.Efa && (o.DeploymentType != DeploymentType.Persistent2 || o.Lustre.MetadataConfiguration is null),
            o => $"EfaEnabled requires DeploymentType PERSISTENT_2 with a MetadataConfiguration; DeploymentType is {o.DeploymentType}."),
    ];

    private static IEnumerable<Rule<FileSystemOrder>> Throughput() =>
    [
        new(
            o => o.Lustre.PerUnitStorageThroughput is not null && o.Offer!.Throughputs.Count == 0,
            o => $"PerUnitStorageThroughput {o.Throughput} cannot be set for DeploymentType {o.DeploymentType} with "
                + $"StorageType {o.StorageType}.")
        {
            Code = ErrorCode.InvalidPerUnitStorageThroughput,
        },
        new(
            o => o.Offer!.Throughputs.Count > 0 && !o.Offer.Throughputs.Contains(o.Throughput),
            o => "Invalid Lustre deployment configuration: the provided throughput is invalid or does not meet the "
                + "storage capacity requirement. "
                + $"PerUnitStorageThroughput is {(o.Lustre.PerUnitStorageThroughput is { } given ? given : "absent")}; "
                + $"allowed for {o.DeploymentType} {o.StorageType}: {string.Join(", ", o.Offer!.Throughputs)}.")
        {
            Code = ErrorCode.InvalidPerUnitStorageThroughput,
        },
    ];

    private static IEnumerable<Rule<FileSystemOrder>> Metadata() =>
    [
        new(
            o => o.Lustre.MetadataConfiguration is not null && o.DeploymentType != DeploymentType.Persistent2,
            o => $"MetadataConfiguration is allowed with DeploymentType PERSISTENT_2 only; DeploymentType is {o.DeploymentType}."),
        .. MetadataRules.OfMode<FileSystemOrder>(o => (o.Lustre.MetadataConfiguration, o.StorageType)),
    ];

    private static IEnumerable<Rule<FileSystemOrder>> Tiering() =>
    [
        new(
            o => !o.Offer!.IsElastic && o.Lustre.ThroughputCapacity is not null,
            o => $"ThroughputCapacity is allowed with StorageType INTELLIGENT_TIERING only; StorageType is {o.StorageType}."),
        new(
            o => !o.Offer!.IsElastic && o.Lustre.DataReadCacheConfiguration is not null,
            o => $"DataReadCacheConfiguration is allowed with StorageType INTELLIGENT_TIERING only; StorageType is {o.StorageType}."),
        new(
            o => o.Offer!.IsElastic && o.Lustre.ThroughputCapacity is null,
            "ThroughputCapacity is required with StorageType INTELLIGENT_TIERING. Allowed: 4000 or a multiple of 4000."),
        new(
            o => o.Offer!.IsElastic && o.Lustre.MetadataConfiguration is null,
            "MetadataConfiguration is required with StorageType INTELLIGENT_TIERING. Allowed Mode: USER_PROVISIONED; Iops: 6000, 12000."),
        new(
            o => o.Offer!.IsElastic && o.Lustre.DataReadCacheConfiguration is null,
            "DataReadCacheConfiguration is required with StorageType INTELLIGENT_TIERING."),
        .. TieringRules.OfValues<FileSystemOrder>(o => (o.Lustre.ThroughputCapacity, o.Lustre.DataReadCacheConfiguration)),
    ];

    private static IEnumerable<Rule<FileSystemOrder>> Capacity() =>
    [
        new(
            o => o.Offer!.IsElastic && o.Request.StorageCapacity is not null,
            o => $"StorageCapacity {o.Request.StorageCapacity} cannot be set with StorageType INTELLIGENT_TIERING, "
                + "whose capacity is elastic."),
        new(
            o => !o.Offer!.IsElastic && !o.Steps.AllowsCreation(o.Request.StorageCapacity ?? 0),
            o => $"Invalid Lustre FS storage capacity: {o.Request.StorageCapacity}. Must be {o.Steps.Creation}."),
        .. MetadataRules.OfBaseline<FileSystemOrder>(o => (o.Lustre.MetadataConfiguration, o.Request.StorageCapacity)),
    ];

    private static IEnumerable<Rule<FileSystemOrder>> Version() =>
    [
        new(
            o => !LustreVersions.All.Contains(o.Version),
            o => $"FileSystemTypeVersion {o.Version} is not available. Allowed: {string.Join(", ", LustreVersions.All)}."),
        new(
            o => !LustreVersions.For(o).Contains(o.Version),
            o => $"FileSystemTypeVersion {o.Version} is not available for {LustreVersions.Reason(o)}. Allowed: "
                + $"{string.Join(", ", LustreVersions.For(o))}."),
    ];

    private static IEnumerable<Rule<FileSystemOrder>> Backups() =>
    [
        new(
            o => o.RetentionDays > 0 && !o.Offer!.IsPersistent,
            o => $"AutomaticBackupRetentionDays {o.RetentionDays} is allowed with persistent deployment types only; "
                + $"DeploymentType is {o.DeploymentType}."),
        new(
            o => o.Lustre.CopyTagsToBackups == true && !o.Offer!.IsPersistent,
            o => $"CopyTagsToBackups is allowed with persistent deployment types only; DeploymentType is {o.DeploymentType}."),
    ];

    private static IEnumerable<Rule<FileSystemOrder>> Rest() =>
    [
        new(
            o => o.Request.KmsKeyId is not null && !o.Offer!.IsPersistent,
            o => $"KmsKeyId is allowed with persistent deployment types only; DeploymentType is {o.DeploymentType}."),
        .. LogRules.Of<FileSystemOrder>(o => (o.Lustre.LogConfiguration, o.Account, o.Settings)),
        .. RootSquashRules.Of<FileSystemOrder>(o => o.Lustre.RootSquashConfiguration),
        .. TagRules.Of<FileSystemOrder>(o => o.Request.Tags),
    ];

    private static IEnumerable<Rule<FileSystemOrder>> Network() =>
    [
        new(
            o => o.Request.SubnetIds!.Count != 1,
            o => $"Exactly one subnet ID is required for LUSTRE file systems; SubnetIds has {o.Request.SubnetIds!.Count}."),
    ];
}
