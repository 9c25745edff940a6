using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class CreateDataRepositoryTask(OperationServices services)
    : Operation<CreateDataRepositoryTaskRequest, DataRepositoryTaskResponse>(
        ShapesJson.Default.CreateDataRepositoryTaskRequest, ShapesJson.Default.DataRepositoryTaskResponse)
{
    public override string Name => "CreateDataRepositoryTask";

    public override bool Changes => true;

    protected override ValueTask<DataRepositoryTaskResponse> RunAsync(
        CreateDataRepositoryTaskRequest request, CallContext context, CancellationToken cancellationToken)
    {
        RepositoryShape.Check(request);
        TaskRules.All.Check(new TaskOrder(request, services.FileSystem(request.FileSystemId!, context).Description));
        throw NotHereYet.DataRepositories();
    }
}
