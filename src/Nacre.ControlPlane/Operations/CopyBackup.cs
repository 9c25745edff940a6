using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class CopyBackup(OperationServices services)
    : Operation<CopyBackupRequest, BackupResponse>(
        ShapesJson.Default.CopyBackupRequest, ShapesJson.Default.BackupResponse)
{
    public override string Name => "CopyBackup";

    public override bool Changes => true;

    protected override ValueTask<BackupResponse> RunAsync(
        CopyBackupRequest request, CallContext context, CancellationToken cancellationToken)
    {
        RepositoryShape.Check(request);
        _ = services.Backup(request.SourceBackupId!, context);
        throw NotHereYet.Backups();
    }
}
