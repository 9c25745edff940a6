using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane;

/// <summary>What a file system is made of, from what was ordered (FSx user guide, "How FSx for Lustre works"; our choices are marked).</summary>
/// <param name="MetadataServers">Metadata servers, as many as the file system shows network interfaces for.</param>
/// <param name="StorageServers">Storage servers, likewise.</param>
/// <param name="OstCount">OSTs over all storage servers.</param>
/// <param name="CapacityGib">Of all OSTs together, GiB.</param>
public sealed record Sizing(int MetadataServers, int StorageServers, int OstCount, long CapacityGib)
{
    /// <summary>MB/s of a storage server of INTELLIGENT_TIERING, and the step in which throughput is ordered.</summary>
    public const int TieringThroughputStep = 4000;

    /// <summary>Metadata operations a second of one metadata server.</summary>
    public const int IopsOfMetadataServer = 12_000;

    private const int SsdOstGib = 1200;

    // Our choice: FSx does not say how many OSTs these have. One OST a server of 1800 GiB, three of 2000 GiB a server of 6000.
    private const int Hdd40OstGib = 1800;
    private const int Hdd12OstGib = 2000;

    // INTELLIGENT_TIERING stores up to 512 TiB a server and has no capacity of its own; the number of OSTs is our choice.
    private const long TieringServerGib = 512 * 1024;
    private const int TieringServerOsts = 4;

    public static Sizing Of(FileSystem fileSystem)
    {
        var lustre = fileSystem.LustreConfiguration;
        int metadata = MetadataServersFor(lustre.MetadataConfiguration?.Iops ?? 0);
        if (fileSystem.StorageType == StorageType.IntelligentTiering)
        {
            int servers = DivideUp(lustre.ThroughputCapacity ?? TieringThroughputStep, TieringThroughputStep);
            return new Sizing(metadata, servers, servers * TieringServerOsts, servers * TieringServerGib);
        }
        int capacity = fileSystem.StorageCapacity ?? 0;
        return new Sizing(metadata, DivideUp(capacity, GibOfServer(fileSystem)), DivideUp(capacity, GibOfOst(fileSystem)), capacity);
    }

    /// <summary>
    /// One id a server, the metadata server that is mounted first, then further ones, then storage servers. An id stands for the same server
    /// for as long as the file system lives.
    /// </summary>
    public static IReadOnlyList<string> NetworkInterfaceIds(FileSystem fileSystem)
    {
        var size = Of(fileSystem);
        return
        [
            .. Enumerable.Range(0, size.MetadataServers).Select(i => Identifiers.NetworkInterface(fileSystem.FileSystemId, "mds", i)),
            .. Enumerable.Range(0, size.StorageServers).Select(i => Identifiers.NetworkInterface(fileSystem.FileSystemId, "oss", i)),
        ];
    }

    /// <summary>Metadata IOPS that mode AUTOMATIC gives for a capacity in GiB, and the least that may be ordered for it.</summary>
    public static int AutomaticMetadataIops(int capacityGib) => capacityGib switch
    {
        < 2_400 => 1_500,
        < 4_800 => 3_000,
        < 12_000 => 6_000,
        < 48_000 => 12_000,
        _ => Math.Min(capacityGib / 24_000 * 12_000, 192_000),
    };

    private static int MetadataServersFor(int iops) => Math.Max(1, DivideUp(iops, IopsOfMetadataServer));

    private static int GibOfServer(FileSystem fileSystem) => fileSystem.LustreConfiguration switch
    {
        { DeploymentType: DeploymentType.Scratch1 } => 3_600,
        { PerUnitStorageThroughput: 12 } when fileSystem.StorageType == StorageType.Hdd => 6_000,
        _ when fileSystem.StorageType == StorageType.Hdd => 1_800,
        { EfaEnabled: true, PerUnitStorageThroughput: { } throughput } => EfaStepGib(throughput),
        _ => 2_400,
    };

    /// <summary>Capacity of one server with EFA, and the step in which capacity is ordered, GiB: 4800 for 1000 MB/s per TiB, and so on.</summary>
    public static int EfaStepGib(int throughput) => 4_800 * 1000 / throughput;

    private static int GibOfOst(FileSystem fileSystem) => fileSystem switch
    {
        { StorageType: StorageType.Hdd, LustreConfiguration.PerUnitStorageThroughput: 12 } => Hdd12OstGib,
        { StorageType: StorageType.Hdd } => Hdd40OstGib,
        _ => SsdOstGib,
    };

    private static int DivideUp(int value, int by) => (int)(((long)value + by - 1) / by);
}
