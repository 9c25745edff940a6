using System.Text.Json;
using System.Text.Json.Serialization;
using Nacre.ControlPlane.Catalog;

namespace Nacre.ControlPlane.Shapes;

/// <summary>
/// How shapes become JSON: member names as in the service model, null members left out, unknown ones ignored, as AWS does.
/// A member of the wrong JSON type is a <see cref="JsonException"/>.
/// </summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CreateFileSystemRequest))]
[JsonSerializable(typeof(CreateFileSystemFromBackupRequest))]
[JsonSerializable(typeof(FileSystemResponse))]
[JsonSerializable(typeof(DescribeFileSystemsRequest))]
[JsonSerializable(typeof(DescribeFileSystemsResponse))]
[JsonSerializable(typeof(UpdateFileSystemRequest))]
[JsonSerializable(typeof(DeleteFileSystemRequest))]
[JsonSerializable(typeof(DeleteFileSystemResponse))]
[JsonSerializable(typeof(TagResourceRequest))]
[JsonSerializable(typeof(UntagResourceRequest))]
[JsonSerializable(typeof(ListTagsForResourceRequest))]
[JsonSerializable(typeof(ListTagsForResourceResponse))]
[JsonSerializable(typeof(EmptyResponse))]
[JsonSerializable(typeof(FileCacheRequest))]
[JsonSerializable(typeof(CreateBackupRequest))]
[JsonSerializable(typeof(CopyBackupRequest))]
[JsonSerializable(typeof(BackupResponse))]
[JsonSerializable(typeof(DeleteBackupRequest))]
[JsonSerializable(typeof(DeleteBackupResponse))]
[JsonSerializable(typeof(DescribeBackupsRequest))]
[JsonSerializable(typeof(DescribeBackupsResponse))]
[JsonSerializable(typeof(CreateDataRepositoryAssociationRequest))]
[JsonSerializable(typeof(UpdateDataRepositoryAssociationRequest))]
[JsonSerializable(typeof(AssociationResponse))]
[JsonSerializable(typeof(DeleteDataRepositoryAssociationRequest))]
[JsonSerializable(typeof(DeleteDataRepositoryAssociationResponse))]
[JsonSerializable(typeof(DescribeDataRepositoryAssociationsRequest))]
[JsonSerializable(typeof(DescribeDataRepositoryAssociationsResponse))]
[JsonSerializable(typeof(CreateDataRepositoryTaskRequest))]
[JsonSerializable(typeof(DataRepositoryTaskResponse))]
[JsonSerializable(typeof(CancelDataRepositoryTaskRequest))]
[JsonSerializable(typeof(CancelDataRepositoryTaskResponse))]
[JsonSerializable(typeof(DescribeDataRepositoryTasksRequest))]
[JsonSerializable(typeof(DescribeDataRepositoryTasksResponse))]
[JsonSerializable(typeof(FileSystemEntry))]
[JsonSerializable(typeof(BackupEntry))]
[JsonSerializable(typeof(AssociationEntry))]
[JsonSerializable(typeof(TaskEntry))]
internal sealed partial class ShapesJson : JsonSerializerContext;
