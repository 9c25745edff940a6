using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class DescribeBackups(OperationServices services)
    : Operation<DescribeBackupsRequest, DescribeBackupsResponse>(
        ShapesJson.Default.DescribeBackupsRequest, ShapesJson.Default.DescribeBackupsResponse)
{
    private readonly Listing<BackupEntry> _listing =
        new(services.Catalog, services.Catalog.Backups, entry => entry.Description.OwnerId ?? "", NotFound.Backup);

    public override string Name => "DescribeBackups";

    public override bool Changes => false;

    protected override ValueTask<DescribeBackupsResponse> RunAsync(
        DescribeBackupsRequest request, CallContext context, CancellationToken cancellationToken)
    {
        RepositoryShape.Check(request);
        var page = _listing.Read(
            new ListingRequest(Name, context, request.BackupIds, request.MaxResults, request.NextToken, Filters.Text(request.Filters)),
            Filters.Matcher(Filters.OfBackups, request.Filters));
        return ValueTask.FromResult(new DescribeBackupsResponse([.. page.Entries.Select(entry => entry.Description)], page.NextToken));
    }
}
