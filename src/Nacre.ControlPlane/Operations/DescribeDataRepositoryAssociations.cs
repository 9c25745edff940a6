using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class DescribeDataRepositoryAssociations(OperationServices services)
    : Operation<DescribeDataRepositoryAssociationsRequest, DescribeDataRepositoryAssociationsResponse>(
        ShapesJson.Default.DescribeDataRepositoryAssociationsRequest, ShapesJson.Default.DescribeDataRepositoryAssociationsResponse)
{
    private readonly Listing<AssociationEntry> _listing =
        new(services.Catalog, services.Catalog.Associations, entry => entry.OwnerId, NotFound.Association);

    public override string Name => "DescribeDataRepositoryAssociations";

    public override bool Changes => false;

    protected override ValueTask<DescribeDataRepositoryAssociationsResponse> RunAsync(
        DescribeDataRepositoryAssociationsRequest request, CallContext context, CancellationToken cancellationToken)
    {
        RepositoryShape.Check(request);
        AssociationRules.OfListing.Check(request);
        var page = _listing.Read(
            new ListingRequest(Name, context, request.AssociationIds, request.MaxResults, request.NextToken, Filters.Text(request.Filters)),
            Filters.Matcher(Filters.OfAssociations, request.Filters));
        return ValueTask.FromResult(new DescribeDataRepositoryAssociationsResponse(
            [.. page.Entries.Select(entry => entry.Description)], page.NextToken));
    }
}
