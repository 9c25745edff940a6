using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class UpdateDataRepositoryAssociation(OperationServices services)
    : Operation<UpdateDataRepositoryAssociationRequest, AssociationResponse>(
        ShapesJson.Default.UpdateDataRepositoryAssociationRequest, ShapesJson.Default.AssociationResponse)
{
    public override string Name => "UpdateDataRepositoryAssociation";

    public override bool Changes => true;

    protected override ValueTask<AssociationResponse> RunAsync(
        UpdateDataRepositoryAssociationRequest request, CallContext context, CancellationToken cancellationToken)
    {
        RepositoryShape.Check(request);
        _ = services.Association(request.AssociationId!, context);
        throw NotHereYet.DataRepositories();
    }
}
