using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Tests.Catalog;

namespace Nacre.ControlPlane.Tests;

public class SizingTests
{
    // Servers: FSx user guide, "How FSx for Lustre works", and interfaces that Terraform's tests saw on the real service.
    [Theory]
    [InlineData("SCRATCH_1", "SSD", 1200, 0, false, 0, 1, 1, 1)]
    [InlineData("SCRATCH_1", "SSD", 7200, 0, false, 0, 1, 2, 6)]
    [InlineData("SCRATCH_2", "SSD", 1200, 0, false, 0, 1, 1, 1)]
    [InlineData("SCRATCH_2", "SSD", 4800, 0, false, 0, 1, 2, 4)]
    [InlineData("SCRATCH_2", "SSD", 50400, 0, false, 0, 1, 21, 42)]
    [InlineData("PERSISTENT_1", "HDD", 6000, 12, false, 0, 1, 1, 3)]
    [InlineData("PERSISTENT_1", "HDD", 3600, 40, false, 0, 1, 2, 2)]
    [InlineData("PERSISTENT_2", "SSD", 2400, 125, false, 3000, 1, 1, 2)]
    [InlineData("PERSISTENT_2", "SSD", 2400, 125, false, 24000, 2, 1, 2)]
    [InlineData("PERSISTENT_2", "SSD", 38400, 125, true, 12000, 1, 1, 32)]
    [InlineData("PERSISTENT_2", "SSD", 9600, 1000, true, 6000, 1, 2, 8)]
    public void Servers_and_targets_follow_from_what_was_ordered(
        string deployment, string storage, int capacity, int throughput, bool efa, int iops, int mds, int oss, int osts)
    {
        var fileSystem = FileSystem(deployment, storage, capacity, new LustreFileSystemConfiguration
        {
            PerUnitStorageThroughput = throughput == 0 ? null : throughput,
            EfaEnabled = efa,
            MetadataConfiguration = iops == 0 ? null : new MetadataConfiguration { Mode = "USER_PROVISIONED", Iops = iops },
        });
        Assert.Equal(new Sizing(mds, oss, osts, capacity), Sizing.Of(fileSystem));
    }

    [Fact]
    public void Intelligent_tiering_has_a_server_for_each_4000_megabytes_a_second()
    {
        var fileSystem = FileSystem("PERSISTENT_2", "INTELLIGENT_TIERING", null, new LustreFileSystemConfiguration { ThroughputCapacity = 8000 });
        Assert.Equal(new Sizing(1, 2, 8, 2 * 512 * 1024), Sizing.Of(fileSystem));
    }

    [Fact]
    public void Network_interfaces_stay_the_same_when_servers_are_added_and_the_one_to_mount_stays_first()
    {
        var small = FileSystem("SCRATCH_2", "SSD", 2400, new LustreFileSystemConfiguration());
        var before = Sizing.NetworkInterfaceIds(small);
        var after = Sizing.NetworkInterfaceIds(small with { StorageCapacity = 7200 });
        Assert.Equal(2, before.Count);
        Assert.Equal(4, after.Count);
        Assert.Equal(before, after.Take(2));
        Assert.All(after, id => Assert.Matches("^eni-[0-9a-f]{17}$", id));
        Assert.Equal(4, after.Distinct().Count());
        Assert.Empty(after.Intersect(Sizing.NetworkInterfaceIds(small with { FileSystemId = "fs-00000000000000002" })));
    }

    [Theory]
    [InlineData(1200, 1500)]
    [InlineData(2400, 3000)]
    [InlineData(4800, 6000)]
    [InlineData(9600, 6000)]
    [InlineData(12000, 12000)]
    [InlineData(45600, 12000)]
    [InlineData(48000, 24000)]
    [InlineData(72000, 36000)]
    [InlineData(1000000, 192000)]
    public void Automatic_metadata_iops_follow_the_capacity(int capacity, int iops) => Assert.Equal(iops, Sizing.AutomaticMetadataIops(capacity));

    private static FileSystem FileSystem(string deployment, string storage, int? capacity, LustreFileSystemConfiguration lustre) =>
        ResourceCatalogTests.Entry(1).Description with
        {
            StorageType = storage,
            StorageCapacity = capacity,
            LustreConfiguration = lustre with { DeploymentType = deployment },
        };
}
