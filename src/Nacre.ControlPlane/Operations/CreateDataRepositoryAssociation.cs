using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class CreateDataRepositoryAssociation(OperationServices services)
    : Operation<CreateDataRepositoryAssociationRequest, AssociationResponse>(
        ShapesJson.Default.CreateDataRepositoryAssociationRequest, ShapesJson.Default.AssociationResponse)
{
    public override string Name => "CreateDataRepositoryAssociation";

    public override bool Changes => true;

    protected override ValueTask<AssociationResponse> RunAsync(
        CreateDataRepositoryAssociationRequest request, CallContext context, CancellationToken cancellationToken)
    {
        RepositoryShape.Check(request);
        AssociationRules.All.Check(new AssociationOrder(request, services.FileSystem(request.FileSystemId!, context).Description));
        throw NotHereYet.DataRepositories();
    }
}
