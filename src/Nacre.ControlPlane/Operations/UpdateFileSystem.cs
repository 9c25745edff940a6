using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Shapes;
using Nacre.ControlPlane.Validation;

namespace Nacre.ControlPlane.Operations;

/// <summary>
/// Checks what is to change and writes it down as a pending administrative action. The file system keeps its old values until the reconciler has
/// made the change.
/// </summary>
internal sealed class UpdateFileSystem(OperationServices services)
    : Operation<UpdateFileSystemRequest, FileSystemResponse>(ShapesJson.Default.UpdateFileSystemRequest, ShapesJson.Default.FileSystemResponse)
{
    public override string Name => "UpdateFileSystem";

    public override bool Changes => true;

    protected override ValueTask<FileSystemResponse> RunAsync(
        UpdateFileSystemRequest request, CallContext context, CancellationToken cancellationToken)
    {
        UpdateFileSystemShape.Check(request);
        var token = OperationServices.Token(
            context, Name, request.ClientRequestToken, request with { ClientRequestToken = null }, ShapesJson.Default.UpdateFileSystemRequest);
        var entry = services.Catalog.Change(() => Update(request, context, token));
        return ValueTask.FromResult(new FileSystemResponse(entry.Description));
    }

    private FileSystemEntry Update(UpdateFileSystemRequest request, CallContext context, IdempotencyToken? token)
    {
        var entry = services.FileSystem(request.FileSystemId!, context);
        if (token is not null && services.Catalog.Tokens.Find(token) is not null)
        {
            return entry;
        }
        var change = new FileSystemChange(entry, request, services.Time.GetUtcNow(), services.Settings);
        UpdateFileSystemRules.All.Check(change);
        CheckQuotas(change);
        if (token is not null)
        {
            services.Catalog.Tokens.AddForChange(token, entry.Description.FileSystemId);
        }
        return services.Catalog.FileSystems.Update(entry.Description.FileSystemId, _ => Apply(change))!;
    }

    private void CheckQuotas(FileSystemChange change)
    {
        if (change.Request.StorageCapacity is null && change.Lustre.ThroughputCapacity is null)
        {
            return;
        }
        var wanted = new Usage(
            FileSystemClass.Of(change.Present.DeploymentType!), change.CapacityAfter ?? 0, change.ThroughputCapacityAfter ?? 0);
        var others = services.Catalog.FileSystems.UsageOf(change.FileSystem.OwnerId, wanted.Class, change.FileSystem.FileSystemId);
        QuotaRules.Check(others, wanted, services.Settings.Quotas with { FileSystems = int.MaxValue });
    }

    private static FileSystemEntry Apply(FileSystemChange change)
    {
        var target = Target(change);
        double now = Actions.Epoch(change.Now);
        double? Last(bool isAsked, double? before) => isAsked ? now : before;
        return change.Entry with
        {
            Description = change.FileSystem with
            {
                AdministrativeActions = Actions.Add(change.FileSystem.AdministrativeActions, target, change.Now),
            },
            LastCapacityRequest = Last(target.StorageCapacity is not null, change.Entry.LastCapacityRequest),
            LastThroughputRequest = Last(
                target.LustreConfiguration is { PerUnitStorageThroughput: not null } or { ThroughputCapacity: not null },
                change.Entry.LastThroughputRequest),
            LastMetadataRequest = Last(target.LustreConfiguration?.MetadataConfiguration is not null, change.Entry.LastMetadataRequest),
            LastReadCacheRequest = Last(target.LustreConfiguration?.DataReadCacheConfiguration is not null, change.Entry.LastReadCacheRequest),
        };
    }

    private static TargetFileSystemValues Target(FileSystemChange change) => new()
    {
        StorageCapacity = change.Request.StorageCapacity,
        FileSystemTypeVersion = change.Request.FileSystemTypeVersion,
        LustreConfiguration = change.Request.LustreConfiguration is null ? null : Configuration(change),
    };

    private static LustreFileSystemConfiguration Configuration(FileSystemChange change) => new()
    {
        WeeklyMaintenanceStartTime = change.Lustre.WeeklyMaintenanceStartTime,
        DailyAutomaticBackupStartTime = change.Lustre.DailyAutomaticBackupStartTime ?? ChosenDailyTime(change),
        AutomaticBackupRetentionDays = change.Lustre.AutomaticBackupRetentionDays,
        DataCompressionType = change.Lustre.DataCompressionType,
        LogConfiguration = change.Lustre.LogConfiguration is { } log
            ? LogRules.Answered(log, change.FileSystem.FileSystemId, change.FileSystem.OwnerId, change.Settings)
            : null,
        RootSquashConfiguration = change.Lustre.RootSquashConfiguration,
        PerUnitStorageThroughput = change.Lustre.PerUnitStorageThroughput,
        MetadataConfiguration = change.Lustre.MetadataConfiguration,
        ThroughputCapacity = change.Lustre.ThroughputCapacity,
        DataReadCacheConfiguration = change.Lustre.DataReadCacheConfiguration,
    };

    private static string? ChosenDailyTime(FileSystemChange change) =>
        change.Lustre.AutomaticBackupRetentionDays > 0 && change.Present.DailyAutomaticBackupStartTime is null
            ? Identifiers.DailyTime(change.FileSystem.FileSystemId)
            : null;
}
