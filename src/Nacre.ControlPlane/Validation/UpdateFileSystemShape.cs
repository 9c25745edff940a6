using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Validation;

/// <summary>The shape of requests about a file system that is there.</summary>
internal static class UpdateFileSystemShape
{
    public static void Check(UpdateFileSystemRequest request) => new ShapeCheck()
        .RequiredText("fileSystemId", request.FileSystemId, Constraints.FileSystemId)
        .Token(request.ClientRequestToken)
        .Number("storageCapacity", request.StorageCapacity, Constraints.StorageCapacity)
        .OneOf("storageType", request.StorageType, StorageType.Ssd, StorageType.Hdd, StorageType.IntelligentTiering)
        .OneOf("networkType", request.NetworkType, "IPV4", "DUAL")
        .Text("fileSystemTypeVersion", request.FileSystemTypeVersion, Constraints.Version)
        .Lustre(request.LustreConfiguration)
        .ThrowIfBroken();

    public static void Check(DeleteFileSystemRequest request) => new ShapeCheck()
        .RequiredText("fileSystemId", request.FileSystemId, Constraints.FileSystemId)
        .Token(request.ClientRequestToken)
        .Tags("lustreConfiguration.finalBackupTags", request.LustreConfiguration?.FinalBackupTags)
        .ThrowIfBroken();

    public static void Check(DescribeFileSystemsRequest request) => new ShapeCheck()
        .Ids("fileSystemIds", request.FileSystemIds, Constraints.FileSystemId)
        .Page(request.MaxResults, request.NextToken)
        .ThrowIfBroken();
}
