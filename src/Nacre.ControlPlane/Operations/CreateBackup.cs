using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class CreateBackup(OperationServices services)
    : Operation<CreateBackupRequest, BackupResponse>(ShapesJson.Default.CreateBackupRequest, ShapesJson.Default.BackupResponse)
{
    public override string Name => "CreateBackup";

    public override bool Changes => true;

    protected override ValueTask<BackupResponse> RunAsync(CreateBackupRequest request, CallContext context, CancellationToken cancellationToken)
    {
        RepositoryShape.Check(request);
        if (request.VolumeId is { } volume)
        {
            throw new ApiException(ErrorCode.VolumeNotFound, $"Volume '{volume}' does not exist.");
        }
        if (request.FileSystemId is null)
        {
            throw new ApiException(ErrorCode.BadRequest, "FileSystemId is required.");
        }
        BackupRules.All.Check(services.FileSystem(request.FileSystemId, context).Description);
        throw NotHereYet.Backups();
    }
}
