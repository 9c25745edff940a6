using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class DescribeFileSystems(OperationServices services)
    : Operation<DescribeFileSystemsRequest, DescribeFileSystemsResponse>(
        ShapesJson.Default.DescribeFileSystemsRequest, ShapesJson.Default.DescribeFileSystemsResponse)
{
    private readonly Listing<FileSystemEntry> _listing =
        new(services.Catalog, services.Catalog.FileSystems, entry => entry.Description.OwnerId, NotFound.FileSystem);

    public override string Name => "DescribeFileSystems";

    public override bool Changes => false;

    protected override ValueTask<DescribeFileSystemsResponse> RunAsync(
        DescribeFileSystemsRequest request, CallContext context, CancellationToken cancellationToken)
    {
        UpdateFileSystemShape.Check(request);
        var page = _listing.Read(
            new ListingRequest(Name, context, request.FileSystemIds, request.MaxResults, request.NextToken), _ => true);
        return ValueTask.FromResult(new DescribeFileSystemsResponse([.. page.Entries.Select(entry => entry.Description)], page.NextToken));
    }
}
