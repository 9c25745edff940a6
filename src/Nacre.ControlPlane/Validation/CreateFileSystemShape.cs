using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>The shape of requests that make a file system.</summary>
internal static class CreateFileSystemShape
{
    public static void Check(CreateFileSystemRequest request)
    {
        var check = new ShapeCheck();
        check.Required("fileSystemType", request.FileSystemType)
            .OneOf("fileSystemType", request.FileSystemType, "WINDOWS", "LUSTRE", "ONTAP", "OPENZFS")
            .Token(request.ClientRequestToken)
            .Number("storageCapacity", request.StorageCapacity, Constraints.StorageCapacity)
            .OneOf("storageType", request.StorageType, StorageType.Ssd, StorageType.Hdd, StorageType.IntelligentTiering)
            .Network(request.SubnetIds, request.SecurityGroupIds, request.NetworkType)
            .Tags("tags", request.Tags)
            .Text("kmsKeyId", request.KmsKeyId, Constraints.KmsKeyId)
            .Text("fileSystemTypeVersion", request.FileSystemTypeVersion, Constraints.Version)
            .Lustre(request.LustreConfiguration);
        if (RequiresCapacity(request))
        {
            // The model leaves it open; the service demands it with the words of a broken shape.
            check.Required("storageCapacity", request.StorageCapacity);
        }
        check.ThrowIfBroken();
    }

    public static void Check(CreateFileSystemFromBackupRequest request) => new ShapeCheck()
        .RequiredText("backupId", request.BackupId, Constraints.BackupId)
        .Token(request.ClientRequestToken)
        .Number("storageCapacity", request.StorageCapacity, Constraints.StorageCapacity)
        .OneOf("storageType", request.StorageType, StorageType.Ssd, StorageType.Hdd, StorageType.IntelligentTiering)
        .Network(request.SubnetIds, request.SecurityGroupIds, request.NetworkType)
        .Tags("tags", request.Tags)
        .Text("kmsKeyId", request.KmsKeyId, Constraints.KmsKeyId)
        .Text("fileSystemTypeVersion", request.FileSystemTypeVersion, Constraints.Version)
        .Lustre(request.LustreConfiguration)
        .ThrowIfBroken();

    private static bool RequiresCapacity(CreateFileSystemRequest request) =>
        request is { FileSystemType: "LUSTRE", StorageType: not StorageType.IntelligentTiering };
}
