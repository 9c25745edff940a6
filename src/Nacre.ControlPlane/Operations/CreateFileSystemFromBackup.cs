using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class CreateFileSystemFromBackup(OperationServices services)
    : Operation<CreateFileSystemFromBackupRequest, FileSystemResponse>(
        ShapesJson.Default.CreateFileSystemFromBackupRequest, ShapesJson.Default.FileSystemResponse)
{
    public override string Name => "CreateFileSystemFromBackup";

    public override bool Changes => true;

    protected override ValueTask<FileSystemResponse> RunAsync(
        CreateFileSystemFromBackupRequest request, CallContext context, CancellationToken cancellationToken)
    {
        CreateFileSystemShape.Check(request);
        _ = services.Backup(request.BackupId!, context);
        throw NotHereYet.Backups();
    }
}
