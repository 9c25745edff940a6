using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

/// <summary>Checks what is ordered and writes it down as CREATING; the reconciler makes it.</summary>
internal sealed class CreateFileSystem(OperationServices services)
    : Operation<CreateFileSystemRequest, FileSystemResponse>(ShapesJson.Default.CreateFileSystemRequest, ShapesJson.Default.FileSystemResponse)
{
    public override string Name => "CreateFileSystem";

    public override bool Changes => true;

    protected override ValueTask<FileSystemResponse> RunAsync(
        CreateFileSystemRequest request, CallContext context, CancellationToken cancellationToken)
    {
        CreateFileSystemShape.Check(request);
        var token = OperationServices.Token(
            context, Name, request.ClientRequestToken, request with { ClientRequestToken = null }, ShapesJson.Default.CreateFileSystemRequest);
        var order = new FileSystemOrder(request, context.AccountId, services.Settings);
        var entry = services.Catalog.Change(() => Repeated(token) ?? Insert(order, token));
        return ValueTask.FromResult(new FileSystemResponse(entry.Description));
    }

    private FileSystemEntry? Repeated(IdempotencyToken? token) =>
        token is not null && services.Catalog.Tokens.Find(token) is { } id ? services.Catalog.FileSystems.Find(id) : null;

    private FileSystemEntry Insert(FileSystemOrder order, IdempotencyToken? token)
    {
        CheckQuotas(order);
        CreateFileSystemRules.All.Check(order);
        var plan = new FileSystemPlan(order, Identifiers.New("fs"), MountName(order), services.DataPlane.Address, services.Time.GetUtcNow());
        var entry = services.Catalog.FileSystems.Insert(plan.Entry());
        if (token is not null)
        {
            services.Catalog.Tokens.AddForCreation(token, entry.Description.FileSystemId);
        }
        return entry;
    }

    private void CheckQuotas(FileSystemOrder order)
    {
        var wanted = new Usage(
            FileSystemClass.Of(order.DeploymentType), order.Request.StorageCapacity ?? 0, order.Lustre.ThroughputCapacity ?? 0);
        QuotaRules.Check(services.Catalog.FileSystems.UsageOf(order.Account, wanted.Class), wanted, services.Settings.Quotas);
    }

    // SCRATCH_1 is called fsx on FSx, always. A node serves a name once, so that only the first one here is.
    private string MountName(FileSystemOrder order)
    {
        var taken = services.DataPlane.MountNames;
        bool IsFree(string name) => !taken.Contains(name) && !services.Catalog.FileSystems.HasName(name);
        if (order.DeploymentType == DeploymentType.Scratch1 && IsFree("fsx"))
        {
            return "fsx";
        }
        string name;
        do
        {
            name = Identifiers.NewMountName();
        }
        while (!IsFree(name));
        return name;
    }
}
