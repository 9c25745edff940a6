using Nacre.ControlPlane.Api;

namespace Nacre.ControlPlane.Operations;

/// <summary>All 48 operations of the FSx API.</summary>
public static class FsxOperations
{
    public static IReadOnlyList<Operation> All(OperationServices services) =>
    [
        new CreateFileSystem(services), new CreateFileSystemFromBackup(services), new DescribeFileSystems(services),
        new UpdateFileSystem(services), new DeleteFileSystem(services),
        new TagResource(services), new UntagResource(services), new ListTagsForResource(services),
        new CreateBackup(services), new CopyBackup(services), new DeleteBackup(services), new DescribeBackups(services),
        new CreateDataRepositoryAssociation(services), new UpdateDataRepositoryAssociation(services),
        new DeleteDataRepositoryAssociation(services), new DescribeDataRepositoryAssociations(services),
        new CreateDataRepositoryTask(services), new CancelDataRepositoryTask(services), new DescribeDataRepositoryTasks(services),
        new CreateFileCache(), new FileCacheOperation("UpdateFileCache"), new FileCacheOperation("DeleteFileCache"),
        new EmptyListing("DescribeFileCaches", "FileCaches", "FileCacheIds", "FileCacheNotFound"),
        .. OfOtherFamilies(),
    ];

    private static IEnumerable<Operation> OfOtherFamilies() =>
    [
        new EmptyListing("DescribeFileSystemAliases", "Aliases", null, ""),
        new EmptyListing("DescribeVolumes", "Volumes", "VolumeIds", "VolumeNotFound"),
        new EmptyListing("DescribeSnapshots", "Snapshots", "SnapshotIds", "SnapshotNotFound"),
        new EmptyListing(
            "DescribeStorageVirtualMachines", "StorageVirtualMachines", "StorageVirtualMachineIds", "StorageVirtualMachineNotFound"),
        new EmptyListing("DescribeS3AccessPointAttachments", "S3AccessPointAttachments", "Names", "S3AccessPointAttachmentNotFound"),
        .. Unsupported.Select(name => new ForeignOperation(name)),
    ];

    private static readonly string[] Unsupported =
    [
        "AssociateFileSystemAliases", "DisassociateFileSystemAliases", "StartMisconfiguredStateRecovery",
        "CreateSnapshot", "UpdateSnapshot", "DeleteSnapshot", "CopySnapshotAndUpdateVolume", "RestoreVolumeFromSnapshot",
        "ReleaseFileSystemNfsV3Locks", "CreateVolume", "CreateVolumeFromBackup", "UpdateVolume", "DeleteVolume",
        "CreateStorageVirtualMachine", "UpdateStorageVirtualMachine", "DeleteStorageVirtualMachine",
        "CreateAndAttachS3AccessPoint", "DetachAndDeleteS3AccessPoint", "DescribeSharedVpcConfiguration", "UpdateSharedVpcConfiguration",
    ];
}
