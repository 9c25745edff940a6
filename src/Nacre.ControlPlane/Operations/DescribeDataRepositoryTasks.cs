using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

internal sealed class DescribeDataRepositoryTasks(OperationServices services)
    : Operation<DescribeDataRepositoryTasksRequest, DescribeDataRepositoryTasksResponse>(
        ShapesJson.Default.DescribeDataRepositoryTasksRequest, ShapesJson.Default.DescribeDataRepositoryTasksResponse)
{
    private readonly Listing<TaskEntry> _listing =
        new(services.Catalog, services.Catalog.Tasks, entry => entry.OwnerId, NotFound.Task);

    public override string Name => "DescribeDataRepositoryTasks";

    public override bool Changes => false;

    protected override ValueTask<DescribeDataRepositoryTasksResponse> RunAsync(
        DescribeDataRepositoryTasksRequest request, CallContext context, CancellationToken cancellationToken)
    {
        RepositoryShape.Check(request);
        var page = _listing.Read(
            new ListingRequest(Name, context, request.TaskIds, request.MaxResults, request.NextToken, Filters.Text(request.Filters)),
            Filters.Matcher(Filters.OfTasks, request.Filters));
        return ValueTask.FromResult(new DescribeDataRepositoryTasksResponse([.. page.Entries.Select(entry => entry.Description)], page.NextToken));
    }
}
