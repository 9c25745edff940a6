using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class CancelDataRepositoryTask(OperationServices services)
    : Operation<CancelDataRepositoryTaskRequest, CancelDataRepositoryTaskResponse>(
        ShapesJson.Default.CancelDataRepositoryTaskRequest, ShapesJson.Default.CancelDataRepositoryTaskResponse)
{
    public override string Name => "CancelDataRepositoryTask";

    public override bool Changes => true;

    protected override ValueTask<CancelDataRepositoryTaskResponse> RunAsync(
        CancelDataRepositoryTaskRequest request, CallContext context, CancellationToken cancellationToken)
    {
        RepositoryShape.Check(request);
        _ = services.Task(request.TaskId!, context);
        throw NotHereYet.DataRepositories();
    }
}
