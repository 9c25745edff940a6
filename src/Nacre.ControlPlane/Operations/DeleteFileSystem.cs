using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

/// <summary>Writes DELETING down; the reconciler removes the data and then the entry. Allowed in every state, and again while it goes on.</summary>
internal sealed class DeleteFileSystem(OperationServices services)
    : Operation<DeleteFileSystemRequest, DeleteFileSystemResponse>(
        ShapesJson.Default.DeleteFileSystemRequest, ShapesJson.Default.DeleteFileSystemResponse)
{
    public override string Name => "DeleteFileSystem";

    public override bool Changes => true;

    protected override ValueTask<DeleteFileSystemResponse> RunAsync(
        DeleteFileSystemRequest request, CallContext context, CancellationToken cancellationToken)
    {
        UpdateFileSystemShape.Check(request);
        services.Catalog.Change(() =>
        {
            var entry = services.FileSystem(request.FileSystemId!, context);
            DeleteFileSystemRules.All.Check(new FileSystemDeletion(entry.Description, request));
            return services.Catalog.FileSystems.Update(request.FileSystemId!, now => now.Description.Lifecycle == FileSystemLifecycle.Deleting
                ? now
                : now with { Description = now.Description with { Lifecycle = FileSystemLifecycle.Deleting } });
        });
        return ValueTask.FromResult(new DeleteFileSystemResponse(request.FileSystemId!, FileSystemLifecycle.Deleting));
    }
}
