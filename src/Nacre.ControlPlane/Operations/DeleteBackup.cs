using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class DeleteBackup(OperationServices services)
    : Operation<DeleteBackupRequest, DeleteBackupResponse>(
        ShapesJson.Default.DeleteBackupRequest, ShapesJson.Default.DeleteBackupResponse)
{
    public override string Name => "DeleteBackup";

    public override bool Changes => true;

    protected override ValueTask<DeleteBackupResponse> RunAsync(
        DeleteBackupRequest request, CallContext context, CancellationToken cancellationToken)
    {
        RepositoryShape.Check(request);
        _ = services.Backup(request.BackupId!, context);
        throw NotHereYet.Backups();
    }
}
