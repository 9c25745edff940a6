using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class DeleteDataRepositoryAssociation(OperationServices services)
    : Operation<DeleteDataRepositoryAssociationRequest, DeleteDataRepositoryAssociationResponse>(
        ShapesJson.Default.DeleteDataRepositoryAssociationRequest, ShapesJson.Default.DeleteDataRepositoryAssociationResponse)
{
    public override string Name => "DeleteDataRepositoryAssociation";

    public override bool Changes => true;

    protected override ValueTask<DeleteDataRepositoryAssociationResponse> RunAsync(
        DeleteDataRepositoryAssociationRequest request, CallContext context, CancellationToken cancellationToken)
    {
        RepositoryShape.Check(request);
        _ = services.Association(request.AssociationId!, context);
        throw NotHereYet.DataRepositories();
    }
}
